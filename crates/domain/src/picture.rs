//! The stock picture as it is read: products, stock, warehouses, orders, the ledger.

use std::str::FromStr;

use crate::{
    clock::Timestamp,
    figures::{Cover, Figures},
    ids::{AccountId, MovementId, OrderLineId, ProductId, SyncId, VariantId, WarehouseId},
    marketplace::{MarketplaceCode, WarehouseKind},
    money::Money,
};

/// Whether a product is still in the marketplace's catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductStatus {
    /// It is.
    Active,
    /// A complete reading of the catalogue did not carry it.
    Inactive,
}

impl ProductStatus {
    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// Finds a status by its published name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Inactive].into_iter().find(|status| status.name() == name)
    }
}

/// A product in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// Identity.
    pub id: ProductId,
    /// Its account.
    pub account_id: AccountId,
    /// Its marketplace.
    pub marketplace: MarketplaceCode,
    /// The marketplace's id.
    pub external_id: String,
    /// The seller's article.
    pub seller_article: Option<String>,
    /// Its title.
    pub name: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Whether it is still in the catalogue.
    pub status: ProductStatus,
    /// Sums over its variants.
    pub figures: Figures,
    /// The last change of anything above.
    pub updated_at: Timestamp,
}

/// A product with everything known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductDetail {
    /// The product.
    pub product: Product,
    /// Its variants.
    pub variants: Vec<Variant>,
    /// Its stock and orders, warehouse by warehouse.
    pub warehouses: Vec<ProductWarehouse>,
    /// The marketplace's own total, where it gives one.
    pub marketplace_total: Option<i64>,
}

/// A variant of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Identity.
    pub id: VariantId,
    /// The marketplace's id.
    pub external_id: String,
    /// What a warehouse calls it.
    pub sku: Option<String>,
    /// Every barcode.
    pub barcodes: Vec<String>,
    /// What tells it from its siblings.
    pub name: Option<String>,
    /// Its figures.
    pub figures: Figures,
}

/// What a product has in one warehouse.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductWarehouse {
    /// The warehouse.
    pub warehouse_id: WarehouseId,
    /// The marketplace's id of it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// What kind of place.
    pub kind: WarehouseKind,
    /// Units that can be sold; unknown where stock was never measured.
    pub available: Option<i64>,
    /// Units sold and not yet gone.
    pub reserved: Option<i64>,
    /// Units on the shelf.
    pub on_hand: Option<i64>,
    /// Units ordered from there in the window.
    pub ordered_units: Option<i64>,
    /// When the stock was read.
    pub as_of: Option<Timestamp>,
}

impl ProductWarehouse {
    /// How long the stock there lasts; a number only where stock and orders are both known.
    pub fn cover(&self) -> Cover {
        match (self.available, self.ordered_units) {
            (Some(_), Some(_)) => Cover::of(self.available, self.ordered_units),
            _ => Cover { tenths: None, state: None },
        }
    }
}

/// Stock and orders of one variant in one warehouse.
#[derive(Debug, Clone, PartialEq)]
pub struct Stock {
    /// The account.
    pub account_id: AccountId,
    /// The marketplace.
    pub marketplace: MarketplaceCode,
    /// The product.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// The marketplace's id of the product.
    pub external_product_id: String,
    /// The marketplace's id of the variant.
    pub external_variant_id: String,
    /// The seller's article.
    pub seller_article: Option<String>,
    /// What a warehouse calls the variant.
    pub sku: Option<String>,
    /// The product's title.
    pub name: Option<String>,
    /// The warehouse.
    pub warehouse_id: WarehouseId,
    /// The marketplace's id of the warehouse.
    pub warehouse_external_id: Option<String>,
    /// The warehouse's name.
    pub warehouse_name: String,
    /// What kind of place.
    pub warehouse_kind: WarehouseKind,
    /// Units that can be sold; unknown where stock was never measured.
    pub available: Option<i64>,
    /// Units sold and not yet gone.
    pub reserved: Option<i64>,
    /// Units on the shelf.
    pub on_hand: Option<i64>,
    /// Units ordered from there in the window.
    pub ordered_units: Option<i64>,
    /// When the stock was read.
    pub as_of: Option<Timestamp>,
}

/// A warehouse with what lies in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Warehouse {
    /// Identity.
    pub id: WarehouseId,
    /// Its account.
    pub account_id: AccountId,
    /// Its marketplace.
    pub marketplace: MarketplaceCode,
    /// The marketplace's id.
    pub external_id: Option<String>,
    /// Its exact name.
    pub name: String,
    /// What kind of place.
    pub kind: WarehouseKind,
    /// Units of active products that can be sold; unknown where stock was never measured or can no longer be read.
    pub total_stock: Option<i64>,
    /// Units of active products ordered from there in the window; unknown where orders are not known.
    pub ordered_units: Option<i64>,
    /// Active products with stock there.
    pub product_count: i64,
    /// Age of the oldest level behind the figure.
    pub as_of: Option<Timestamp>,
}

