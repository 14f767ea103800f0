//! What the two reports of the statistics service have in common: what is asked, how it is paged, and what they say
//! of a line.

use actix_web::{Error, HttpResponse};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors;
use crate::options::EdgeRows;
use crate::state::State;
use crate::world::calendar;
use crate::world::orders::Order;
use crate::world::seller::Seller;
use crate::world::stock::Side;

/// Days after its order for which the reports keep a line.
const KEPT_DAYS: i64 = 90;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportQuery {
    date_from: Option<String>,
    flag: Option<String>,
}

/// A row of a report before it is written out.
pub(super) struct Entry<'a> {
    pub(super) order: &'a Order,
    /// What `date` tells.
    pub(super) dated: DateTime<Utc>,
    /// What `lastChangeDate` tells.
    pub(super) changed_at: DateTime<Utc>,
    /// Whether it is the return of the line.
    pub(super) is_return: bool,
}

/// The entries of the page that is asked for, or the refusal of the question.
pub(super) fn page<'a>(
    state: &'a State,
    query: &ReportQuery,
    entries: impl Iterator<Item = Entry<'a>>,
) -> Result<Vec<Entry<'a>>, Error> {
    let refused = |why: Value| errors::refusal(HttpResponse::BadRequest().json(json!({"errors": why})));
    let date_from = query.date_from.as_deref().filter(|text| !text.is_empty());
    let date_from = date_from.ok_or_else(|| refused(json!(["dateFrom: field required"])))?;
    let from = parse_moment(date_from).ok_or_else(|| refused(json!("dateFrom: Value not validated")))?;
    let kept_from = state.world.now() - TimeDelta::days(KEPT_DAYS);
    let kept = entries.filter(|entry| entry.order.ordered_at >= kept_from);
    let mut page: Vec<Entry<'_>> = match query.flag.as_deref() {
        None | Some("" | "0") => match state.edge_rows {
            EdgeRows::Repeated => kept.filter(|entry| entry.changed_at >= from).collect(),
            EdgeRows::Skipped => kept.filter(|entry| entry.changed_at > from).collect(),
        },
        Some("1") => {
            let day = calendar::day_of(from);
            kept.filter(|entry| calendar::day_of(entry.dated) == day).collect()
        }
        Some(_) => return Err(refused(json!("flag: Value not validated"))),
    };
    page.sort_unstable_by(|a, b| {
        (a.changed_at, &a.order.srid, a.is_return).cmp(&(b.changed_at, &b.order.srid, b.is_return))
    });
    if query.flag.as_deref() != Some("1") {
        page.truncate(page_end(&page, state.orders_page_rows, state.edge_rows));
    }
    Ok(page)
}

/// Where a page ends: at `rows`, but never so that the next one could not go on. Where rows of the edge are
/// skipped, or one moment alone fills the page, it runs to the end of the moment; the limit is an approximate
/// one.
fn page_end(entries: &[Entry<'_>], rows: usize, edge: EdgeRows) -> usize {
    let Some(last) = entries.get(rows - 1) else {
        return entries.len();
    };
    let one_moment = entries[0].changed_at == last.changed_at;
    if edge == EdgeRows::Repeated && !one_moment {
        return rows;
    }
    entries.partition_point(|entry| entry.changed_at <= last.changed_at)
}

/// What both reports say of a line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    date: String,
    last_change_date: String,
    warehouse_name: &'static str,
    warehouse_type: &'static str,
    country_name: &'static str,
    oblast_okrug_name: &'static str,
    region_name: &'static str,
    supplier_article: &'a str,
    nm_id: i64,
    barcode: &'a str,
    category: &'static str,
    subject: &'static str,
    brand: &'static str,
    tech_size: &'static str,
    #[serde(rename = "incomeID")]
    income_id: i64,
    is_supply: bool,
    is_realization: bool,
    total_price: f64,
    discount_percent: u32,
    spp: u32,
    sticker: String,
    g_number: &'a str,
    srid: &'a str,
}

impl<'a> Line<'a> {
    /// None for a line of goods that the seller does not have any more.
    pub(super) fn of(seller: &'a Seller, entry: &Entry<'a>) -> Option<Self> {
        let order = entry.order;
        let (card, size) = seller.variant(order.chrt_id)?;
        Some(Self {
            date: stamp(entry.dated),
            last_change_date: stamp(entry.changed_at),
            warehouse_name: seller.place_name(order.place),
            warehouse_type: match order.place.side() {
                Side::Fbo => "Склад WB",
                Side::Fbs => "Склад продавца",
            },
            country_name: "Россия",
            oblast_okrug_name: order.district,
            region_name: order.region,
            supplier_article: &card.vendor_code,
            nm_id: order.nm_id,
            barcode: &order.barcode,
            category: card.subject.category,
            subject: card.subject.name,
            brand: card.brand,
            tech_size: size.label,
            income_id: order.income_id,
            is_supply: false,
            is_realization: true,
            total_price: roubles(order.list_price),
            discount_percent: order.discount,
            spp: order.wb_discount,
            sticker: order.sticker.to_string(),
            g_number: &order.basket,
            srid: &order.srid,
        })
    }
}

/// A moment as the reports write it: what a clock in Moscow shows.
pub(super) fn stamp(moment: DateTime<Utc>) -> String {
    calendar::local(moment).format("%Y-%m-%dT%H:%M:%S").to_string()
}

pub(super) fn roubles(kopecks: u32) -> f64 {
    f64::from(kopecks) / 100.0
}

/// A date, a date with a time in Moscow, or a time with its own zone.
fn parse_moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(calendar::start_of(day));
    }
    if let Ok(local) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Some(calendar::moment_of(local));
    }
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_moscow_time() {
        let read = |text| parse_moment(text).map(|moment| moment.to_rfc3339());
        assert_eq!(read("2026-06-20").as_deref(), Some("2026-06-19T21:00:00+00:00"));
        assert_eq!(read("2026-06-20T01:02:03").as_deref(), Some("2026-06-19T22:02:03+00:00"));
        assert_eq!(read("2026-06-20T01:02:03.5").as_deref(), Some("2026-06-19T22:02:03.500+00:00"));
        assert_eq!(read("2026-06-20T01:02:03Z").as_deref(), Some("2026-06-20T01:02:03+00:00"));
        assert_eq!(read("20.06.2026"), None);
    }
}
