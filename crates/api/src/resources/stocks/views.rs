//! Stock on the wire.

use chrono::{DateTime, Utc};
use domain::picture::Stock;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::view::{Marketplace, WarehouseKind};

/// Stock and orders of one variant in one warehouse.
#[derive(Serialize, ToSchema)]
#[schema(as = Stock)]
pub(in crate::resources) struct StockView {
    account_id: Uuid,
    marketplace: Marketplace,
    product_id: Uuid,
    variant_id: Uuid,
    /// The marketplace's id of the product.
    #[schema(example = "158231457")]
    external_product_id: String,
    /// The marketplace's id of the variant.
    #[schema(example = "264531876")]
    external_variant_id: String,
    /// The seller's article.
    #[schema(example = "TS-001")]
    seller_article: Option<String>,
    /// What a warehouse calls the variant.
    #[schema(example = "2038461935712")]
    sku: Option<String>,
    /// The product's title.
    #[schema(example = "Cotton T-shirt")]
    name: Option<String>,
    warehouse_id: Uuid,
    /// The marketplace's id of the warehouse.
    #[schema(example = "507")]
    warehouse_external_id: Option<String>,
    /// The warehouse's name.
    #[schema(example = "Коледино")]
    warehouse_name: String,
    warehouse_kind: WarehouseKind,
    /// Units that can be sold; null where stock was never measured.
    #[schema(example = 12)]
    available: Option<i64>,
    /// Units sold and not yet gone; null where unknown, and as of an earlier moment.
    reserved: Option<i64>,
    /// Units on the shelf; null where unknown, and as of an earlier moment.
    on_hand: Option<i64>,
    /// Units ordered from there in the window; null where unknown, and as of an earlier moment.
    #[schema(example = 3)]
    ordered_units: Option<i64>,
    /// When the stock was read; as of an earlier moment, since when it had been so.
    as_of: Option<DateTime<Utc>>,
}

impl From<Stock> for StockView {
    fn from(stock: Stock) -> Self {
        Self {
            account_id: stock.account_id.into(),
            marketplace: stock.marketplace.into(),
            product_id: stock.product_id.into(),
            variant_id: stock.variant_id.into(),
            external_product_id: stock.external_product_id,
            external_variant_id: stock.external_variant_id,
            seller_article: stock.seller_article,
            sku: stock.sku,
            name: stock.name,
            warehouse_id: stock.warehouse_id.into(),
            warehouse_external_id: stock.warehouse_external_id,
            warehouse_name: stock.warehouse_name,
            warehouse_kind: stock.warehouse_kind.into(),
            available: stock.available,
            reserved: stock.reserved,
            on_hand: stock.on_hand,
            ordered_units: stock.ordered_units,
            as_of: stock.as_of,
        }
    }
}
