//! Why each figure of a product says what it says.
//!
//! The figures are counted once more from the rows beneath them, levels and order lines, by the rules of
//! [`crate::figures`], and held against what is stored. What counts and what does not is decided here, row by row; no
//! rule is written down a second time but in words, and those are made of the same constants.

mod evidence;
mod levels;
mod lines;
mod rule;

pub use self::{
    evidence::{Evidence, LevelGroup, LineGroup, Place, Reading, Variants, lines_since},
    rule::{Figure, Verdict},
};
use crate::{
    calendar::{Window, Zone},
    clock::Timestamp,
    figures::{CoverState, Figures, Staleness, StockState},
    ids::SyncId,
    marketplace::{Capability, Side},
    money::Money,
    picture::Product,
    tenant::LowStockRule,
};

/// Every figure of a product, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The product with its stored figures.
    pub product: Product,
    /// The moment of the counting.
    pub at: Timestamp,
    /// A sync of the account that is under way: what it has read of orders counts when it ends.
    pub running_sync: Option<SyncId>,
    /// The product's variants.
    pub variants: Variants,
    /// The window that the order figures count.
    pub window: ZonedWindow,
    /// Sum of the known sides.
    pub total_stock: Explained<i64>,
    /// Stock in the marketplace's warehouses.
    pub fbo_stock: Explained<i64>,
    /// Stock in the seller's warehouses.
    pub fbs_stock: Explained<i64>,
    /// Units on their way to customers.
    pub in_transit_to_customer: Explained<i64>,
    /// Units on their way back.
    pub in_transit_returns: Explained<i64>,
    /// Units ordered in the window and not cancelled.
    pub ordered_units: Explained<i64>,
    /// Units ordered in the window and cancelled.
    pub cancelled_units: Explained<i64>,
    /// Units ordered today so far.
    pub ordered_today: Explained<i64>,
    /// Ordered units per day, in thousandths.
    pub velocity_thousandths: Explained<i64>,
    /// Days of cover, in tenths.
    pub cover_tenths: Explained<i64>,
    /// Why there is or is no number of days of cover.
    pub cover_state: Option<CoverState>,
    /// Value of the ordered units.
    pub revenue: Explained<Money>,
    /// How much there is, in words.
    pub stock_state: Explained<StockState>,
    /// Whether it is out, low or enough.
    pub low_stock: Explained<Verdict>,
}

/// A figure, counted anew, with the reasons for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained<T> {
    /// What the rows come to.
    pub value: Option<T>,
    /// What is stored and shown everywhere else.
    pub stored: Option<T>,
    /// How it is counted.
    pub why: Why,
}

impl<T: PartialEq> Explained<T> {
    /// Whether the stored figure is what the rows come to.
    pub fn agrees(&self) -> bool {
        self.value == self.stored
    }
}

/// How a figure is counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// The rule in words.
    pub rule: String,
    /// Why it is unknown, where it is.
    pub unknown: Option<Unknown>,
    /// The figures it follows from; none where it is counted from rows alone.
    pub follows_from: &'static [Figure],
    /// The window, for figures that have one.
    pub window: Option<ZonedWindow>,
    /// The rows that count; none for figures that follow from others.
    pub counted: Option<Counted>,
    /// The rows that do not count, by the reason.
    pub excluded: Vec<Excluded>,
    /// What was read for it.
    pub sources: Vec<Source>,
}

impl Why {
    /// The age of the oldest reading behind the figure; none while it is unknown.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.known_sources().filter_map(|source| source.reading.as_of).min()
    }

    /// Whether a reading behind the figure is old.
    pub fn is_stale(&self) -> bool {
        self.known_sources().any(|source| source.stale.is_some())
    }

    /// The readings that have told something of the product.
    fn known_sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.variants_known > 0)
    }
}

/// A window and the zone whose days it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZonedWindow {
    /// The days.
    pub window: Window,
    /// The zone.
    pub zone: Zone,
    /// Whether it ends before the present day. One that does not is counted while orders have not been read since, or
    /// in the moment after midnight.
    pub is_current: bool,
}

/// A number of rows and the units in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rows {
    /// Rows.
    pub rows: i64,
    /// Units.
    pub units: i64,
}

impl Rows {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.units += other.units;
    }
}

/// The rows that a figure counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// What the rows are.
    pub kind: RowKind,
    /// All of them.
    pub all: Rows,
    /// Those of variants that are not in the catalogue any more: their stock is stock all the same. Told of levels only.
    pub of_inactive_variants: Option<Rows>,
    /// Warehouse by warehouse, for levels.
    pub by_warehouse: Vec<(Place, Rows)>,
    /// Day by day, for order lines.
    pub by_day: Vec<(chrono::NaiveDate, Rows)>,
}

/// What rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// Stock of one variant in one warehouse.
    Levels,
    /// Variants.
    Variants,
    /// Order lines.
    OrderLines,
}

/// Rows that do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excluded {
    /// Why not.
    pub reason: Reason,
    /// How many; the units are what the rows say, though they do not count.
    pub rows: Rows,
}

