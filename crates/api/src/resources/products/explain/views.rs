//! Explanations on the wire.

use chrono::{DateTime, Utc};
use domain::explain::{Explained, Explanation, Why};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    rows::{CountedView, ExcludedView, SourceView, WindowView},
    words::{Figure, Unknown, Verdict},
};
use crate::view::{CoverState, Marketplace, MoneyView, StockState, tenths, thousandths};

/// Every figure of a product, explained.
#[derive(Serialize, ToSchema)]
#[schema(as = ProductExplanation)]
pub(super) struct ExplanationView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000030")]
    product_id: Uuid,
    account_id: Uuid,
    marketplace: Marketplace,
    /// The marketplace's id of the product.
    #[schema(example = "158231457")]
    external_id: String,
    /// Whether every stored figure is what the rows come to.
    #[schema(example = true)]
    agrees: bool,
    /// A sync of the account that is under way.
    running_sync_id: Option<Uuid>,
    /// Whether a side of the marketplace, or a variant in the catalogue, is missing from the total.
    #[schema(example = false)]
    incomplete: bool,
    /// Variants in the catalogue.
    #[schema(example = 3)]
    active_variants: i64,
    /// Variants that are not in the catalogue any more.
    #[schema(example = 0)]
    inactive_variants: i64,
    figures: ExplainedFiguresView,
}

/// The figures by their names.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedFigures)]
struct ExplainedFiguresView {
    total_stock: UnitsView,
    fbo_stock: UnitsView,
    fbs_stock: UnitsView,
    in_transit_to_customer: UnitsView,
    in_transit_returns: UnitsView,
    ordered_units: UnitsView,
    cancelled_units: UnitsView,
    ordered_today: UnitsView,
    velocity_per_day: VelocityView,
    days_of_cover: DaysOfCoverView,
    revenue: RevenueView,
    stock_state: StockStateView,
    low_stock: LowStockView,
}

/// How a figure is counted.
#[derive(Serialize, ToSchema)]
#[schema(as = FigureReasons)]
struct WhyView {
    /// Whether the stored figure is what the rows come to.
    #[schema(example = true)]
    agrees: bool,
    /// The rule in words.
    #[schema(
        example = "Units of the order lines of the last 7 complete days in the zone, today excluded, cancelled ones left out."
    )]
    rule: String,
    /// Why the figure is unknown; null where it is known, or there is no number though all is known.
    unknown_because: Option<Unknown>,
    /// Age of the oldest reading behind the figure; null while it is unknown.
    as_of: Option<DateTime<Utc>>,
    /// Whether a reading behind the figure is old; `sources` say why.
    #[schema(example = false)]
    stale: bool,
    /// The figures it follows from; empty where it is counted from rows alone.
    follows_from: Vec<Figure>,
    /// The days it counts; null for figures of stock.
    window: Option<WindowView>,
    /// The rows it counts; null for figures that follow from others.
    counted: Option<CountedView>,
    /// The rows of the product that do not count, by the reason.
    excluded: Vec<ExcludedView>,
    /// What was read for it.
    sources: Vec<SourceView>,
}

impl WhyView {
    fn of(why: Why, agrees: bool) -> Self {
        Self {
            agrees,
            as_of: why.as_of(),
            stale: why.is_stale(),
            rule: why.rule,
            unknown_because: why.unknown.map(Unknown::from),
            follows_from: why.follows_from.iter().copied().map(Figure::from).collect(),
            window: why.window.map(WindowView::from),
            counted: why.counted.map(CountedView::from),
            excluded: why.excluded.into_iter().map(ExcludedView::from).collect(),
            sources: why.sources.into_iter().map(SourceView::from).collect(),
        }
    }
}

/// Declares a view of a figure of one kind.
macro_rules! figure_views {
    ($($(#[$doc:meta])* $name:ident as $schema:ident: $value:ty, example $example:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        #[schema(as = $schema)]
        struct $name {
            /// What the rows come to; null where that is unknown.
            #[schema(example = $example)]
            value: Option<$value>,
            /// What is stored, and shown by every other answer.
            #[schema(example = $example)]
            stored: Option<$value>,
            #[serde(flatten)]
            why: WhyView,
        }

        impl $name {
            fn of<T: PartialEq>(explained: Explained<T>, view: impl Fn(T) -> $value) -> Self {
                let agrees = explained.agrees();
                Self {
                    value: explained.value.map(&view),
                    stored: explained.stored.map(&view),
                    why: WhyView::of(explained.why, agrees),
                }
            }
        }
    )*};
}

figure_views! {
    /// A figure in units.
    UnitsView as ExplainedUnits: i64, example 9;
    /// Units per day, three decimals.
    VelocityView as ExplainedVelocity: f64, example 1.286;
    /// Days, one decimal.
    DaysView as ExplainedDays: f64, example 32.7;
    /// An amount of money.
    RevenueView as ExplainedRevenue: MoneyView, example json!({"amount": "8091.00", "currency": "RUB"});
    /// How much there is, in six steps.
    StockStateView as ExplainedStockState: StockState, example "medium";
    /// How the stock stands by your company's rule.
    LowStockView as ExplainedLowStock: Verdict, example "enough";
}

/// How many days the stock lasts.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedDaysOfCover)]
struct DaysOfCoverView {
    #[serde(flatten)]
    days: DaysView,
    /// Why there is or is no number.
    cover_state: Option<CoverState>,
}

impl From<Explanation> for ExplanationView {
    fn from(explanation: Explanation) -> Self {
        let agrees = explanation.agrees();
        let product = explanation.product;
        let units = |explained: Explained<i64>| UnitsView::of(explained, |units| units);
        Self {
            product_id: product.id.into(),
            account_id: product.account_id.into(),
            marketplace: product.marketplace.into(),
            external_id: product.external_id,
            agrees,
            running_sync_id: explanation.running_sync.map(Uuid::from),
            incomplete: product.figures.incomplete,
            active_variants: explanation.variants.active,
            inactive_variants: explanation.variants.inactive,
            figures: ExplainedFiguresView {
                total_stock: units(explanation.total_stock),
                fbo_stock: units(explanation.fbo_stock),
                fbs_stock: units(explanation.fbs_stock),
                in_transit_to_customer: units(explanation.in_transit_to_customer),
                in_transit_returns: units(explanation.in_transit_returns),
                ordered_units: units(explanation.ordered_units),
                cancelled_units: units(explanation.cancelled_units),
                ordered_today: units(explanation.ordered_today),
                velocity_per_day: VelocityView::of(explanation.velocity_thousandths, thousandths),
                days_of_cover: DaysOfCoverView {
                    days: DaysView::of(explanation.cover_tenths, tenths),
                    cover_state: explanation.cover_state.map(CoverState::from),
                },
                revenue: RevenueView::of(explanation.revenue, MoneyView::from),
                stock_state: StockStateView::of(explanation.stock_state, StockState::from),
                low_stock: LowStockView::of(explanation.low_stock, Verdict::from),
            },
        }
    }
}