/// An order line.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderLine {
    /// Identity.
    pub id: OrderLineId,
    /// Its account.
    pub account_id: AccountId,
    /// Its marketplace.
    pub marketplace: MarketplaceCode,
    /// The marketplace's id.
    pub external_id: String,
    /// The basket.
    pub basket_id: Option<String>,
    /// Its variant, if it belongs to a known one.
    pub variant_id: Option<VariantId>,
    /// The marketplace's id of the variant, if known.
    pub external_variant_id: Option<String>,
    /// Where it is sent from, if known.
    pub warehouse_id: Option<WarehouseId>,
    /// The name of that place.
    pub warehouse_name: Option<String>,
    /// Units.
    pub quantity: i64,
    /// What the seller sells it for.
    pub price: Option<Money>,
    /// The price before discounts.
    pub list_price: Option<Money>,
    /// What the customer pays.
    pub paid_price: Option<Money>,
    /// When it was ordered.
    pub ordered_at: Timestamp,
    /// When the marketplace last changed it.
    pub changed_at: Timestamp,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// The marketplace's word for its state.
    pub status: String,
}

/// What changed a stock level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A sync read another number.
    Sync,
    /// The tenant brought a file.
    Import,
}

/// A name of no cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown cause of a change of stock")]
pub struct UnknownCause;

impl Cause {
    /// The stored and published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Import => "import",
        }
    }
}

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(name: &str) -> Result<Self, UnknownCause> {
        [Self::Sync, Self::Import].into_iter().find(|cause| cause.name() == name).ok_or(UnknownCause)
    }
}

/// A row of the ledger: one change of one stock level.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// Identity.
    pub id: MovementId,
    /// When it was read.
    pub at: Timestamp,
    /// The variant.
    pub variant_id: VariantId,
    /// The warehouse.
    pub warehouse_id: WarehouseId,
    /// The level before; unknown at the first reading (a baseline).
    pub from: Option<i64>,
    /// The level after; unknown where the marketplace stopped counting it.
    pub to: Option<i64>,
    /// What changed it.
    pub cause: Cause,
    /// The sync that read it.
    pub sync_id: Option<SyncId>,
}

/// What products a list wants.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProductFilter {
    /// Text in the title, the articles, the SKUs or the barcodes.
    pub search: Option<String>,
    /// Of one marketplace.
    pub marketplace: Option<MarketplaceCode>,
    /// Of one account.
    pub account_id: Option<AccountId>,
    /// With stock in one warehouse, or orders from it.
    pub warehouse_id: Option<WarehouseId>,
    /// With at least this many units.
    pub min_stock: Option<i64>,
    /// With at most this many units.
    pub max_stock: Option<i64>,
    /// Only what is low or out.
    pub low_stock_only: bool,
    /// Only what was ordered in the window.
    pub ordered_only: bool,
    /// In or out of the catalogue; `None` means both.
    pub status: Option<ProductStatus>,
}

/// By what a list of products is ordered. Unknown figures sort below all known ones, but days of cover without sales
/// sort above all numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProductSort {
    /// By title.
    #[default]
    Name,
    /// By the seller's article.
    SellerArticle,
    /// By total stock.
    TotalStock,
    /// By units ordered in the window.
    OrderedUnits,
    /// By days of cover.
    DaysOfCover,
    /// By value of the units ordered in the window.
    Revenue,
    /// By units on their way to customers.
    InTransitToCustomer,
    /// By the last change.
    UpdatedAt,
}

impl ProductSort {
    /// Every order.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::SellerArticle,
        Self::TotalStock,
        Self::OrderedUnits,
        Self::DaysOfCover,
        Self::Revenue,
        Self::InTransitToCustomer,
        Self::UpdatedAt,
    ];

    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::SellerArticle => "seller_article",
            Self::TotalStock => "total_stock",
            Self::OrderedUnits => "ordered_units",
            Self::DaysOfCover => "days_of_cover",
            Self::Revenue => "revenue",
            Self::InTransitToCustomer => "in_transit_to_customer",
            Self::UpdatedAt => "updated_at",
        }
    }
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// What stock rows a list wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StockFilter {
    /// Of one account.
    pub account_id: Option<AccountId>,
    /// Of one product.
    pub product_id: Option<ProductId>,
    /// In one warehouse.
    pub warehouse_id: Option<WarehouseId>,
}

/// What movements of a product's ledger are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MovementFilter {
    /// Of one variant.
    pub variant_id: Option<VariantId>,
    /// In one warehouse.
    pub warehouse_id: Option<WarehouseId>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// By one cause.
    pub cause: Option<Cause>,
}

/// What order lines a list wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Of one account.
    pub account_id: Option<AccountId>,
    /// Of one product.
    pub product_id: Option<ProductId>,
    /// Ordered at this moment or later.
    pub from: Option<Timestamp>,
    /// Ordered before this moment.
    pub to: Option<Timestamp>,
    /// In this state, by the marketplace's word.
    pub status: Option<String>,
}
