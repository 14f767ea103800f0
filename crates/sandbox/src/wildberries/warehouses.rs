//! The list of the seller's warehouses.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::edge::Caller;
use crate::state::Shared;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Warehouse {
    name: &'static str,
    office_id: i64,
    id: i64,
    cargo_type: i32,
    delivery_type: i32,
    is_deleting: bool,
    is_processing: bool,
}

pub(super) async fn list(shared: web::Data<Shared>, caller: web::ReqData<Caller>) -> HttpResponse {
    let state = shared.present();
    let warehouses = state.world.sellers[caller.seller].warehouses.iter().map(|warehouse| Warehouse {
        name: warehouse.name,
        office_id: warehouse.office.id,
        id: warehouse.id,
        cargo_type: 1,
        delivery_type: 1,
        is_deleting: false,
        is_processing: false,
    });
    HttpResponse::Ok().json(warehouses.collect::<Vec<_>>())
}
