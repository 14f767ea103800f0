//! The rows of the report: places and totals of what is asked for.

use std::collections::BTreeMap;

use serde::Serialize;

use super::query::Wanted;
use crate::world::catalogue::{Card, Size};
use crate::world::seller::Seller;
use crate::world::stock::{Place, wb_warehouse};

/// Rows that are no places, before those that are.
const TO_CLIENTS: &str = "В пути до получателей";
const FROM_CLIENTS: &str = "В пути возвраты на склад WB";
const IN_ALL_PLACES: &str = "Всего находится на складах";

/// What tells one row from another.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nm_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    barcode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tech_size: Option<&'static str>,
}

impl<'a> Head<'a> {
    /// The head of the row that a size counts in. An article tells its brand and its subject, too.
    fn of(wanted: &Wanted, card: &'a Card, size: &'a Size, barcode: &'a str) -> Self {
        let subject = if wanted.is_english { card.subject.name_en } else { card.subject.name };
        Self {
            brand: (wanted.brand || wanted.nm).then_some(card.brand),
            subject_name: (wanted.subject || wanted.nm).then_some(subject),
            vendor_code: wanted.vendor_code.then_some(&card.vendor_code),
            nm_id: wanted.nm.then_some(card.nm_id),
            barcode: wanted.barcode.then_some(barcode),
            tech_size: wanted.size.then_some(size.label),
        }
    }
}

/// Units of one row.
#[derive(Default)]
struct Units {
    /// Hundredths of a litre of one unit.
    volume: u32,
    to_clients: u32,
    from_clients: u32,
    places: BTreeMap<&'static str, u32>,
}

#[derive(Serialize)]
pub(super) struct Row<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<f64>,
    warehouses: Vec<Warehouse>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Warehouse {
    warehouse_name: &'static str,
    quantity: u32,
}

impl Units {
    /// Only what is not zero; totals first.
    fn warehouses(&self) -> Vec<Warehouse> {
        let all = self.places.values().sum();
        let totals = [(TO_CLIENTS, self.to_clients), (FROM_CLIENTS, self.from_clients), (IN_ALL_PLACES, all)];
        let places = self.places.iter().map(|(name, quantity)| (*name, *quantity));
        totals
            .into_iter()
            .chain(places)
            .filter(|(_, quantity)| *quantity > 0)
            .map(|(warehouse_name, quantity)| Warehouse { warehouse_name, quantity })
            .collect()
    }
}

/// The rows as the marketplace writes them; goods of which it has nothing are in none.
pub(super) fn rows<'a>(seller: &'a Seller, is_masked: bool, wanted: &Wanted) -> Vec<Row<'a>> {
    let mut rows: BTreeMap<Head<'_>, Units> = BTreeMap::new();
    for card in seller.cards.iter().filter(|card| wanted.lets_through(card)) {
        for size in &card.sizes {
            for (number, barcode) in size.barcodes.iter().enumerate() {
                let units = rows.entry(Head::of(wanted, card, size, barcode)).or_default();
                units.volume = card.volume().unwrap_or_default();
                for (place, level) in seller.stock.of(size.chrt_id) {
                    let Place::Wb(id) = place else { continue };
                    let share = |amount| share(amount, number, size.barcodes.len());
                    units.to_clients += share(level.to_client);
                    units.from_clients += share(level.from_client);
                    if let Some(warehouse) = wb_warehouse(id) {
                        let name = if is_masked { warehouse.masked_name } else { warehouse.name };
                        *units.places.entry(name).or_default() += share(level.available);
                    }
                }
            }
        }
    }
    rows.into_iter()
        .map(|(head, units)| Row {
            volume: head.nm_id.map(|_| f64::from(units.volume) / 100.0),
            warehouses: units.warehouses(),
            head,
        })
        .filter(|row| !row.warehouses.is_empty())
        .collect()
}

/// How many of a size's units carry this barcode of it: most the first one, the others as many as each other.
fn share(units: u32, number: usize, barcodes: usize) -> u32 {
    let others = u32::try_from(barcodes).unwrap_or(1).saturating_sub(1);
    let each = units / (others + 2);
    if number == 0 { units - each * others } else { each }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_barcodes_add_up() {
        for units in 0..50 {
            for barcodes in 1..5 {
                let shares = (0..barcodes).map(|number| share(units, number, barcodes));
                assert_eq!(shares.sum::<u32>(), units);
            }
        }
        assert_eq!((share(9, 0, 2), share(9, 1, 2)), (6, 3));
    }
}
