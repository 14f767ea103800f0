//! What explanations are made of: the rows beneath a product's figures, grouped where they are kept.

use chrono::{Days, NaiveDate};

use super::{Figure, Source, Subject, Unknown, Why, ZonedWindow};
use crate::{
    calendar::{WINDOW_DAYS, Window, Zone},
    clock::Timestamp,
    figures::{Figures, Staleness},
    ids::{SyncId, WarehouseId},
    marketplace::{Capabilities, Side, WarehouseKind},
    money::{Currency, Money},
    picture::Product,
    tenant::LowStockRule,
};

/// The rows beneath the figures of one product, as they were at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The product with its stored figures.
    pub product: Product,
    /// The zone in which its days are counted.
    pub zone: Zone,
    /// What the credential of its account grants.
    pub capabilities: Capabilities,
    /// Minutes between two syncs of its account.
    pub sync_interval_minutes: i32,
    /// A sync of its account that is under way.
    pub running_sync: Option<SyncId>,
    /// The last complete reading of the marketplace's stock.
    pub fbo: Reading,
    /// The last complete reading of the seller's stock.
    pub fbs: Reading,
    /// The last complete reading of orders.
    pub orders: Reading,
    /// Its variants.
    pub variants: Variants,
    /// Its levels.
    pub levels: Vec<LevelGroup>,
    /// Its order lines since [`lines_since`], and lines that name it but none of its variants.
    pub lines: Vec<LineGroup>,
    /// The currency its revenue is in.
    pub currency: Option<Currency>,
}

/// The last complete reading of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// When it began: nothing in it is older. None before the first.
    pub as_of: Option<Timestamp>,
    /// The call of the marketplace that told it.
    pub call: Option<String>,
    /// The sync that wrote it, where that is known.
    pub sync_id: Option<SyncId>,
    /// Whether the marketplace has changed its answers since.
    pub has_drifted: bool,
}

/// The variants of a product: how many, of how many each subject is known, and the units on their way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Variants {
    /// In the catalogue.
    pub active: i64,
    /// Not in the catalogue any more.
    pub inactive: i64,
    /// With known stock in the marketplace's warehouses.
    pub fbo_known: i64,
    /// With known stock in the seller's warehouses.
    pub fbs_known: i64,
    /// With known orders.
    pub orders_known: i64,
    /// Of which units on their way to customers are known, and how many.
    pub to_customer: super::Rows,
    /// Of which units on their way back are known, and how many.
    pub returns: super::Rows,
}

impl Variants {
    /// All of them.
    pub const fn all(&self) -> i64 {
        self.active + self.inactive
    }

    /// Of how many a subject is known.
    pub const fn known(&self, subject: Subject) -> i64 {
        match subject {
            Subject::Fbo => self.fbo_known,
            Subject::Fbs => self.fbs_known,
            Subject::Orders => self.orders_known,
        }
    }
}

/// A warehouse that levels are in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The warehouse.
    pub id: WarehouseId,
    /// The marketplace's id of it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// What kind of place.
    pub kind: WarehouseKind,
}

/// Levels in one warehouse that stand alike.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelGroup {
    /// The warehouse.
    pub place: Place,
    /// Whether the variants are in the catalogue.
    pub is_active: bool,
    /// Whether there is a count of them.
    pub is_measured: bool,
    /// Whether a reading of stock has told of them, be it without a count.
    pub is_read: bool,
    /// Whether the stock of the variants on the side of the warehouse is known.
    pub is_known: bool,
    /// The levels and what is available.
    pub stock: super::Rows,
    /// The levels that tell of units on their way to customers.
    pub to_customer: super::Rows,
    /// The levels that tell of units on their way back.
    pub returns: super::Rows,
}

/// Order lines of one day that stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineGroup {
    /// Whether they are matched to a variant of the product.
    pub is_matched: bool,
    /// The day, in the zone.
    pub day: NaiveDate,
    /// Whether they are cancelled.
    pub is_cancelled: bool,
    /// The currency of their price; none without a price.
    pub currency: Option<Currency>,
    /// The lines and their units.
    pub rows: super::Rows,
    /// Price times quantity over the lines, in minor units.
    pub value_minor: i64,
}

/// Days of order lines that explanations look back on: what was ordered before is outside every window, and would only
/// make the answer slower.
const LOOK_BACK_DAYS: u32 = 30;

/// The first day whose order lines are looked at: a month ago, or the beginning of the window that was current when
/// orders were last read, if that is earlier.
pub fn lines_since(now: Timestamp, zone: Zone, orders_as_of: Option<Timestamp>) -> NaiveDate {
    let back = |day: NaiveDate, days: u32| day.checked_sub_days(Days::new(days.into())).unwrap_or(day);
    let month = back(zone.day_of(now), LOOK_BACK_DAYS);
    orders_as_of.map_or(month, |at| back(zone.day_of(at), WINDOW_DAYS).min(month))
}

