//! What a report on the marketplace's warehouses says of each size, added up over its barcodes.
//!
//! The report is one long answer, whose rows may come in any order. They are kept here in little room, and cut into pages
//! in the order of sizes: the same report always gives the same pages.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

use domain::{
    marketplace::WarehouseKind,
    reading::{Location, StockRow},
};
use serde::{Deserialize, Serialize};

use super::cards::size_name;
use crate::decode::{Id, Keep, Text, Units};

/// Rows of the report that are no places, by their exact names, so that no real place is mistaken for one.
pub(super) const TO_CUSTOMERS: &str = "В пути до получателей";
pub(super) const RETURNS: &str = "В пути возвраты на склад WB";
pub(super) const TOTAL: &str = "Всего находится на складах";

/// One row of the report. A text that becomes a number could make one size of many, so none may.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    nm_id: Id,
    tech_size: String,
    barcode: String,
    warehouses: Vec<Shelf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shelf {
    warehouse_name: String,
    quantity: Units,
}

/// What may still be told of a row that cannot be read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Remnant {
    nm_id: Id,
    #[serde(default)]
    tech_size: serde_json::Value,
}

/// A size of a product. One that is called `0` or nothing has an empty name here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Size {
    product: Box<str>,
    name: Box<str>,
}

impl Size {
    fn new(product: Id, name: String) -> Self {
        let name = size_name(Some(Text(name))).unwrap_or_default();
        Self { product: product.0.into(), name: name.into() }
    }
}

/// What one row says of units.
#[derive(Default)]
struct Found {
    to_customers: i64,
    returns: i64,
    places: Vec<(String, i64)>,
}

impl Found {
    /// None where the places have more than their total. Where there is none under its name, what bears another must
    /// not be taken for a place: it would double the stock.
    fn in_row(shelves: Vec<Shelf>) -> Option<Self> {
        let mut found = Self::default();
        let mut total = 0;
        for Shelf { warehouse_name, quantity: Units(units) } in shelves {
            match warehouse_name.as_str() {
                TO_CUSTOMERS => found.to_customers += units,
                RETURNS => found.returns += units,
                TOTAL => total += units,
                name if name.trim().is_empty() => return None,
                _ => found.places.push((warehouse_name, units)),
            }
        }
        let in_places: i64 = found.places.iter().map(|(_, units)| units).sum();
        (in_places <= total).then_some(found)
    }
}

/// What there is of a size.
#[derive(Default)]
struct UnitsOf {
    /// Its barcodes; an empty one for units without.
    barcodes: Vec<Box<str>>,
    to_customers: i64,
    returns: i64,
    /// Units by the number of the place.
    places: Vec<(u32, i64)>,
}

/// All sizes of a report.
#[derive(Default)]
pub(super) struct Shelves {
    sizes: BTreeMap<Size, UnitsOf>,
    places: Vec<String>,
    numbers: HashMap<String, u32>,
    /// Sizes, and products with all of their sizes, of which a row could not be read: what the others say is not all.
    lost_sizes: BTreeSet<Size>,
    lost_products: BTreeSet<Box<str>>,
}

impl Shelves {
    /// Forgets the sizes of which a row could not be read.
    pub(super) fn forget_lost(&mut self) {
        self.sizes
            .retain(|size, _| !self.lost_sizes.contains(size) && !self.lost_products.contains(&size.product));
    }

    /// The rows of the sizes that follow `after`, and the last of these sizes if more follow. A size is never cut, and
    /// each has a row for what is on its way, so that none on its way is known, too.
    pub(super) fn page(&self, after: Option<&Size>, limit: usize) -> (Vec<StockRow>, Option<Size>) {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = Vec::new();
        let mut last = None;
        for (size, units) in self.sizes.range((from, Bound::Unbounded)) {
            if let (Some(last), true) = (last, rows.len() >= limit) {
                return (rows, Some(Size::clone(last)));
            }
            for (place, available) in &units.places {
                let location = Location {
                    kind: WarehouseKind::Marketplace,
                    external_id: None,
                    name: self.places[*place as usize].clone(),
                };
                let (location, available) = (Some(location), Some(*available));
                rows.push(StockRow { location, available, ..stock_row(size, units) });
            }
            rows.push(StockRow {
                in_transit_to_customer: Some(units.to_customers),
                in_transit_returns: Some(units.returns),
                ..stock_row(size, units)
            });
            last = Some(size);
        }
        (rows, None)
    }

    fn number(&mut self, place: String) -> u32 {
        if let Some(number) = self.numbers.get(&place) {
            return *number;
        }
        let number = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.push(place.clone());
        self.numbers.insert(place, number);
        number
    }
}

impl Keep for Shelves {
    type Row = Row;

    /// Adds a row, unless it makes no sense: a place without a name, more in the places than in all of them, or a barcode
    /// that has been added already.
    fn keep(&mut self, row: Row) -> Option<()> {
        let size = Size::new(row.nm_id, row.tech_size);
        let Some(found) = Found::in_row(row.warehouses) else {
            self.lost_sizes.insert(size);
            return None;
        };
        let places: Vec<_> =
            found.places.into_iter().map(|(name, units)| (self.number(name), units)).collect();
        let barcode: Box<str> = row.barcode.trim().into();
        if self.sizes.get(&size).is_some_and(|known| known.barcodes.contains(&barcode)) {
            self.lost_sizes.insert(size);
            return None;
        }
        let of_size = self.sizes.entry(size).or_default();
        of_size.barcodes.push(barcode);
        of_size.to_customers += found.to_customers;
        of_size.returns += found.returns;
        for (place, units) in places {
            match of_size.places.iter_mut().find(|(known, _)| *known == place) {
                Some((_, sum)) => *sum += units,
                None => of_size.places.push((place, units)),
            }
        }
        Some(())
    }

    /// One that does not even tell its product is nobody's.
    fn lose(&mut self, row: &str) {
        match serde_json::from_str(row) {
            Ok(Remnant { nm_id, tech_size: serde_json::Value::String(name) }) => {
                self.lost_sizes.insert(Size::new(nm_id, name));
            }
            Ok(Remnant { nm_id, .. }) => {
                self.lost_products.insert(nm_id.0.into());
            }
            Err(_) => {}
        }
    }
}

fn stock_row(size: &Size, units: &UnitsOf) -> StockRow {
    StockRow {
        variant_external_id: None,
        product_external_id: Some(size.product.to_string()),
        barcode: units.barcodes.iter().find(|barcode| !barcode.is_empty()).map(ToString::to_string),
        size: (!size.name.is_empty()).then(|| size.name.to_string()),
        location: None,
        available: None,
        reserved: None,
        on_hand: None,
        in_transit_to_customer: None,
        in_transit_returns: None,
    }
}
