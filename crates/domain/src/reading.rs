//! What connectors read: rows in our own terms, in pages, with a position to go on from.
//!
//! A reading is what a marketplace said. It becomes the stock picture only when a side has been read completely.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, marketplace::WarehouseKind, money::Money};

/// Where a reading goes on: opaque to everybody but the connector that made it, and kept with the page before it, so
/// that a killed process goes on and does not start over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub String);

/// A part of a reading.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPage<T> {
    /// Rows that could be read.
    pub rows: Vec<T>,
    /// Rows of the page that could not, though the page itself held its shape.
    pub failed: u64,
    /// Where to go on; none when this was the last page.
    pub next: Option<Position>,
    /// From where the next reading of the same kind can start instead of at the beginning.
    pub watermark: Option<Position>,
    /// Rows of the whole reading, where the marketplace says so before its end.
    pub expected_total: Option<u64>,
    /// How long there is nothing to go on with: a report that is being made. Not a failure, and not a limit.
    pub pause: Option<Duration>,
}

impl<T> ReadPage<T> {
    /// A page that is the last, with these rows.
    pub const fn last(rows: Vec<T>) -> Self {
        Self { rows, failed: 0, next: None, watermark: None, expected_total: None, pause: None }
    }

    /// A page without rows, after which there is nothing to ask for before a pause.
    pub const fn pause(next: Position, pause: Duration) -> Self {
        let rows = Vec::new();
        Self { rows, failed: 0, next: Some(next), watermark: None, expected_total: None, pause: Some(pause) }
    }
}

/// A product of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// The marketplace's id.
    pub external_id: String,
    /// The seller's own article.
    pub seller_article: Option<String>,
    /// Its title.
    pub name: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// The marketplace's category or subject.
    pub category: Option<String>,
    /// Whether the marketplace has taken it out of the catalogue.
    pub removed: bool,
    /// Whether it is in the catalogue, but customers are not shown it.
    pub hidden: bool,
    /// The units it is sold in; at least one, but a removed product may come without.
    pub variants: Vec<VariantRow>,
}

/// A sellable unit of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantRow {
    /// The marketplace's id.
    pub external_id: String,
    /// What a warehouse calls it: the first barcode, or the shop's SKU.
    pub sku: Option<String>,
    /// What tells it from its siblings: a size, a colour.
    pub name: Option<String>,
    /// Every barcode of it.
    pub barcodes: Vec<String>,
}

/// A warehouse as a reading names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// What kind of place.
    pub kind: WarehouseKind,
    /// The marketplace's id, where it gives one.
    pub external_id: Option<String>,
    /// Its exact name.
    pub name: String,
}

/// Stock of a variant in one place. A connector whose marketplace has finer rows, such as one for each barcode, adds
/// them up; of two rows for one place the later counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRow {
    /// The marketplace's id of the variant, where the row gives it. Where it does not, the variant is found by the
    /// barcode, else by product and size.
    pub variant_external_id: Option<String>,
    /// The marketplace's id of the product, where the row gives it.
    pub product_external_id: Option<String>,
    /// The barcode of the unit, where the row gives it.
    pub barcode: Option<String>,
    /// The size, as the catalogue names variants, where the row gives it.
    pub size: Option<String>,
    /// Where; none if the row tells of units on their way alone, which lie in no place.
    pub location: Option<Location>,
    /// Units that can be sold; none where the marketplace keeps no count of this variant.
    pub available: Option<i64>,
    /// Units that are sold and not yet gone, where known.
    pub reserved: Option<i64>,
    /// Units on the shelf, where known.
    pub on_hand: Option<i64>,
    /// Units on their way to customers, where the row gives it.
    pub in_transit_to_customer: Option<i64>,
    /// Units on their way back, where the row gives it.
    pub in_transit_returns: Option<i64>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// The marketplace's id of this line; the only key by which lines are the same.
    pub external_id: String,
    /// The basket it was bought in, shared by several lines.
    pub basket_id: Option<String>,
    /// The marketplace's id of the product.
    pub product_external_id: Option<String>,
    /// The marketplace's id of the variant, where the row gives it.
    pub variant_external_id: Option<String>,
    /// The barcode of the unit.
    pub barcode: Option<String>,
    /// The size, as the catalogue names variants.
    pub size: Option<String>,
    /// Where it is sent from.
    pub location: Option<Location>,
    /// Units; 0 where the line is told to hold none any more.
    pub quantity: i64,
    /// What the seller sells it for.
    pub price: Option<Money>,
    /// The price before discounts.
    pub list_price: Option<Money>,
    /// What the customer pays.
    pub paid_price: Option<Money>,
    /// When it was ordered.
    pub ordered_at: Timestamp,
    /// When the marketplace last changed the line.
    pub changed_at: Timestamp,
    /// When it was cancelled, if it was.
    pub cancelled_at: Option<Timestamp>,
    /// The marketplace's own word for its state, or `ordered` / `cancelled` where it has none.
    pub status: String,
}

/// Which seller warehouse really sends an order line, where its name alone does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembly {
    /// The order line.
    pub line_external_id: String,
    /// The marketplace's id of the warehouse.
    pub warehouse_external_id: String,
}
