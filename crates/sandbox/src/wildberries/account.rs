//! `/ping` and the seller's data: the same for tokens of every category.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::edge::Caller;
use crate::state::Shared;
use crate::world::calendar;

pub(super) async fn ping(shared: web::Data<Shared>) -> HttpResponse {
    let now = shared.present().now;
    let stamp = format!("{}+03:00", calendar::local(now).format("%Y-%m-%dT%H:%M:%S"));
    HttpResponse::Ok().json(json!({"TS": stamp, "Status": "OK"}))
}

pub(super) async fn seller_info(shared: web::Data<Shared>, caller: web::ReqData<Caller>) -> HttpResponse {
    let state = shared.present();
    let seller = &state.world.sellers[caller.seller];
    HttpResponse::Ok().json(json!({
        "name": seller.name,
        "sid": seller.sid,
        "tin": seller.tin,
        "tradeMark": seller.trade_mark,
    }))
}
