//! The report of sales and returns.

use actix_web::{Error, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::statistics::{self, Entry, Line, ReportQuery, roubles};
use crate::edge::Caller;
use crate::state::Shared;
use crate::world::seller::Seller;

/// How long the amounts of a new row are 0. The marketplace fills them in within a day and does not call that a
/// change of the row.
const FILLED_AFTER: TimeDelta = TimeDelta::hours(12);
/// What the marketplace keeps of the discounted price, in percent.
const COMMISSION: u32 = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SalesRow<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    payment_sale_amount: u32,
    for_pay: f64,
    finished_price: f64,
    price_with_disc: f64,
    #[serde(rename = "saleID")]
    sale_id: String,
}

impl<'a> SalesRow<'a> {
    fn of(seller: &'a Seller, entry: &Entry<'a>, now: DateTime<Utc>) -> Option<Self> {
        let order = entry.order;
        let is_filled = entry.dated + FILLED_AFTER <= now;
        let amount = |kopecks| roubles(if is_filled { kopecks } else { 0 });
        let letter = if entry.is_return { 'R' } else { 'S' };
        Some(Self {
            line: Line::of(seller, entry)?,
            payment_sale_amount: 0,
            for_pay: amount(order.discounted_price / 100 * (100 - COMMISSION)),
            finished_price: amount(order.paid_price),
            price_with_disc: amount(order.discounted_price),
            sale_id: format!("{letter}{}", order.number),
        })
    }
}

pub(super) async fn report(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    query: web::Query<ReportQuery>,
) -> Result<HttpResponse, Error> {
    let state = shared.present();
    let seller = &state.world.sellers[caller.seller];
    let entries = seller.orders.iter().flat_map(|order| {
        let moments = [(order.delivered_at, false), (order.returned_at, true)];
        moments.into_iter().filter_map(move |(moment, is_return)| {
            moment.map(|moment| Entry { order, dated: moment, changed_at: moment, is_return })
        })
    });
    let page = statistics::page(&state, &query, entries)?;
    let now = state.world.now();
    let rows = page.iter().filter_map(|entry| SalesRow::of(seller, entry, now));
    Ok(HttpResponse::Ok().json(rows.collect::<Vec<_>>()))
}
