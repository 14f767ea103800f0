//! The figures and their rules, in words.

use crate::{
    calendar::WINDOW_DAYS,
    figures::{Figures, StockState, is_low},
    tenant::LowStockRule,
};

/// A figure of a product that can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// Sum of the known sides.
    TotalStock,
    /// Stock in the marketplace's warehouses.
    FboStock,
    /// Stock in the seller's warehouses.
    FbsStock,
    /// Units on their way to customers.
    InTransitToCustomer,
    /// Units on their way back.
    InTransitReturns,
    /// Units ordered in the window and not cancelled.
    OrderedUnits,
    /// Units ordered in the window and cancelled.
    CancelledUnits,
    /// Units ordered today so far.
    OrderedToday,
    /// Ordered units per day.
    VelocityPerDay,
    /// How many days the stock lasts.
    DaysOfCover,
    /// Value of the ordered units.
    Revenue,
    /// How much there is, in six steps.
    StockState,
    /// Whether it is out, low or enough.
    LowStock,
}

impl Figure {
    /// Every figure.
    pub const ALL: [Self; 13] = [
        Self::TotalStock,
        Self::FboStock,
        Self::FbsStock,
        Self::InTransitToCustomer,
        Self::InTransitReturns,
        Self::OrderedUnits,
        Self::CancelledUnits,
        Self::OrderedToday,
        Self::VelocityPerDay,
        Self::DaysOfCover,
        Self::Revenue,
        Self::StockState,
        Self::LowStock,
    ];

    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TotalStock => "total_stock",
            Self::FboStock => "fbo_stock",
            Self::FbsStock => "fbs_stock",
            Self::InTransitToCustomer => "in_transit_to_customer",
            Self::InTransitReturns => "in_transit_returns",
            Self::OrderedUnits => "ordered_units",
            Self::CancelledUnits => "cancelled_units",
            Self::OrderedToday => "ordered_today",
            Self::VelocityPerDay => "velocity_per_day",
            Self::DaysOfCover => "days_of_cover",
            Self::Revenue => "revenue",
            Self::StockState => "stock_state",
            Self::LowStock => "low_stock",
        }
    }

    /// The figures it follows from; none where it is counted from rows alone.
    pub const fn follows_from(self) -> &'static [Self] {
        match self {
            Self::TotalStock => &[Self::FboStock, Self::FbsStock],
            Self::VelocityPerDay => &[Self::OrderedUnits],
            Self::DaysOfCover | Self::LowStock => &[Self::TotalStock, Self::OrderedUnits],
            Self::StockState => &[Self::TotalStock],
            Self::FboStock
            | Self::FbsStock
            | Self::InTransitToCustomer
            | Self::InTransitReturns
            | Self::OrderedUnits
            | Self::CancelledUnits
            | Self::OrderedToday
            | Self::Revenue => &[],
        }
    }

    /// The rule in words. The tenant's own thresholds are in it.
    pub fn rule(self, low_stock: LowStockRule) -> String {
        match self {
            Self::TotalStock => {
                "The sum of `fbo_stock` and `fbs_stock`. A side that is unknown is left out, and the \
                                 product is then `incomplete`."
                    .to_owned()
            }
            Self::FboStock => format!(
                "The sum of `available` in the marketplace's warehouses, whether it names them \
                                       or tells of all as one, {LEVELS}"
            ),
            Self::FbsStock => format!("The sum of `available` in the seller's warehouses, {LEVELS}"),
            Self::InTransitToCustomer => format!("Units on their way to customers, {TRANSIT}"),
            Self::InTransitReturns => format!("Units on their way back from customers, {TRANSIT}"),
            Self::OrderedUnits => format!(
                "Units of the order lines of the last {WINDOW_DAYS} complete days in the zone, today excluded, \
                 cancelled ones left out. A line counts once, by the marketplace's id of the line, on the day it was \
                 ordered, whenever it was changed. A line of no known variant counts in no product."
            ),
            Self::CancelledUnits => format!(
                "Units of the order lines of the last {WINDOW_DAYS} complete days in the zone, today excluded, that \
                 have been cancelled since."
            ),
            Self::OrderedToday => {
                "Units of the order lines since midnight in the zone, as far as orders have been \
                                   read, cancelled ones left out."
                    .to_owned()
            }
            Self::VelocityPerDay => format!("`ordered_units` / {WINDOW_DAYS}, half up to 3 decimals."),
            Self::DaysOfCover => format!(
                "`total_stock` × {WINDOW_DAYS} / `ordered_units`, half up to 1 decimal. Nothing ordered: no number \
                 (`no_sales`). No stock: 0 if something was ordered, else no number (`out_of_stock`)."
            ),
            Self::Revenue => {
                "Price × quantity over the lines that `ordered_units` counts: the price that the seller \
                              sells for, in the currency of the account's latest priced line."
                    .to_owned()
            }
            Self::StockState => format!("By `total_stock`: {}.", steps().join(", ")),
            Self::LowStock => {
                let cover = low_stock.days_of_cover;
                let or_short =
                    cover.map(|days| format!(", or less than {days} days of cover")).unwrap_or_default();
                format!(
                    "`out` without stock; `low` with some, but fewer than {} units{or_short}; else `enough`. The \
                     thresholds are your company's.",
                    low_stock.units
                )
            }
        }
    }
}

const LEVELS: &str = "over every variant, in the catalogue or not. Units on their way and totals of the marketplace's \
                      own are not in it. What a complete reading does not carry is 0; a variant that nobody counts is \
                      left out.";

const TRANSIT: &str = "as the stock report of the marketplace's warehouses tells them, summed over the variants. They \
                       are no stock.";

/// The steps of stock with the units they reach from and to.
fn steps() -> Vec<String> {
    let mut from = 0;
    let text = |step: StockState| {
        let text = match step.most_units() {
            Some(most) if most == from => format!("{most} `{}`", step.name()),
            Some(most) => format!("{from} to {most} `{}`", step.name()),
            None => format!("{from} or more `{}`", step.name()),
        };
        from = step.most_units().map_or(from, |most| most + 1);
        text
    };
    StockState::ALL.into_iter().map(text).collect()
}

/// How a stock stands by the tenant's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is none.
    Out,
    /// There is some, and less than the rule wants.
    Low,
    /// There is as much as the rule wants.
    Enough,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Out, Self::Low, Self::Enough];

    /// The verdict on a product; none while its stock is unknown.
    pub fn of(rule: LowStockRule, figures: &Figures) -> Option<Self> {
        let stock = figures.total_stock()?;
        Some(match stock {
            ..=0 => Self::Out,
            _ if is_low(rule, stock, figures.ordered_units) => Self::Low,
            _ => Self::Enough,
        })
    }

    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Low => "low",
            Self::Enough => "enough",
        }
    }
}