/// Why rows do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The credential does not grant their side; what they say is old.
    NotGranted,
    /// The marketplace keeps no count of the variant there.
    NotCounted,
    /// Levels of variants whose stock on the side is unknown: not counted in another place, or not read again yet.
    VariantUnknown,
    /// Nobody has measured the place; orders were sent from there.
    NeverMeasured,
    /// Nobody has told how many units of the variant are on their way.
    NotTold,
    /// Ordered before the window.
    BeforeWindow,
    /// Ordered today, which does not count.
    Today,
    /// Ordered before today.
    BeforeToday,
    /// Ordered after the window and its today.
    AfterToday,
    /// Cancelled.
    Cancelled,
    /// Not cancelled.
    NotCancelled,
    /// They name the product but none of its variants.
    Unmatched,
    /// They have no price.
    WithoutPrice,
    /// They are priced in another currency.
    OtherCurrency,
}

/// Why a figure is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The marketplace has no such side.
    NoSuchSide,
    /// The product has no variants.
    NoVariants,
    /// The credential does not grant it.
    NotGranted,
    /// It has not been read yet, or not since the product came.
    NotRead,
    /// The marketplace does not count or tell it.
    NotCounted,
    /// No order line of the account has a price.
    NoPrice,
}

/// Something that was read of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What.
    pub subject: Subject,
    /// Whether the credential grants it.
    pub is_granted: bool,
    /// The last complete reading.
    pub reading: Reading,
    /// Whether that is old, and why.
    pub stale: Option<Staleness>,
    /// Variants of the product of which it is known.
    pub variants_known: i64,
    /// Variants of the product of which it is not.
    pub variants_unknown: i64,
}

/// What a reading is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Stock in the marketplace's warehouses.
    Fbo,
    /// Stock in the seller's warehouses.
    Fbs,
    /// Order lines.
    Orders,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 3] = [Self::Fbo, Self::Fbs, Self::Orders];

    const fn of(side: Side) -> Self {
        match side {
            Side::Fbo => Self::Fbo,
            Side::Fbs => Self::Fbs,
        }
    }

    const fn side(self) -> Option<Side> {
        match self {
            Self::Fbo => Some(Side::Fbo),
            Self::Fbs => Some(Side::Fbs),
            Self::Orders => None,
        }
    }

    fn capability(self) -> Capability {
        self.side().map_or(Capability::Orders, Side::capability)
    }
}

impl Explanation {
    /// Counts the figures from the evidence and holds them against the stored ones.
    pub fn of(evidence: &Evidence, rule: LowStockRule, now: Timestamp) -> Self {
        let stored = &evidence.product.figures;
        let window = evidence.window(now);
        let counted = evidence.count(window.window);
        let stock = |figure, sides: &[Side]| evidence.why_stock(figure, rule, sides, now);
        let orders = |figure| evidence.why_orders(figure, rule, window, now);
        let transit = |figure| evidence.why_transit(figure, rule, now);
        let follows = |figure| evidence.why_it_follows(figure, rule, window, now);
        let one = |get: fn(&Figures) -> Option<i64>, why| Explained {
            value: get(&counted),
            stored: get(stored),
            why,
        };
        Self {
            product: evidence.product.clone(),
            at: now,
            running_sync: evidence.running_sync,
            variants: evidence.variants,
            window,
            total_stock: one(
                Figures::total_stock,
                stock(Figure::TotalStock, evidence.product.marketplace.sides()),
            ),
            fbo_stock: one(|f| f.fbo_stock, stock(Figure::FboStock, &[Side::Fbo])),
            fbs_stock: one(|f| f.fbs_stock, stock(Figure::FbsStock, &[Side::Fbs])),
            in_transit_to_customer: one(|f| f.in_transit_to_customer, transit(Figure::InTransitToCustomer)),
            in_transit_returns: one(|f| f.in_transit_returns, transit(Figure::InTransitReturns)),
            ordered_units: one(|f| f.ordered_units, orders(Figure::OrderedUnits)),
            cancelled_units: one(|f| f.cancelled_units, orders(Figure::CancelledUnits)),
            ordered_today: one(|f| f.ordered_today, orders(Figure::OrderedToday)),
            velocity_thousandths: one(Figures::velocity_thousandths, follows(Figure::VelocityPerDay)),
            cover_tenths: one(|f| f.cover().tenths, follows(Figure::DaysOfCover)),
            cover_state: counted.cover().state,
            revenue: Explained {
                value: counted.revenue,
                stored: stored.revenue,
                why: orders(Figure::Revenue),
            },
            stock_state: Explained {
                value: counted.stock_state(),
                stored: stored.stock_state(),
                why: follows(Figure::StockState),
            },
            low_stock: Explained {
                value: Verdict::of(rule, &counted),
                stored: Verdict::of(rule, stored),
                why: follows(Figure::LowStock),
            },
        }
    }

    /// Whether every stored figure is what the rows come to.
    pub fn agrees(&self) -> bool {
        let units = [
            &self.total_stock,
            &self.fbo_stock,
            &self.fbs_stock,
            &self.in_transit_to_customer,
            &self.in_transit_returns,
            &self.ordered_units,
            &self.cancelled_units,
            &self.ordered_today,
            &self.velocity_thousandths,
            &self.cover_tenths,
        ];
        units.into_iter().all(Explained::agrees)
            && self.revenue.agrees()
            && self.stock_state.agrees()
            && self.low_stock.agrees()
    }
}

#[cfg(test)]
mod tests;
