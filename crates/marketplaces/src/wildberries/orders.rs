//! Order lines, in the order in which they changed.
//!
//! The report is filtered by the time of change, not of ordering, and pages by it: several lines share one such time
//! and straddle pages. It is not documented whether the lines of the very moment asked from come again, so each page
//! is asked from a little before the end of the one before, and a reading ends when nothing comes, or nothing new.

use chrono::{NaiveDateTime, TimeDelta};
use domain::{
    calendar::Zone,
    marketplace::WarehouseKind,
    money::{Currency, Money},
    reading::{Location, OrderRow, Position, ReadPage},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    api::{Api, parse_position, position},
    cards::size_name,
    endpoints::ORDER_LINES,
    wall_clock,
};
use crate::{
    decode::{self, Decimal, Id, RawRows, Text},
    error::Error,
};

/// How far back the marketplace keeps orders, and the first reading goes.
const KEPT: TimeDelta = TimeDelta::days(90);

/// How far before a watermark a reading starts again: twice the time in which the report is renewed, so that a line
/// that came late is not missed.
const OVERLAP: TimeDelta = TimeDelta::hours(1);

/// How far before the end of a page the next one is asked from. Lines of the last moment may have been cut off, and
/// may not come again when asked for from that very moment.
const STEP_BACK: TimeDelta = TimeDelta::seconds(1);

/// What the marketplace calls a warehouse of the seller; every other is its own.
const SELLER_WAREHOUSE: &str = "Склад продавца";

/// Where the next reading starts.
#[derive(Serialize, Deserialize)]
struct Watermark {
    /// Latest change that has been read, Moscow time.
    changed: NaiveDateTime,
}

/// Where this reading goes on.
#[derive(Serialize, Deserialize)]
struct Place {
    /// Change from which to ask, Moscow time.
    from: NaiveDateTime,
    /// Latest change that has been read.
    latest: NaiveDateTime,
    /// The lines of that very moment that have been read.
    edge: Edge,
    /// Lines of the longest page so far: the marketplace cuts no page that is shorter.
    longest: usize,
}

impl Place {
    fn beginning(from: NaiveDateTime) -> Self {
        Self { from, latest: from, edge: Edge::default(), longest: 0 }
    }

    /// Where to go on after a page; nowhere if it brought nothing new.
    fn after(&self, lines: &[Changed]) -> Option<Self> {
        let latest = lines.iter().map(|line| line.at).max()?;
        let edge = Edge::of(lines_at(lines, latest));
        let longest = self.longest.max(lines.len());
        if latest > self.latest || (latest == self.latest && edge != self.edge) {
            return Some(Self { from: latest - STEP_BACK, latest, edge, longest });
        }
        // More lines share the moment than fit on a page: going back would bring the same ones for ever.
        let is_stuck = self.from < self.latest && lines.len() >= self.longest;
        is_stuck.then_some(Self { from: self.latest, latest: self.latest, edge: self.edge, longest })
    }
}

/// A set of lines in a few bytes: the same set has the same edge, in any order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Edge {
    count: u64,
    sum: u64,
}

