//! The report of all order lines.

use actix_web::{Error, HttpResponse, web};
use serde::Serialize;

use super::statistics::{self, Entry, Line, ReportQuery, roubles, stamp};
use crate::edge::Caller;
use crate::state::Shared;
use crate::world::orders::Stage;
use crate::world::seller::Seller;

const NEVER: &str = "0001-01-01T00:00:00";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderRow<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    finished_price: f64,
    price_with_disc: f64,
    is_cancel: bool,
    cancel_date: String,
}

impl<'a> OrderRow<'a> {
    fn of(seller: &'a Seller, entry: &Entry<'a>) -> Option<Self> {
        let order = entry.order;
        Some(Self {
            line: Line::of(seller, entry)?,
            finished_price: roubles(order.paid_price),
            price_with_disc: roubles(order.discounted_price),
            is_cancel: order.stage == Stage::Cancelled,
            cancel_date: order.cancelled_at.map_or_else(|| NEVER.to_owned(), stamp),
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
    let entries = seller.orders.iter().map(|order| Entry {
        order,
        dated: order.ordered_at,
        changed_at: order.changed_at,
        is_return: false,
    });
    let page = statistics::page(&state, &query, entries)?;
    let rows = page.iter().filter_map(|entry| OrderRow::of(seller, entry));
    Ok(HttpResponse::Ok().json(rows.collect::<Vec<_>>()))
}
