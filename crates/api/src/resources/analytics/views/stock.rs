//! How stock is spread over products and warehouses.

use chrono::{DateTime, Utc};
use domain::{analytics::StockDistribution, figures::StockState, picture::Warehouse};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::view::{Marketplace, WarehouseKind};

/// How many active products have how much stock.
#[derive(Serialize, ToSchema)]
#[schema(as = StockDistribution)]
pub(in crate::resources::analytics) struct DistributionView {
    /// With no units.
    #[schema(example = 4)]
    out: i64,
    /// With 1 to 5 units.
    #[schema(example = 9)]
    critical: i64,
    /// With 6 to 20 units.
    #[schema(example = 31)]
    low: i64,
    /// With 21 to 50 units.
    #[schema(example = 52)]
    medium: i64,
    /// With 51 to 100 units.
    #[schema(example = 20)]
    good: i64,
    /// With more than 100 units.
    #[schema(example = 12)]
    excellent: i64,
    /// Whose stock is not known; they are in no step.
    #[schema(example = 2)]
    unknown: i64,
    /// All of them.
    #[schema(example = 130)]
    total_products: i64,
}

impl From<StockDistribution> for DistributionView {
    fn from(found: StockDistribution) -> Self {
        Self {
            out: found.of(StockState::Out),
            critical: found.of(StockState::Critical),
            low: found.of(StockState::Low),
            medium: found.of(StockState::Medium),
            good: found.of(StockState::Good),
            excellent: found.of(StockState::Excellent),
            unknown: found.unknown,
            total_products: found.products(),
        }
    }
}

/// A warehouse with the stock and the orders of active products.
#[derive(Serialize, ToSchema)]
#[schema(as = WarehouseBreakdown)]
pub(in crate::resources::analytics) struct PlaceView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000040")]
    warehouse_id: Uuid,
    account_id: Uuid,
    marketplace: Marketplace,
    /// The marketplace's id; null where there is only a name.
    #[schema(example = "507")]
    external_id: Option<String>,
    /// Its exact name.
    #[schema(example = "Коледино")]
    warehouse_name: String,
    kind: WarehouseKind,
    /// Units that can be sold; null where stock was never measured or can no longer be read.
    #[schema(example = 310)]
    total_stock: Option<i64>,
    /// Units ordered from there in the window; null where orders are not known.
    #[schema(example = 25)]
    total_orders: Option<i64>,
    /// Products with stock there.
    #[schema(example = 18)]
    product_count: i64,
    /// Age of the oldest level behind the figure.
    as_of: Option<DateTime<Utc>>,
}

impl From<Warehouse> for PlaceView {
    fn from(warehouse: Warehouse) -> Self {
        Self {
            warehouse_id: warehouse.id.into(),
            account_id: warehouse.account_id.into(),
            marketplace: warehouse.marketplace.into(),
            external_id: warehouse.external_id,
            warehouse_name: warehouse.name,
            kind: warehouse.kind.into(),
            total_stock: warehouse.total_stock,
            total_orders: warehouse.ordered_units,
            product_count: warehouse.product_count,
            as_of: warehouse.as_of,
        }
    }
}