impl Edge {
    fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        lines.fold(Self::default(), |edge, line| {
            let digest = Sha256::digest(line);
            let hash = digest.iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
            Self { count: edge.count + 1, sum: edge.sum.wrapping_add(hash) }
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    srid: Id,
    date: String,
    last_change_date: String,
    g_number: Option<Text>,
    nm_id: Option<Id>,
    barcode: Option<Text>,
    tech_size: Option<Text>,
    warehouse_name: Option<String>,
    warehouse_type: Option<String>,
    total_price: Option<Decimal>,
    price_with_disc: Option<Decimal>,
    finished_price: Option<Decimal>,
    is_cancel: Option<bool>,
    cancel_date: Option<String>,
}

/// A line and the time of its change, as precise as it came.
struct Changed {
    at: NaiveDateTime,
    row: OrderRow,
}

/// Reads the next page.
pub(super) async fn read(
    api: &Api,
    since: Option<&Position>,
    at: Option<&Position>,
) -> Result<ReadPage<OrderRow>, Error> {
    let endpoint = ORDER_LINES.operation;
    let place = match (at, since) {
        (Some(at), _) => parse_position(&ORDER_LINES, at)?,
        (None, Some(since)) => {
            let watermark: Watermark = parse_position(&ORDER_LINES, since)?;
            Place::beginning(watermark.changed - OVERLAP)
        }
        (None, None) => Place::beginning(Zone::MOSCOW.wall_clock(api.now() - KEPT)),
    };
    let query = [("dateFrom", &*wall_clock::format(place.from)), ("flag", "0")];
    let now = Zone::MOSCOW.wall_clock(api.now());
    let (mut lines, failed) = api
        .get(&ORDER_LINES, "/api/v1/supplier/orders", &query, |body| {
            let raw: RawRows<'_> = decode::page(endpoint, body)?;
            Ok(decode::rows(endpoint, raw, changed))
        })
        .await?;
    // No change is later than now. A line that says so must not take the reading, and all after it, past what comes.
    for line in &mut lines {
        line.at = line.at.min(now);
    }
    let next = place.after(&lines);
    let latest = lines.iter().map(|line| line.at).max();
    let watermark = latest.map(|latest| position(&Watermark { changed: latest.max(place.latest) }));
    Ok(ReadPage {
        rows: lines.into_iter().map(|line| line.row).collect(),
        failed,
        next: next.as_ref().map(position),
        watermark,
        expected_total: None,
    })
}

fn lines_at(lines: &[Changed], at: NaiveDateTime) -> impl Iterator<Item = &str> {
    lines.iter().filter(move |line| line.at == at).map(|line| line.row.external_id.as_str())
}

/// One row is one unit. Without its times or with an unreadable amount it is no line.
fn changed(line: Line) -> Option<Changed> {
    let at = wall_clock::parse(&line.last_change_date)?;
    let changed_at = wall_clock::to_utc(at);
    let is_cancelled = line.is_cancel.unwrap_or(false);
    let cancelled_at = is_cancelled.then(|| cancelled(line.cancel_date.as_deref()).unwrap_or(changed_at));
    let row = OrderRow {
        external_id: line.srid.0,
        basket_id: Text::filled(line.g_number),
        product_external_id: line.nm_id.map(|id| id.0),
        variant_external_id: None,
        barcode: Text::filled(line.barcode),
        size: size_name(line.tech_size),
        location: location(line.warehouse_name, line.warehouse_type.as_deref()),
        quantity: 1,
        price: roubles(line.price_with_disc)?,
        list_price: roubles(line.total_price)?,
        paid_price: roubles(line.finished_price)?,
        ordered_at: wall_clock::to_utc(wall_clock::parse(&line.date)?),
        changed_at,
        cancelled_at,
        status: if is_cancelled { "cancelled" } else { "ordered" }.to_owned(),
    };
    Some(Changed { at, row })
}

/// The marketplace writes the year 1 where it knows no time.
fn cancelled(text: Option<&str>) -> Option<domain::clock::Timestamp> {
    use chrono::Datelike as _;
    wall_clock::parse(text?).filter(|wall| wall.year() > 1).map(wall_clock::to_utc)
}

fn location(name: Option<String>, kind: Option<&str>) -> Option<Location> {
    let name = name.filter(|name| !name.is_empty())?;
    let kind =
        if kind == Some(SELLER_WAREHOUSE) { WarehouseKind::Seller } else { WarehouseKind::Marketplace };
    Some(Location { kind, external_id: None, name })
}

/// Most kopecks that an amount of one line can be; the sums over a window stay far from overflow.
const MOST_KOPECKS: i64 = 10_000_000_000_000;

/// None where the amount is unreadable; `Some(None)` where there is none.
#[expect(clippy::option_option, reason = "an absent amount and an unreadable one are different things")]
fn roubles(amount: Option<Decimal>) -> Option<Option<Money>> {
    let amount = amount.map(|Decimal(text)| Money::parse_decimal(&text, Currency::RUB)).transpose().ok()?;
    let is_possible = amount.is_none_or(|money| money.minor.abs() <= MOST_KOPECKS);
    is_possible.then_some(amount)
}
