//! Products on the wire.

use chrono::{DateTime, Utc};
use domain::picture::{Movement, Product, ProductDetail, ProductWarehouse, Variant};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::view::{Cause, FiguresView, Listed, Marketplace, Numbered, ProductStatus, WarehouseKind, tenths};

/// A part of the list: with `page` where it was read by cursor, with totals where it was read by page number.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ProductList)]
pub(super) enum ProductsView {
    Keyset(Listed<ProductView>),
    Numbered(Numbered<ProductView>),
}

/// A product.
#[derive(Serialize, ToSchema)]
#[schema(as = Product)]
pub(in crate::resources) struct ProductView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000030")]
    id: Uuid,
    account_id: Uuid,
    marketplace: Marketplace,
    /// The marketplace's id.
    #[schema(example = "158231457")]
    external_id: String,
    /// The seller's article.
    #[schema(example = "TS-001")]
    seller_article: Option<String>,
    /// Its title.
    #[schema(example = "Cotton T-shirt")]
    name: Option<String>,
    /// Its brand.
    #[schema(example = "Anna")]
    brand: Option<String>,
    /// Its category.
    #[schema(example = "T-shirts")]
    category: Option<String>,
    status: ProductStatus,
    #[serde(flatten)]
    figures: FiguresView,
    /// The last change of anything here.
    updated_at: DateTime<Utc>,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            id: product.id.into(),
            account_id: product.account_id.into(),
            marketplace: product.marketplace.into(),
            external_id: product.external_id,
            seller_article: product.seller_article,
            name: product.name,
            brand: product.brand,
            category: product.category,
            status: product.status.into(),
            figures: product.figures.into(),
            updated_at: product.updated_at,
        }
    }
}

/// A product with everything known of it.
#[derive(Serialize, ToSchema)]
#[schema(as = ProductDetail)]
pub(super) struct ProductDetailView {
    #[serde(flatten)]
    product: ProductView,
    /// The units it is sold in.
    variants: Vec<VariantView>,
    /// Its stock and orders, warehouse by warehouse.
    warehouses: Vec<ProductWarehouseView>,
    reconciliation: ReconciliationView,
}

/// A variant.
#[derive(Serialize, ToSchema)]
#[schema(as = Variant)]
struct VariantView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000031")]
    id: Uuid,
    /// The marketplace's id.
    #[schema(example = "264531876")]
    external_id: String,
    /// What a warehouse calls it.
    #[schema(example = "2038461935712")]
    sku: Option<String>,
    /// Every barcode.
    #[schema(example = json!(["2038461935712"]))]
    barcodes: Vec<String>,
    /// What tells it from its siblings.
    #[schema(example = "XL")]
    name: Option<String>,
    #[serde(flatten)]
    figures: FiguresView,
}

impl From<Variant> for VariantView {
    fn from(variant: Variant) -> Self {
        Self {
            id: variant.id.into(),
            external_id: variant.external_id,
            sku: variant.sku,
            barcodes: variant.barcodes,
            name: variant.name,
            figures: variant.figures.into(),
        }
    }
}

/// What a product has in one warehouse.
#[derive(Serialize, ToSchema)]
#[schema(as = ProductWarehouse)]
struct ProductWarehouseView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000040")]
    warehouse_id: Uuid,
    /// The marketplace's id.
    #[schema(example = "507")]
    external_id: Option<String>,
    /// Its name.
    #[schema(example = "Коледино")]
    name: String,
    kind: WarehouseKind,
    /// Units that can be sold; null where stock was never measured.
    #[schema(example = 12)]
    available: Option<i64>,
    /// Units sold and not yet gone.
    reserved: Option<i64>,
    /// Units on the shelf.
    on_hand: Option<i64>,
    /// Units ordered from there in the window.
    #[schema(example = 3)]
    ordered_units: Option<i64>,
    /// How long the stock there lasts, one decimal; null unless stock and orders are both known there.
    #[schema(example = 28.0)]
    days_of_cover: Option<f64>,
    /// When the stock was read.
    as_of: Option<DateTime<Utc>>,
}

impl From<ProductWarehouse> for ProductWarehouseView {
    fn from(warehouse: ProductWarehouse) -> Self {
        Self {
            days_of_cover: warehouse.cover().tenths.map(tenths),
            warehouse_id: warehouse.warehouse_id.into(),
            external_id: warehouse.external_id,
            name: warehouse.name,
            kind: warehouse.kind.into(),
            available: warehouse.available,
            reserved: warehouse.reserved,
            on_hand: warehouse.on_hand,
            ordered_units: warehouse.ordered_units,
            as_of: warehouse.as_of,
        }
    }
}

/// Whether the parts agree with the marketplace's own total.
#[derive(Serialize, ToSchema)]
#[schema(as = Reconciliation)]
struct ReconciliationView {
    /// The marketplace's own total; null where it gives none.
    #[schema(example = 42)]
    marketplace_total: Option<i64>,
    /// The sum over the warehouses; null where stock was never measured.
    #[schema(example = 42)]
    sum: Option<i64>,
    /// The total less the sum.
    #[schema(example = 0)]
    difference: Option<i64>,
}

impl From<ProductDetail> for ProductDetailView {
    fn from(detail: ProductDetail) -> Self {
        let sum = detail.warehouses.iter().filter_map(|warehouse| warehouse.available).reduce(|a, b| a + b);
        let difference = detail.marketplace_total.zip(sum).map(|(total, sum)| total - sum);
        Self {
            product: detail.product.into(),
            variants: detail.variants.into_iter().map(VariantView::from).collect(),
            warehouses: detail.warehouses.into_iter().map(ProductWarehouseView::from).collect(),
            reconciliation: ReconciliationView {
                marketplace_total: detail.marketplace_total,
                sum,
                difference,
            },
        }
    }
}

/// One change of one stock level.
#[derive(Serialize, ToSchema)]
#[schema(as = Movement)]
pub(super) struct MovementView {
    /// When it was read.
    at: DateTime<Utc>,
    variant_id: Uuid,
    warehouse_id: Uuid,
    /// The level before; null at the first reading.
    #[schema(example = 15)]
    from: Option<i64>,
    /// The level after; null where the marketplace stopped counting it.
    #[schema(example = 12)]
    to: Option<i64>,
    cause: Cause,
    /// The sync that read it.
    sync_id: Option<Uuid>,
}

impl From<Movement> for MovementView {
    fn from(movement: Movement) -> Self {
        Self {
            at: movement.at,
            variant_id: movement.variant_id.into(),
            warehouse_id: movement.warehouse_id.into(),
            from: movement.from,
            to: movement.to,
            cause: movement.cause.into(),
            sync_id: movement.sync_id.map(Uuid::from),
        }
    }
}
