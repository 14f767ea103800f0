//! The control API under `/sandbox/v1`: what the handle can do, for whoever has no handle. It is open to
//! everybody who reaches the port, which is why the sandbox listens on the loopback address only.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpResponse, ResponseError, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::faults::Fault;
use crate::state::Shared;
use crate::truth;
use crate::wildberries::auth::TokenSpec;
use crate::wildberries::reports::ReportEnd;
use crate::world::changes::ChangeError;

type Answer = Result<HttpResponse, ChangeError>;

impl ResponseError for ChangeError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotEnoughStock(_) => StatusCode::CONFLICT,
            _ => StatusCode::NOT_FOUND,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).json(json!({"error": self.to_string()}))
    }
}

/// Mounts the control API.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/sellers", web::get().to(sellers))
        .route("/sellers/{seller}/truth", web::get().to(read_truth))
        .route("/sellers/{seller}/stock", web::put().to(set_stock))
        .route("/sellers/{seller}/cards", web::post().to(add_card))
        .route("/sellers/{seller}/cards/{nm_id}", web::patch().to(rename_card))
        .route("/sellers/{seller}/cards/{nm_id}", web::delete().to(trash_card))
        .route("/sellers/{seller}/orders", web::post().to(place_order))
        .route("/sellers/{seller}/orders/{srid}", web::delete().to(cancel_order))
        .route("/sellers/{seller}/tokens", web::post().to(issue_token))
        .route("/sellers/{seller}/reports", web::get().to(list_reports))
        .route("/sellers/{seller}/reports/{task_id}", web::put().to(end_report))
        .route("/tokens/{token}", web::delete().to(revoke_token))
        .route("/report-seconds", web::put().to(set_report_seconds))
        .route("/masked", web::put().to(set_masked))
        .route("/faults", web::get().to(list_faults))
        .route("/faults", web::post().to(add_fault))
        .route("/faults", web::delete().to(clear_faults))
        .route("/requests", web::get().to(list_requests))
        .route("/requests", web::delete().to(clear_requests));
}

async fn sellers(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(&shared.present().sellers)
}

#[derive(Deserialize)]
struct At {
    at: Option<DateTime<Utc>>,
}

async fn read_truth(shared: Data<Shared>, seller: Path<usize>, query: Query<At>) -> Answer {
    let state = shared.present();
    let truth = truth::of(&state.world, *seller, query.at.unwrap_or(state.now))?;
    Ok(HttpResponse::Ok().json(truth))
}

#[derive(Deserialize)]
struct StockChange {
    chrt_id: i64,
    warehouse_id: i64,
    amount: u32,
}

async fn set_stock(shared: Data<Shared>, seller: Path<usize>, change: Json<StockChange>) -> Answer {
    let StockChange { chrt_id, warehouse_id, amount } = *change;
    shared.present().world.set_stock(*seller, chrt_id, warehouse_id, amount)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn add_card(shared: Data<Shared>, seller: Path<usize>) -> Answer {
    let card = shared.present().world.add_card(*seller)?;
    Ok(HttpResponse::Created().json(card))
}

#[derive(Deserialize)]
struct CardChange {
    title: String,
}

async fn rename_card(shared: Data<Shared>, path: Path<(usize, i64)>, change: Json<CardChange>) -> Answer {
    let (seller, nm_id) = *path;
    shared.present().world.rename_card(seller, nm_id, change.into_inner().title)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn trash_card(shared: Data<Shared>, path: Path<(usize, i64)>) -> Answer {
    let (seller, nm_id) = *path;
    shared.present().world.trash_card(seller, nm_id)?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize)]
struct NewOrder {
    chrt_id: i64,
    warehouse_id: i64,
    units: u32,
}

async fn place_order(shared: Data<Shared>, seller: Path<usize>, order: Json<NewOrder>) -> Answer {
    let NewOrder { chrt_id, warehouse_id, units } = *order;
    let srids = shared.present().world.place_order(*seller, chrt_id, warehouse_id, units)?;
    Ok(HttpResponse::Created().json(json!({"srids": srids})))
}

async fn cancel_order(shared: Data<Shared>, path: Path<(usize, String)>) -> Answer {
    let (seller, srid) = path.into_inner();
    shared.present().world.cancel_order(seller, &srid)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn issue_token(shared: Data<Shared>, seller: Path<usize>, spec: Json<TokenSpec>) -> Answer {
    let token = shared.present().issue_token(*seller, spec.into_inner())?;
    Ok(HttpResponse::Created().json(json!({"token": token})))
}

async fn revoke_token(shared: Data<Shared>, token: Path<String>) -> HttpResponse {
    done_or_unknown(shared.present().tokens.revoke(&token))
}

async fn list_reports(shared: Data<Shared>, seller: Path<usize>) -> Answer {
    let reports = shared.present().reports_of(*seller)?;
    Ok(HttpResponse::Ok().json(json!({"created": reports.len(), "reports": reports})))
}

async fn end_report(shared: Data<Shared>, path: Path<(usize, Uuid)>, end: Json<ReportEnd>) -> HttpResponse {
    let (seller, task_id) = *path;
    done_or_unknown(shared.present().reports.end(seller, task_id, *end))
}

async fn set_report_seconds(shared: Data<Shared>, seconds: Json<u64>) -> HttpResponse {
    shared.present().reports.set_time(Duration::from_secs(*seconds));
    HttpResponse::NoContent().finish()
}

fn done_or_unknown(is_known: bool) -> HttpResponse {
    HttpResponse::build(if is_known { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }).finish()
}

async fn set_masked(shared: Data<Shared>, masked: Json<bool>) -> HttpResponse {
    shared.present().world.masked = *masked;
    HttpResponse::NoContent().finish()
}

async fn list_faults(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.present().faults.list())
}

/// A fault that names neither a path nor a method may be meant for all, or misspelt: it has to say `/`.
async fn add_fault(shared: Data<Shared>, fault: Json<Fault>) -> HttpResponse {
    if fault.path_prefix.is_empty() && fault.operation.is_none() {
        return HttpResponse::BadRequest()
            .json(json!({"error": "a fault needs a path_prefix or an operation"}));
    }
    shared.present().faults.add(fault.into_inner());
    HttpResponse::NoContent().finish()
}

async fn clear_faults(shared: Data<Shared>) -> HttpResponse {
    shared.present().faults.clear();
    HttpResponse::NoContent().finish()
}

async fn list_requests(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(&shared.present().requests)
}

async fn clear_requests(shared: Data<Shared>) -> HttpResponse {
    shared.present().requests.clear();
    HttpResponse::NoContent().finish()
}
