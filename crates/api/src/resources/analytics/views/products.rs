//! Lists of products, and what is said of all of them.

use domain::{
    analytics::{LowStock, Turnover, TurnoverTotals, stock_to_orders_tenths},
    calendar::WINDOW_DAYS,
    picture::Product,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    resources::products::ProductView,
    view::{CoverState, Listed, tenths, thousandths},
};

/// A part of the products that are low or out, with the rule that says so.
#[derive(Serialize, ToSchema)]
#[schema(as = LowStock)]
pub(in crate::resources::analytics) struct LowStockView {
    rule: AppliedRuleView,
    #[serde(flatten)]
    list: Listed<ProductView>,
}

/// What was counted as low.
#[derive(Serialize, ToSchema)]
#[schema(as = AppliedLowStockRule)]
struct AppliedRuleView {
    /// Units below which a product is low.
    #[schema(example = 10)]
    units: i64,
    /// Days of cover below which a product is low; null where there is no such rule.
    #[schema(example = 7)]
    days_of_cover: Option<i64>,
    /// Whether products that are out are listed beside those that are low.
    #[schema(example = true)]
    includes_out_of_stock: bool,
}

impl From<LowStock> for LowStockView {
    fn from(found: LowStock) -> Self {
        Self {
            rule: AppliedRuleView {
                units: found.rule.units,
                days_of_cover: found.rule.days_of_cover,
                includes_out_of_stock: found.with_out,
            },
            list: Listed::of(found.products),
        }
    }
}

/// A product that was ordered in the window.
#[derive(Serialize, ToSchema)]
#[schema(as = TopProduct)]
pub(in crate::resources::analytics) struct TopProductView {
    #[serde(flatten)]
    product: ProductView,
    /// `total_stock` divided by `ordered_units`, one decimal, half up: how many windows of such orders the stock would
    /// serve. Null where the stock is not known.
    #[schema(example = 4.7)]
    stock_to_orders_ratio: Option<f64>,
}

impl From<Product> for TopProductView {
    fn from(product: Product) -> Self {
        let figures = &product.figures;
        Self {
            stock_to_orders_ratio: stock_to_orders_tenths(figures.total_stock(), figures.ordered_units)
                .map(tenths),
            product: product.into(),
        }
    }
}

/// A part of the products with their velocity and days of cover, and the totals of all.
#[derive(Serialize, ToSchema)]
#[schema(as = Turnover)]
pub(in crate::resources::analytics) struct TurnoverView {
    totals: TurnoverTotalsView,
    #[serde(flatten)]
    list: Listed<ProductView>,
}

/// The turnover of all products together. `null` means unknown, never zero.
#[derive(Serialize, ToSchema)]
#[schema(as = TurnoverTotals)]
struct TurnoverTotalsView {
    /// Active products.
    #[schema(example = 130)]
    products: i64,
    /// Units that can be sold, of the products whose stock is known; null if it is known of none.
    #[schema(example = 5400)]
    total_stock: Option<i64>,
    /// Units ordered in the window, of the products whose orders are known; null if they are known of none.
    #[schema(example = 320)]
    ordered_units: Option<i64>,
    /// Complete days of the window, today excluded.
    #[schema(example = 7)]
    window_days: u32,
    /// `ordered_units` divided by `window_days`, three decimals, half up.
    #[schema(example = 45.714)]
    velocity_per_day: Option<f64>,
    /// Stock × 7 divided by ordered units, one decimal, half up, over the products of which both are known: the stock of
    /// one does not serve the orders of another.
    #[schema(example = 118.1)]
    days_of_cover: Option<f64>,
    /// Why there is or is no number of days.
    cover_state: Option<CoverState>,
}

impl From<TurnoverTotals> for TurnoverTotalsView {
    fn from(totals: TurnoverTotals) -> Self {
        let cover = totals.cover();
        Self {
            products: totals.products,
            total_stock: totals.total_stock,
            ordered_units: totals.ordered_units,
            window_days: WINDOW_DAYS,
            velocity_per_day: totals.velocity_thousandths().map(thousandths),
            days_of_cover: cover.tenths.map(tenths),
            cover_state: cover.state.map(CoverState::from),
        }
    }
}

impl From<Turnover> for TurnoverView {
    fn from(turnover: Turnover) -> Self {
        Self { totals: turnover.totals.into(), list: Listed::of(turnover.products) }
    }
}
