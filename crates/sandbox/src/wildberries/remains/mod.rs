//! The asynchronous report of what lies in the marketplace's warehouses: its order, its state, its content.

mod query;
mod rows;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse, web};
use serde_json::json;
use uuid::Uuid;

use super::errors;
use crate::edge::Caller;
use crate::state::{Shared, State};
use query::RemainsQuery;
use rows::rows;

pub(crate) async fn create(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    query: web::Query<RemainsQuery>,
) -> Result<HttpResponse, Error> {
    let wanted = query.wanted()?;
    let mut state = shared.present();
    let rows = rows(&state.world.sellers[caller.seller], state.world.masked, &wanted);
    let body = if rows.is_empty() { Bytes::new() } else { serde_json::to_vec(&rows)?.into() };
    let now = state.now;
    let id = state.reports.create(caller.seller, body, caller.end_report, now);
    Ok(HttpResponse::Ok().json(json!({"data": {"taskId": id}})))
}

/// The id in the path, once a fault has had its way with the report.
fn task(state: &mut State, caller: &Caller, text: &str) -> Result<Uuid, Error> {
    let id = text.parse().map_err(|error: uuid::Error| {
        let detail = format!(
            "Invalid format for parameter task_id: error unmarshaling '{text}' text as *uuid.UUID: {error}"
        );
        errors::refusal(errors::reports(StatusCode::BAD_REQUEST, "Bad Request", &detail))
    })?;
    if let Some(end) = caller.end_report {
        state.reports.end(caller.seller, id, end);
    }
    Ok(id)
}

pub(crate) async fn status(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    task_id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let mut state = shared.present();
    let id = task(&mut state, &caller, &task_id)?;
    let status = state.reports.status(caller.seller, id, state.now);
    let status = status.ok_or_else(|| errors::refusal(errors::report_not_found()))?;
    Ok(HttpResponse::Ok().json(json!({"data": {"id": id, "status": status}})))
}

pub(crate) async fn download(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    task_id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let mut state = shared.present();
    let id = task(&mut state, &caller, &task_id)?;
    let content = state.reports.content(caller.seller, id, state.now);
    let content = content.ok_or_else(|| errors::refusal(errors::report_not_found()))?;
    Ok(if content.is_empty() {
        HttpResponse::NoContent().finish()
    } else {
        HttpResponse::Ok().content_type("application/json").body(content)
    })
}
