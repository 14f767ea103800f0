//! Orders: the report of all order lines, and the assembly orders of those that the seller ships.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::errors;
use crate::edge::Caller;
use crate::options::EdgeRows;
use crate::state::Shared;
use crate::world::calendar;
use crate::world::orders::{Order, Stage};
use crate::world::seller::Seller;
use crate::world::stock::{Place, Side};

/// Days for which the report keeps an order.
const KEPT_DAYS: i64 = 90;
const MAX_PERIOD_DAYS: i64 = 30;
const MAX_ASSEMBLY_ORDERS: usize = 1000;
const ROUBLE: i32 = 643;
const NEVER: &str = "0001-01-01T00:00:00";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportQuery {
    date_from: Option<String>,
    flag: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderRow<'a> {
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
    finished_price: f64,
    price_with_disc: f64,
    is_cancel: bool,
    cancel_date: String,
    sticker: String,
    g_number: &'a str,
    srid: &'a str,
}

impl<'a> OrderRow<'a> {
    fn of(seller: &'a Seller, order: &'a Order) -> Option<Self> {
        let (card, size) = seller.variant(order.chrt_id)?;
        Some(Self {
            date: stamp(order.ordered_at),
            last_change_date: stamp(order.changed_at),
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
            finished_price: roubles(order.paid_price),
            price_with_disc: roubles(order.discounted_price),
            is_cancel: order.stage == Stage::Cancelled,
            cancel_date: order.cancelled_at.map_or_else(|| NEVER.to_owned(), stamp),
            sticker: order.sticker.to_string(),
            g_number: &order.basket,
            srid: &order.srid,
        })
    }
}

pub(super) async fn report(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    query: web::Query<ReportQuery>,
) -> HttpResponse {
    let Some(date_from) = query.date_from.as_deref().filter(|text| !text.is_empty()) else {
        return HttpResponse::BadRequest().json(json!({"errors": ["dateFrom: field required"]}));
    };
    let Some(from) = parse_moment(date_from) else {
        return HttpResponse::BadRequest().json(json!({"errors": "dateFrom: Value not validated"}));
    };
    let state = shared.present();
    let seller = &state.world.sellers[caller.seller];
    let kept_from = state.world.now() - TimeDelta::days(KEPT_DAYS);
    let kept = seller.orders.iter().filter(|order| order.ordered_at >= kept_from);
    let mut page: Vec<&Order> = match query.flag.as_deref() {
        None | Some("" | "0") => match state.edge_rows {
            EdgeRows::Repeated => kept.filter(|order| order.changed_at >= from).collect(),
            EdgeRows::Skipped => kept.filter(|order| order.changed_at > from).collect(),
        },
        Some("1") => {
            let day = calendar::day_of(from);
            kept.filter(|order| calendar::day_of(order.ordered_at) == day).collect()
        }
        Some(_) => return HttpResponse::BadRequest().json(json!({"errors": "flag: Value not validated"})),
    };
    page.sort_unstable_by(|a, b| (a.changed_at, &a.srid).cmp(&(b.changed_at, &b.srid)));
    if query.flag.as_deref() != Some("1") {
        page.truncate(page_end(&page, state.orders_page_rows, state.edge_rows));
    }
    let rows: Vec<OrderRow<'_>> = page.into_iter().filter_map(|order| OrderRow::of(seller, order)).collect();
    HttpResponse::Ok().json(rows)
}

