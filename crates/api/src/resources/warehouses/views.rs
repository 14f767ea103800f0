//! Warehouses on the wire.

use chrono::{DateTime, Utc};
use domain::picture::Warehouse;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::view::{Marketplace, WarehouseKind};

/// A warehouse with what lies in it.
#[derive(Serialize, ToSchema)]
#[schema(as = Warehouse)]
pub(super) struct WarehouseView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000040")]
    id: Uuid,
    account_id: Uuid,
    marketplace: Marketplace,
    /// The marketplace's id; null where there is only a name.
    #[schema(example = "507")]
    external_id: Option<String>,
    /// Its exact name.
    #[schema(example = "Коледино")]
    name: String,
    kind: WarehouseKind,
    /// Units that can be sold, of active products; null where stock was never measured or can no longer be read.
    #[schema(example = 310)]
    total_stock: Option<i64>,
    /// Units of active products ordered from there in the window; null where orders are not known.
    #[schema(example = 25)]
    ordered_units: Option<i64>,
    /// Active products with stock there.
    #[schema(example = 18)]
    product_count: i64,
    /// Age of the oldest level behind the figure.
    as_of: Option<DateTime<Utc>>,
}

impl From<Warehouse> for WarehouseView {
    fn from(warehouse: Warehouse) -> Self {
        Self {
            id: warehouse.id.into(),
            account_id: warehouse.account_id.into(),
            marketplace: warehouse.marketplace.into(),
            external_id: warehouse.external_id,
            name: warehouse.name,
            kind: warehouse.kind.into(),
            total_stock: warehouse.total_stock,
            ordered_units: warehouse.ordered_units,
            product_count: warehouse.product_count,
            as_of: warehouse.as_of,
        }
    }
}