impl Evidence {
    /// The figures that the rows come to, for a window.
    pub(super) fn count(&self, window: Window) -> Figures {
        let stored = &self.product.figures;
        let side = |side| {
            let known = self.variants.known(Subject::of(side)) > 0;
            known.then(|| self.stock_of(side))
        };
        let transit = |told: super::Rows| (told.rows > 0).then_some(told.units);
        let orders_known = self.variants.orders_known > 0;
        let units = |figure| orders_known.then(|| self.lines_of(figure, window).counted.units);
        let revenue = || Some(Money { minor: self.value_of(window), currency: self.currency? });
        Figures {
            fbo_stock: side(Side::Fbo),
            fbs_stock: side(Side::Fbs),
            incomplete: stored.incomplete,
            in_transit_to_customer: transit(self.variants.to_customer),
            in_transit_returns: transit(self.variants.returns),
            ordered_units: units(Figure::OrderedUnits),
            cancelled_units: units(Figure::CancelledUnits),
            ordered_today: units(Figure::OrderedToday),
            revenue: orders_known.then(revenue).flatten(),
            as_of: stored.as_of,
            stale: stored.stale,
        }
    }

    /// The window that the stored figures count. It is the present one, but for the moment after midnight and while
    /// orders cannot be read; which one was counted last is not written down, so it is the latest since orders were
    /// last read that comes to the stored figures.
    pub(super) fn window(&self, now: Timestamp) -> ZonedWindow {
        let zone = self.zone;
        let today = zone.day_of(now);
        let read_on = self.orders.as_of.map(|at| zone.day_of(at));
        let first_line = lines_since(now, zone, self.orders.as_of);
        let mut candidates = std::iter::successors(Some(today), NaiveDate::pred_opt)
            .take_while(|day| read_on.is_none_or(|read| *day >= read))
            .map(Window::of_day)
            .take_while(|window| window.first >= first_line);
        let fitting = candidates.find(|window| self.fits(*window));
        // Orders that were read one day are counted once more when the day turns, and then not again.
        let expected =
            || Window::of_day(read_on.and_then(|day| day.succ_opt()).map_or(today, |day| day.min(today)));
        let window = if self.product.figures.ordered_units.is_none() {
            Window::of_day(today)
        } else {
            fitting.unwrap_or_else(expected)
        };
        ZonedWindow { window, zone, is_current: window.today == today }
    }

    /// Whether a window comes to the stored order figures.
    fn fits(&self, window: Window) -> bool {
        let (stored, counted) = (&self.product.figures, self.count(window));
        let orders = |f: &Figures| (f.ordered_units, f.cancelled_units, f.ordered_today);
        orders(stored) == orders(&counted)
    }

    /// Why a subject is unknown of the product; none where it is known.
    pub(super) fn unknown(&self, subject: Subject) -> Option<Unknown> {
        let no_such_side =
            subject.side().is_some_and(|side| !self.product.marketplace.sides().contains(&side));
        if self.variants.known(subject) > 0 {
            None
        } else if no_such_side {
            Some(Unknown::NoSuchSide)
        } else if self.variants.all() == 0 {
            Some(Unknown::NoVariants)
        } else if !self.is_granted(subject) {
            Some(Unknown::NotGranted)
        } else if self.reading(subject).as_of.is_none() || subject == Subject::Orders {
            Some(Unknown::NotRead)
        } else {
            Some(Unknown::NotCounted)
        }
    }

    /// Why a figure that follows from others says what it says.
    pub(super) fn why_it_follows(
        &self,
        figure: Figure,
        rule: LowStockRule,
        window: ZonedWindow,
        now: Timestamp,
    ) -> Why {
        let by_orders = figure.follows_from().contains(&Figure::OrderedUnits);
        let by_stock = figure.follows_from().contains(&Figure::TotalStock);
        let sides = if by_stock { self.product.marketplace.sides() } else { &[] };
        let of_orders = by_orders.then(|| self.source(Subject::Orders, now));
        let sources =
            sides.iter().map(|side| self.source(Subject::of(*side), now)).chain(of_orders).collect();
        let without_stock = if by_stock { self.no_side_known() } else { None };
        // An empty shelf is out and a verdict by units stands, whatever was ordered.
        let needs_orders = matches!(figure, Figure::VelocityPerDay | Figure::DaysOfCover);
        let without_orders = if needs_orders { self.unknown(Subject::Orders) } else { None };
        Why {
            rule: figure.rule(rule),
            unknown: without_stock.or(without_orders),
            follows_from: figure.follows_from(),
            window: by_orders.then_some(window),
            counted: None,
            excluded: Vec::new(),
            sources,
        }
    }

    /// Why no side is known; none where one is.
    pub(super) fn no_side_known(&self) -> Option<Unknown> {
        let sides = self.product.marketplace.sides();
        let unknown: Option<Vec<_>> = sides.iter().map(|side| self.unknown(Subject::of(*side))).collect();
        unknown?.into_iter().next()
    }

    pub(super) fn is_granted(&self, subject: Subject) -> bool {
        self.capabilities.contains(&subject.capability())
    }

    pub(super) fn source(&self, subject: Subject, now: Timestamp) -> Source {
        let reading = self.reading(subject).clone();
        let known = self.variants.known(subject);
        Source {
            subject,
            is_granted: self.is_granted(subject),
            stale: Staleness::of(reading.as_of, reading.has_drifted, self.sync_interval_minutes, now),
            reading,
            variants_known: known,
            variants_unknown: self.variants.all() - known,
        }
    }

    const fn reading(&self, subject: Subject) -> &Reading {
        match subject {
            Subject::Fbo => &self.fbo,
            Subject::Fbs => &self.fbs,
            Subject::Orders => &self.orders,
        }
    }
}