/// Where a page ends: at `rows`, but never so that the next one could not go on. Where rows of the edge are
/// skipped, or one moment alone fills the page, it runs to the end of the moment; the limit is an approximate
/// one.
fn page_end(orders: &[&Order], rows: usize, edge: EdgeRows) -> usize {
    let Some(last) = orders.get(rows - 1) else {
        return orders.len();
    };
    let one_moment = orders[0].changed_at == last.changed_at;
    if edge == EdgeRows::Repeated && !one_moment {
        return rows;
    }
    orders.partition_point(|order| order.changed_at <= last.changed_at)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssemblyQuery {
    limit: Option<String>,
    next: Option<String>,
    date_from: Option<String>,
    date_to: Option<String>,
}

struct Period {
    limit: usize,
    after: i64,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl AssemblyQuery {
    fn period(&self, now: DateTime<Utc>) -> Option<Period> {
        let moment = |text: &Option<String>, default| match text {
            Some(text) => DateTime::from_timestamp(text.parse().ok()?, 0),
            None => Some(default),
        };
        let limit =
            self.limit.as_deref()?.parse().ok().filter(|limit| (1..=MAX_ASSEMBLY_ORDERS).contains(limit))?;
        let after = self.next.as_deref()?.parse().ok().filter(|next| *next >= 0)?;
        let longest = TimeDelta::days(MAX_PERIOD_DAYS);
        let from = moment(&self.date_from, now - longest)?;
        let to = moment(&self.date_to, now)?;
        (from <= to && to - from <= longest).then_some(Period { limit, after, from, to })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssemblyOrder<'a> {
    address: Option<()>,
    scan_price: Option<u32>,
    delivery_type: &'static str,
    order_uid: &'a str,
    article: &'a str,
    color_code: &'static str,
    rid: &'a str,
    created_at: String,
    offices: [&'static str; 1],
    skus: &'a [String],
    id: i64,
    warehouse_id: i64,
    office_id: i64,
    nm_id: i64,
    chrt_id: i64,
    price: u32,
    converted_price: u32,
    currency_code: i32,
    converted_currency_code: i32,
    cargo_type: i32,
    cross_border_type: i32,
    comment: &'static str,
    is_zero_order: bool,
    options: serde_json::Value,
}

impl<'a> AssemblyOrder<'a> {
    fn of(seller: &'a Seller, id: i64, order: &'a Order) -> Option<Self> {
        let Place::Seller(warehouse_id) = order.place else {
            return None;
        };
        let warehouse = seller.warehouse(warehouse_id)?;
        let (card, size) = seller.variant(order.chrt_id)?;
        Some(Self {
            address: None,
            scan_price: None,
            delivery_type: "fbs",
            order_uid: &order.basket,
            article: &card.vendor_code,
            color_code: "",
            rid: &order.srid,
            created_at: order.ordered_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            offices: [warehouse.office.name],
            skus: &size.barcodes,
            id,
            warehouse_id,
            office_id: warehouse.office.id,
            nm_id: order.nm_id,
            chrt_id: order.chrt_id,
            price: order.paid_price,
            converted_price: order.paid_price,
            currency_code: ROUBLE,
            converted_currency_code: ROUBLE,
            cargo_type: 1,
            cross_border_type: 0,
            comment: "",
            is_zero_order: false,
            options: json!({"isB2B": false}),
        })
    }
}

pub(super) async fn assembly_orders(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    query: web::Query<AssemblyQuery>,
) -> HttpResponse {
    let state = shared.present();
    let now = state.world.now();
    let Some(Period { limit, after, from, to }) = query.period(now) else {
        return errors::marketplace(
            StatusCode::BAD_REQUEST,
            "IncorrectParameter",
            "Передан некорректный параметр",
        );
    };
    let seller = &state.world.sellers[caller.seller];
    let oldest = from.max(now - TimeDelta::days(KEPT_DAYS));
    // Numbers grow with time, so the order of the list is that of the numbers.
    let mut found = seller
        .orders
        .iter()
        .filter_map(|order| Some((order.assembly_id?, order)))
        .filter(|(id, order)| *id > after && oldest <= order.ordered_at && order.ordered_at <= to);
    let orders: Vec<_> =
        found.by_ref().take(limit).filter_map(|(id, order)| AssemblyOrder::of(seller, id, order)).collect();
    let next = if found.next().is_some() { orders.last().map_or(0, |order| order.id) } else { 0 };
    HttpResponse::Ok().json(json!({"next": next, "orders": orders}))
}

fn stamp(moment: DateTime<Utc>) -> String {
    calendar::local(moment).format("%Y-%m-%dT%H:%M:%S").to_string()
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

fn roubles(kopecks: u32) -> f64 {
    f64::from(kopecks) / 100.0
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
