//! Figures over many products, warehouses and syncs at once; active products only.
//!
//! What a single figure means is said in [`crate::figures`]; here is only what follows when many are put together.

mod sync_history;

pub use self::sync_history::{EndedSync, SyncDay, SyncHistory, SyncOutcomes};
use crate::{
    clock::Timestamp,
    figures::{Cover, StockState, half_up, velocity_thousandths},
    ids::{AccountId, SyncId},
    marketplace::MarketplaceCode,
    page::Page,
    picture::Product,
    sync::SyncState,
    tenant::LowStockRule,
};

/// What is looked at: everything of the tenant, unless narrowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Population {
    /// Of one account.
    pub account_id: Option<AccountId>,
    /// Of one marketplace.
    pub marketplace: Option<MarketplaceCode>,
}

/// The tenant at a glance; active products only.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// Products in catalogues.
    pub total_products: i64,
    /// Units that can be sold.
    pub total_stock: i64,
    /// Units ordered in the window.
    pub total_orders: i64,
    /// Products that are low.
    pub low_stock_count: i64,
    /// Products that are out.
    pub out_of_stock_count: i64,
    /// The latest sync of any account that ended.
    pub last_sync: Option<DashboardSync>,
}

/// The latest sync, in short.
#[derive(Debug, Clone, PartialEq)]
pub struct DashboardSync {
    /// Which sync.
    pub id: SyncId,
    /// Of which account.
    pub account_id: AccountId,
    /// How it ended.
    pub state: SyncState,
    /// When it ended.
    pub finished_at: Timestamp,
}

/// What is about to run out, with the rule that says so.
#[derive(Debug, Clone, PartialEq)]
pub struct LowStock {
    /// The rule that was applied.
    pub rule: LowStockRule,
    /// Whether products that are out are listed beside those that are low.
    pub with_out: bool,
    /// The products, least stock first.
    pub products: Page<Product>,
}

/// How long the stock would serve orders like those of the window: stock by ordered units, in tenths, half up. Unknown
/// where either is unknown or nothing was ordered.
pub fn stock_to_orders_tenths(stock: Option<i64>, ordered_units: Option<i64>) -> Option<i64> {
    match (stock, ordered_units) {
        (Some(stock), Some(ordered @ 1..)) => Some(half_up(stock.max(0) * 10, ordered)),
        _ => None,
    }
}

/// How many products have how much stock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StockDistribution {
    /// Products in each of [`StockState::ALL`].
    pub steps: [i64; StockState::ALL.len()],
    /// Products whose stock is not known; they are in no step.
    pub unknown: i64,
}

impl StockDistribution {
    /// Products in a step.
    pub const fn of(&self, step: StockState) -> i64 {
        self.steps[step as usize]
    }

    /// All products.
    pub fn products(&self) -> i64 {
        self.steps.iter().sum::<i64>() + self.unknown
    }
}

/// How fast stock turns over: product by product, and all together.
#[derive(Debug, Clone, PartialEq)]
pub struct Turnover {
    /// All of the population, whatever part of the list is given.
    pub totals: TurnoverTotals,
    /// The products, in the order that was asked for.
    pub products: Page<Product>,
}

/// The turnover of many products together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TurnoverTotals {
    /// Products in catalogues.
    pub products: i64,
    /// Units that can be sold; unknown if they are of no product.
    pub total_stock: Option<i64>,
    /// Units ordered in the window; unknown if they are of no product.
    pub ordered_units: Option<i64>,
    /// Stock and ordered units of the products of which both are known; none if there is no such product. Days of
    /// cover follow from them: the stock of one product does not serve the orders of another.
    pub measured: Option<(i64, i64)>,
}

impl TurnoverTotals {
    /// Ordered units per day, in thousandths.
    pub fn velocity_thousandths(&self) -> Option<i64> {
        self.ordered_units.map(velocity_thousandths)
    }

    /// How long the stock lasts, over the products of which stock and orders are both known.
    pub fn cover(&self) -> Cover {
        let (stock, ordered) = self.measured.unzip();
        Cover::of(stock, ordered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::CoverState;

    #[test]
    fn stock_to_orders_by_example() {
        assert_eq!(stock_to_orders_tenths(Some(10), Some(4)), Some(25));
        assert_eq!(stock_to_orders_tenths(Some(1), Some(20)), Some(1), "0.05 is half up 0.1");
        assert_eq!(stock_to_orders_tenths(Some(0), Some(3)), Some(0));
        assert_eq!(stock_to_orders_tenths(Some(5), Some(0)), None);
        assert_eq!(stock_to_orders_tenths(None, Some(3)), None);
        assert_eq!(stock_to_orders_tenths(Some(5), None), None);
    }

    #[test]
    fn a_distribution_tells_its_steps_apart() {
        let distribution = StockDistribution { steps: [1, 2, 3, 4, 5, 6], unknown: 7 };
        let by_step: Vec<i64> = StockState::ALL.into_iter().map(|step| distribution.of(step)).collect();
        assert_eq!(by_step, distribution.steps);
        assert_eq!(distribution.products(), 28);
    }

    #[test]
    fn totals_cover_what_is_wholly_known() {
        let totals = TurnoverTotals {
            products: 3,
            total_stock: Some(1_010),
            ordered_units: Some(77),
            measured: Some((10, 7)),
        };
        assert_eq!(totals.cover().tenths, Some(100));
        assert_eq!(totals.velocity_thousandths(), Some(11_000));
        let unknown = TurnoverTotals { products: 1, ..TurnoverTotals::default() };
        assert_eq!(unknown.cover(), Cover { tenths: None, state: None });
        assert_eq!(unknown.velocity_thousandths(), None);
        let out = TurnoverTotals { measured: Some((0, 7)), ..totals };
        assert_eq!(out.cover().state, Some(CoverState::OutOfStock));
    }
}
