//! What each figure means. One rule, one place.
//!
//! Everything is computed from integers; a figure that was not measured is `None`, never zero.

use chrono::TimeDelta;

use crate::{calendar::WINDOW_DAYS, clock::Timestamp, money::Money, tenant::LowStockRule};

/// The measured figures of a product or a variant, from which all others follow.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Units available in the marketplace's warehouses.
    pub fbo_stock: Option<i64>,
    /// Units available in the seller's warehouses.
    pub fbs_stock: Option<i64>,
    /// Whether a side of the marketplace, or a variant that nobody counts, is missing from the total.
    pub incomplete: bool,
    /// Units on their way to customers.
    pub in_transit_to_customer: Option<i64>,
    /// Units on their way back.
    pub in_transit_returns: Option<i64>,
    /// Units ordered in the window and not cancelled.
    pub ordered_units: Option<i64>,
    /// Units ordered in the window and cancelled.
    pub cancelled_units: Option<i64>,
    /// Units ordered today so far.
    pub ordered_today: Option<i64>,
    /// Value of the ordered units.
    pub revenue: Option<Money>,
    /// Age of the oldest level behind the stock figures.
    pub as_of: Option<Timestamp>,
    /// Whether that is older than two sync intervals, or the marketplace has since changed its contract.
    pub stale: bool,
}

impl Figures {
    /// Sum of the known sides; unknown when none is known.
    pub fn total_stock(&self) -> Option<i64> {
        match (self.fbo_stock, self.fbs_stock) {
            (None, None) => None,
            (fbo, fbs) => Some(fbo.unwrap_or(0) + fbs.unwrap_or(0)),
        }
    }

    /// Ordered units per day, in thousandths.
    pub fn velocity_thousandths(&self) -> Option<i64> {
        self.ordered_units.map(velocity_thousandths)
    }

    /// How long the stock lasts.
    pub fn cover(&self) -> Cover {
        Cover::of(self.total_stock(), self.ordered_units)
    }

    /// How much there is, in words.
    pub fn stock_state(&self) -> Option<StockState> {
        self.total_stock().map(StockState::of)
    }
}

/// Units per day over the window, in thousandths, half up.
pub const fn velocity_thousandths(ordered_units: i64) -> i64 {
    half_up(ordered_units * 1000, WINDOW_DAYS as i64)
}

/// How many days a stock lasts at the speed of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover {
    /// Tenths of days, half up.
    pub tenths: Option<i64>,
    /// Why there is or is no number.
    pub state: Option<CoverState>,
}

/// Why days of cover say what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoverState {
    /// A number.
    Ok,
    /// Nothing was ordered in the window.
    NoSales,
    /// There is nothing left.
    OutOfStock,
}

impl CoverState {
    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoSales => "no_sales",
            Self::OutOfStock => "out_of_stock",
        }
    }
}

impl Cover {
    /// Cover of a stock and the units ordered in the window. Unknown when either is unknown, but for an empty stock,
    /// which is out whatever was ordered.
    pub const fn of(stock: Option<i64>, ordered_units: Option<i64>) -> Self {
        let (tenths, state) = match (stock, ordered_units) {
            (Some(..=0), Some(1..)) => (Some(0), Some(CoverState::OutOfStock)),
            (Some(..=0), _) => (None, Some(CoverState::OutOfStock)),
            (None, _) | (Some(_), None) => (None, None),
            (Some(_), Some(..=0)) => (None, Some(CoverState::NoSales)),
            (Some(stock), Some(ordered)) => {
                (Some(half_up(stock * WINDOW_DAYS as i64 * 10, ordered)), Some(CoverState::Ok))
            }
        };
        Self { tenths, state }
    }
}

/// Division of non-negative integers, half up.
pub(crate) const fn half_up(dividend: i64, divisor: i64) -> i64 {
    (2 * dividend + divisor) / (2 * divisor)
}

/// How much stock there is, in six steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockState {
    /// None.
    Out,
    /// 1 to 5.
    Critical,
    /// 6 to 20.
    Low,
    /// 21 to 50.
    Medium,
    /// 51 to 100.
    Good,
    /// More than 100.
    Excellent,
}

impl StockState {
    /// Every step, from nothing to plenty.
    pub const ALL: [Self; 6] =
        [Self::Out, Self::Critical, Self::Low, Self::Medium, Self::Good, Self::Excellent];

    /// Most units of the step; none for the last, which has no end.
    pub const fn most_units(self) -> Option<i64> {
        match self {
            Self::Out => Some(0),
            Self::Critical => Some(5),
            Self::Low => Some(20),
            Self::Medium => Some(50),
            Self::Good => Some(100),
            Self::Excellent => None,
        }
    }

    /// The step of a number of units: the first that reaches so far.
    pub fn of(units: i64) -> Self {
        let mut steps = Self::ALL.into_iter();
        steps.find(|step| step.most_units().is_none_or(|most| units <= most)).unwrap_or(Self::Excellent)
    }

    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Critical => "critical",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::Good => "good",
            Self::Excellent => "excellent",
        }
    }
}

/// Why a figure is older than it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// Two sync intervals have passed since.
    TooOld,
    /// The marketplace has changed its answers, so that there is no newer one.
    ContractChanged,
}

