//! The figures of a product or a variant on the wire.

use chrono::{DateTime, Utc};
use domain::{calendar::WINDOW_DAYS, figures::Figures};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CoverState, MoneyView, StockState, tenths, thousandths};

/// Stock, orders and what follows from them. `null` means unknown, never zero.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Figures)]
pub(crate) struct FiguresView {
    /// Units that can be sold: the sum of the known sides.
    #[schema(example = 42)]
    total_stock: Option<i64>,
    /// Units in the marketplace's warehouses.
    #[schema(example = 30)]
    fbo_stock: Option<i64>,
    /// Units in the seller's warehouses.
    #[schema(example = 12)]
    fbs_stock: Option<i64>,
    /// Whether a side of the marketplace is missing from the total.
    incomplete: bool,
    /// Units on their way to customers.
    in_transit_to_customer: Option<i64>,
    /// Units on their way back.
    in_transit_returns: Option<i64>,
    /// Units ordered in the window and not cancelled.
    #[schema(example = 9)]
    ordered_units: Option<i64>,
    /// Units ordered in the window and cancelled.
    cancelled_units: Option<i64>,
    /// Units ordered today so far.
    ordered_today: Option<i64>,
    /// Complete days of the window, today excluded.
    #[schema(example = 7)]
    window_days: u32,
    /// Ordered units per day, three decimals.
    #[schema(example = 1.286)]
    velocity_per_day: Option<f64>,
    /// How many days the stock lasts at that speed, one decimal.
    #[schema(example = 32.7)]
    days_of_cover: Option<f64>,
    /// Why there is or is no number of days.
    cover_state: Option<CoverState>,
    /// Value of the ordered units.
    revenue: Option<MoneyView>,
    /// How much there is, in six steps.
    stock_state: Option<StockState>,
    /// Age of the oldest level behind the stock figures.
    as_of: Option<DateTime<Utc>>,
    /// Whether that is older than two sync intervals.
    stale: bool,
}

impl From<Figures> for FiguresView {
    fn from(figures: Figures) -> Self {
        let cover = figures.cover();
        Self {
            total_stock: figures.total_stock(),
            fbo_stock: figures.fbo_stock,
            fbs_stock: figures.fbs_stock,
            incomplete: figures.incomplete,
            in_transit_to_customer: figures.in_transit_to_customer,
            in_transit_returns: figures.in_transit_returns,
            ordered_units: figures.ordered_units,
            cancelled_units: figures.cancelled_units,
            ordered_today: figures.ordered_today,
            window_days: WINDOW_DAYS,
            velocity_per_day: figures.velocity_thousandths().map(thousandths),
            days_of_cover: cover.tenths.map(tenths),
            cover_state: cover.state.map(CoverState::from),
            revenue: figures.revenue.map(MoneyView::from),
            stock_state: figures.stock_state().map(StockState::from),
            as_of: figures.as_of,
            stale: figures.stale,
        }
    }
}
