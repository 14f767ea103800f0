//! Assembly orders: those order lines that the seller ships.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::errors;
use crate::edge::Caller;
use crate::state::Shared;
use crate::world::orders::Order;
use crate::world::seller::Seller;
use crate::world::stock::Place;

/// Days for which the list keeps an order.
const KEPT_DAYS: i64 = 90;
const MAX_PERIOD_DAYS: i64 = 30;
const MAX_ORDERS: usize = 1000;
const ROUBLE: i32 = 643;

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
        let limit = self.limit.as_deref()?.parse().ok().filter(|limit| (1..=MAX_ORDERS).contains(limit))?;
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

pub(super) async fn list(
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