impl Staleness {
    /// Whether what was read at a moment is old by now, and why. What was never read is not old but unknown.
    pub fn of(
        as_of: Option<Timestamp>,
        has_drifted: bool,
        interval_minutes: i32,
        now: Timestamp,
    ) -> Option<Self> {
        let limit = TimeDelta::minutes(i64::from(interval_minutes) * 2);
        match as_of {
            Some(_) if has_drifted => Some(Self::ContractChanged),
            Some(at) if now - at > limit => Some(Self::TooOld),
            _ => None,
        }
    }
}

/// Whether a stock is low by a rule: there is some, and less of it than either threshold.
pub fn is_low(rule: LowStockRule, stock: i64, ordered_units: Option<i64>) -> bool {
    let short_cover = rule.days_of_cover.is_some_and(|days| {
        ordered_units.is_some_and(|ordered| ordered > 0 && stock * i64::from(WINDOW_DAYS) < days * ordered)
    });
    stock > 0 && (stock < rule.units || short_cover)
}

/// Health of a catalogue in tenths of a percent: 100 % less the share of products that are low or out.
pub const fn health_score_tenths(products: i64, low: i64, out: i64) -> i64 {
    if products <= 0 {
        return 1000;
    }
    let bad = half_up((low + out) * 1000, products);
    if bad >= 1000 { 0 } else { 1000 - bad }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cover_by_example() {
        let ok = |tenths| Cover { tenths: Some(tenths), state: Some(CoverState::Ok) };
        assert_eq!(Cover::of(Some(10), Some(7)), ok(100));
        assert_eq!(Cover::of(Some(1), Some(20)), ok(4), "0.35 days are half up 0.4");
        assert_eq!(Cover::of(Some(5), Some(0)).state, Some(CoverState::NoSales));
        assert_eq!(
            Cover::of(Some(0), Some(3)),
            Cover { tenths: Some(0), state: Some(CoverState::OutOfStock) }
        );
        assert_eq!(Cover::of(Some(0), Some(0)), Cover { tenths: None, state: Some(CoverState::OutOfStock) });
        assert_eq!(Cover::of(None, Some(3)), Cover { tenths: None, state: None });
        assert_eq!(Cover::of(Some(3), None), Cover { tenths: None, state: None });
    }

    #[test]
    fn steps_of_stock_begin_and_end_where_they_are_published() {
        use StockState::{Critical, Excellent, Good, Low, Medium, Out};
        for (units, step) in [
            (0, Out),
            (1, Critical),
            (5, Critical),
            (6, Low),
            (20, Low),
            (21, Medium),
            (50, Medium),
            (51, Good),
            (100, Good),
            (101, Excellent),
            (i64::MAX, Excellent),
        ] {
            assert_eq!(StockState::of(units), step, "{units}");
        }
    }

    #[test]
    fn unknown_sides_are_not_zero() {
        assert_eq!(Figures::default().total_stock(), None);
        assert_eq!(Figures { fbs_stock: Some(3), ..Figures::default() }.total_stock(), Some(3));
    }

    #[test]
    fn low_is_neither_out_nor_plenty() {
        let rule = LowStockRule { units: 10, days_of_cover: Some(3) };
        assert!(!is_low(rule, 0, Some(5)), "out is not low");
        assert!(is_low(rule, 9, None));
        assert!(!is_low(rule, 10, None));
        assert!(is_low(rule, 20, Some(70)), "two days left");
        assert!(!is_low(rule, 30, Some(70)), "three days left");
    }

    #[test]
    fn old_is_beyond_two_intervals_or_a_changed_contract() {
        let at = |minutes| Timestamp::from_timestamp(minutes * 60, 0).unwrap();
        let staleness = |read: Option<i64>, drifted| Staleness::of(read.map(at), drifted, 30, at(100));
        assert_eq!(staleness(Some(40), false), None);
        assert_eq!(staleness(Some(39), false), Some(Staleness::TooOld));
        assert_eq!(staleness(Some(99), true), Some(Staleness::ContractChanged));
        assert_eq!(staleness(None, true), None, "what was never read is not old");
    }

    #[test]
    fn health() {
        assert_eq!(health_score_tenths(0, 0, 0), 1000);
        assert_eq!(health_score_tenths(3, 1, 0), 667);
        assert_eq!(health_score_tenths(2, 1, 1), 0);
    }

    proptest! {
        #[test]
        fn cover_is_within_half_a_tenth(stock in 1_i64..1_000_000, ordered in 1_i64..100_000) {
            let tenths = Cover::of(Some(stock), Some(ordered)).tenths.unwrap();
            // 2 |tenths * ordered - 70 stock| <= ordered
            prop_assert!(2 * (tenths * ordered - 70 * stock).abs() <= ordered);
        }

        #[test]
        fn more_stock_never_lasts_shorter(stock in 0_i64..1_000_000, more in 0_i64..1000, ordered in 1_i64..100_000) {
            prop_assert!(Cover::of(Some(stock), Some(ordered)).tenths <= Cover::of(Some(stock + more), Some(ordered)).tenths);
        }

        #[test]
        fn velocity_times_window_is_the_orders(ordered in 0_i64..1_000_000) {
            prop_assert!((velocity_thousandths(ordered) * 7 - ordered * 1000).abs() <= 3);
        }
    }
}
