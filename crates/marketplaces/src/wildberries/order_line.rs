//! One row of the report of orders, and what it is in our terms.

use chrono::{Datelike as _, NaiveDateTime};
use domain::{
    clock::Timestamp,
    marketplace::WarehouseKind,
    money::{Currency, Money},
    reading::{Location, OrderRow},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

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

impl Line {
    /// The line in our terms. One row is one unit. Without an id, its times or with an unreadable amount it is no line.
    fn row(self) -> Option<OrderRow> {
        let changed_at = wall_clock::to_utc(wall_clock::parse(&self.last_change_date)?);
        let cancelled_at =
            self.is_cancel.then(|| cancelled(self.cancel_date.as_deref()).unwrap_or(changed_at));
        Some(OrderRow {
            external_id: Some(self.srid).filter(|id| decode::tells_apart(id))?,
            basket_id: Text::filled(self.g_number),
            product_external_id: Some(self.nm_id.0),
            variant_external_id: None,
            barcode: Text::filled(self.barcode),
            size: size_name(self.tech_size),
            location: location(self.warehouse_name, &self.warehouse_type),
            quantity: 1,
            price: Some(roubles(&self.price_with_disc)?),
            list_price: optional(self.total_price)?,
            paid_price: optional(self.finished_price)?,
            ordered_at: wall_clock::to_utc(wall_clock::parse(&self.date)?),
            changed_at,
            cancelled_at,
            status: if self.is_cancel { "cancelled" } else { "ordered" }.to_owned(),
        })
    }

    /// The fields in order, without their names.
    fn pack(&self) -> String {
        let (prices, cancel) =
            ((&self.price_with_disc, &self.total_price, &self.finished_price), &self.cancel_date);
        let texts = (&self.nm_id, &self.barcode, &self.tech_size, &self.warehouse_name, &self.warehouse_type);
        let line = (
            &self.srid,
            &self.date,
            &self.last_change_date,
            texts,
            prices,
            self.is_cancel,
            &self.g_number,
            cancel,
        );
        serde_json::to_string(&line).expect("a line is made of texts")
    }

    fn unpack(text: &str) -> serde_json::Result<Self> {
        let (srid, date, last_change_date, texts, prices, is_cancel, g_number, cancel_date) =
            serde_json::from_str(text)?;
        let (nm_id, barcode, tech_size, warehouse_name, warehouse_type) = texts;
        let (price_with_disc, total_price, finished_price) = prices;
        Ok(Self {
            srid,
            date,
            last_change_date,
            nm_id,
            barcode,
            tech_size,
            warehouse_name,
            warehouse_type,
            price_with_disc,
            is_cancel,
            g_number,
            total_price,
            finished_price,
            cancel_date,
        })
    }
}

/// A line that waits for its page, and what is asked of it meanwhile. Most of the tens of thousands of an answer wait for
/// long, so the rest of it is kept in as little room as it takes.
pub(super) struct Waiting {
    /// Time of its change, as precise as it came.
    pub at: NaiveDateTime,
    /// Stands for its id, the same in every process.
    pub id: u64,
    /// Stands for what the unit is and when it was ordered.
    pub unit: u64,
    packed: Box<str>,
}

impl Waiting {
    /// None if it is no line.
    pub(super) fn new(line: Line) -> Option<Self> {
        let at = wall_clock::parse(&line.last_change_date)?;
        let packed = line.pack().into();
        let row = line.row()?;
        let unit = digest(&format!("{:?} {}", row.product_external_id, row.ordered_at));
        Some(Self { at, id: digest(&row.external_id), unit, packed })
    }

    /// The line in our terms.
    pub(super) fn row(&self) -> OrderRow {
        let line = Line::unpack(&self.packed).ok().and_then(Line::row);
        line.expect("it was a line before it was packed")
    }
}

fn digest(text: &str) -> u64 {
    Sha256::digest(text).iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
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
