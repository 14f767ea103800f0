//! One row of the report of orders, and what it is in our terms.

use chrono::{Datelike as _, NaiveDateTime};
use domain::{
    clock::Timestamp,
    marketplace::WarehouseKind,
    money::{Currency, Money},
    reading::{Location, OrderRow},
};
use serde::Deserialize;

use super::{cards::size_name, wall_clock};
use crate::decode::{self, Decimal, Id, Text};

/// What the marketplace calls a warehouse of the seller; every other is its own.
const SELLER_WAREHOUSE: &str = "Склад продавца";

/// A row. Required is what a figure goes by; of barcode and size each leads to the variant where the other is not known,
/// but both must be there. The id of a line is never a number: one that has become so is one no longer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    srid: String,
    date: String,
    last_change_date: String,
    nm_id: Id,
    #[serde(deserialize_with = "decode::nullable")]
    barcode: Option<Text>,
    #[serde(deserialize_with = "decode::nullable")]
    tech_size: Option<Text>,
    warehouse_name: String,
    warehouse_type: String,
    price_with_disc: Decimal,
    is_cancel: bool,
    g_number: Option<Text>,
    total_price: Option<Decimal>,
    finished_price: Option<Decimal>,
    cancel_date: Option<String>,
}

/// A line and the time of its change, as precise as it came.
pub(super) struct Changed {
    pub at: NaiveDateTime,
    pub row: OrderRow,
}

impl Changed {
    /// One row is one unit. Without an id, its times or with an unreadable amount it is no line.
    pub(super) fn new(line: Line) -> Option<Self> {
        let at = wall_clock::parse(&line.last_change_date)?;
        let changed_at = wall_clock::to_utc(at);
        let cancelled_at =
            line.is_cancel.then(|| cancelled(line.cancel_date.as_deref()).unwrap_or(changed_at));
        let row = OrderRow {
            external_id: Some(line.srid).filter(|id| decode::tells_apart(id))?,
            basket_id: Text::filled(line.g_number),
            product_external_id: Some(line.nm_id.0),
            variant_external_id: None,
            barcode: Text::filled(line.barcode),
            size: size_name(line.tech_size),
            location: location(line.warehouse_name, &line.warehouse_type),
            quantity: 1,
            price: Some(roubles(&line.price_with_disc)?),
            list_price: optional(line.total_price)?,
            paid_price: optional(line.finished_price)?,
            ordered_at: wall_clock::to_utc(wall_clock::parse(&line.date)?),
            changed_at,
            cancelled_at,
            status: if line.is_cancel { "cancelled" } else { "ordered" }.to_owned(),
        };
        Some(Self { at, row })
    }
}

/// The marketplace writes the year 1 where it knows no time.
fn cancelled(text: Option<&str>) -> Option<Timestamp> {
    wall_clock::parse(text?).filter(|wall| wall.year() > 1).map(wall_clock::to_utc)
}

fn location(name: String, kind: &str) -> Option<Location> {
    let kind = if kind == SELLER_WAREHOUSE { WarehouseKind::Seller } else { WarehouseKind::Marketplace };
    (!name.is_empty()).then_some(Location { kind, external_id: None, name })
}

/// Most kopecks that an amount of one line can be; the sums over a window stay far from overflow.
const MOST_KOPECKS: i64 = 10_000_000_000_000;

/// None where the amount is unreadable.
fn roubles(Decimal(text): &Decimal) -> Option<Money> {
    let amount = Money::parse_decimal(text, Currency::RUB).ok()?;
    (amount.minor.abs() <= MOST_KOPECKS).then_some(amount)
}

/// None where the amount is unreadable; `Some(None)` where there is none.
#[expect(clippy::option_option, reason = "an absent amount and an unreadable one are different things")]
fn optional(amount: Option<Decimal>) -> Option<Option<Money>> {
    amount.map_or(Some(None), |amount| roubles(&amount).map(Some))
}
