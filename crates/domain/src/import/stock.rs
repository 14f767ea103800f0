//! A line of stock.

use super::{Column, Line, Row};

/// Most units of one place.
pub const MOST_UNITS: i64 = 1_000_000_000;

/// Most characters of a name or an id.
pub(super) const MOST_CHARACTERS: usize = 200;

/// Which variant a line is of, by the first of these that the line gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// By its id.
    VariantId(String),
    /// By what a warehouse calls it.
    Sku(String),
    /// By a barcode.
    Barcode(String),
    /// By the article of its product, if that has no other variant.
    Article(String),
}

impl Unit {
    /// The column that gives it.
    pub const fn column(&self) -> Column {
        match self {
            Self::VariantId(_) => Column::ExternalVariantId,
            Self::Sku(_) => Column::Sku,
            Self::Barcode(_) => Column::Barcode,
            Self::Article(_) => Column::SellerArticle,
        }
    }
}

/// Stock of one variant in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLine {
    /// Which variant.
    pub unit: Unit,
    /// The name of the place, where the line gives it.
    pub warehouse_name: Option<String>,
    /// The tenant's id of the place, where the line gives it.
    pub warehouse_external_id: Option<String>,
    /// Units that can be sold.
    pub available: i64,
    /// Units sold and not yet gone, where the line gives it.
    pub reserved: Option<i64>,
    /// Units on the shelf, where the line gives it.
    pub on_hand: Option<i64>,
}

/// The columns that tell which variant, best first.
const UNIT: &[Column] = &[Column::ExternalVariantId, Column::Sku, Column::Barcode, Column::SellerArticle];

impl Line for StockLine {
    const COLUMNS: &'static [Column] = &[
        Column::ExternalVariantId,
        Column::Sku,
        Column::Barcode,
        Column::SellerArticle,
        Column::WarehouseName,
        Column::WarehouseExternalId,
        Column::Available,
        Column::Reserved,
        Column::OnHand,
    ];
    const NEEDED: &'static [&'static [Column]] = &[UNIT, &[Column::Available]];

    fn read(row: &mut Row<'_>) -> Option<Self> {
        let unit = unit(row);
        if unit.is_none() && !row.is_wrong() {
            row.wrong(row.first_of(UNIT), "is empty");
        }
        let warehouse_name = row.text(Column::WarehouseName, MOST_CHARACTERS);
        let warehouse_external_id = row.text(Column::WarehouseExternalId, MOST_CHARACTERS);
        // What is not known is not zero, so an empty cell is neither.
        let empty = "is empty: write 0 where there is none";
        let available = row.needed_units(Column::Available, MOST_UNITS, empty);
        let reserved = row.units(Column::Reserved, MOST_UNITS);
        let on_hand = row.units(Column::OnHand, MOST_UNITS);
        Some(Self {
            unit: unit?,
            warehouse_name,
            warehouse_external_id,
            available: available?,
            reserved,
            on_hand,
        })
    }
}

fn unit(row: &mut Row<'_>) -> Option<Unit> {
    let text = |row: &mut Row<'_>, column| row.text(column, MOST_CHARACTERS);
    if let Some(id) = text(row, Column::ExternalVariantId) {
        return Some(Unit::VariantId(id));
    }
    if let Some(sku) = text(row, Column::Sku) {
        return Some(Unit::Sku(sku));
    }
    if let Some(barcode) = text(row, Column::Barcode) {
        return Some(Unit::Barcode(barcode));
    }
    text(row, Column::SellerArticle).map(Unit::Article)
}
