//! Health checks; each also with or without its final slash.

use actix_web::{
    HttpResponse, get,
    web::{Data, Json},
};
use app::App;
use serde::Serialize;

use super::views::{Alive, Detailed, Overview, Ready, ServiceStatus};
use crate::service::Shared;

/// Health of the service and of what it needs.
#[utoipa::path(
    tag = "Health",
    operation_id = "health",
    security(()),
    responses(
        (status = 200, description = "It can serve", body = Overview),
        (status = 503, description = "It cannot", body = Overview),
    ),
)]
#[get("/health")]
pub(super) async fn health(shared: Data<Shared>) -> HttpResponse {
    let report = shared.health.report().await;
    answer(report.serves(), &Overview::new(&report, &shared.settings))
}

/// Health of each component, disk, memory, queues of jobs and schedule of syncs; at most ten seconds old.
#[utoipa::path(
    tag = "Health",
    operation_id = "healthDetailed",
    security(()),
    responses(
        (status = 200, description = "All is well", body = Detailed),
        (status = 503, description = "Something is missing or running out", body = Detailed),
    ),
)]
#[get("/health/detailed")]
pub(super) async fn detailed(shared: Data<Shared>) -> HttpResponse {
    let view = Detailed::new(&*shared.health.detailed().await, &shared.settings);
    answer(view.is_healthy(), &view)
}

/// That the service answers.
#[utoipa::path(tag = "Health", operation_id = "healthService", security(()), responses((status = 200, description = "It answers", body = ServiceStatus)))]
#[get("/health/")]
pub(super) async fn service(app: Data<App>) -> Json<impl Serialize> {
    Json(ServiceStatus::at(app.clock().now()))
}

/// Whether traffic may be sent here: the database is reachable, its schema current, and the process is not stopping.
#[utoipa::path(
    tag = "Health",
    operation_id = "healthReady",
    security(()),
    responses(
        (status = 200, description = "Ready", body = Ready),
        (status = 503, description = "Not ready", body = Ready),
    ),
)]
#[get("/health/ready")]
pub(super) async fn ready(app: Data<App>, shared: Data<Shared>) -> HttpResponse {
    let ready = shared.health.ready().await;
    answer(ready, &Ready::new(ready, app.clock().now(), &*shared.health.report().await))
}

/// That the process lives.
#[utoipa::path(tag = "Health", operation_id = "healthLive", security(()), responses((status = 200, description = "It lives", body = Alive)))]
#[get("/health/live")]
pub(super) async fn live(app: Data<App>) -> Json<impl Serialize> {
    Json(Alive::at(app.clock().now()))
}

fn answer(well: bool, view: &impl Serialize) -> HttpResponse {
    let mut response = if well { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(view)
}
