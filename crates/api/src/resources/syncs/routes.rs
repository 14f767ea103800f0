//! `/api/v1/syncs`, and asking for syncs.

use actix_web::{
    HttpResponse, get,
    http::header::LOCATION,
    post,
    web::{Data, Json},
};
use app::{App, Conflict};
use domain::ids::{AccountId, SyncId};

use super::{
    inputs::SyncsQuery,
    views::{RequestedSyncView, RequestedSyncsView, SyncView},
};
use crate::{
    extract::{Authenticated, Id, NoBody, NoQuery, Query, page_request},
    problem::{Problem, ProblemBody},
    view::Listed,
};

/// Sync one account.
///
/// One that is pending or running is answered with its own status instead of a second one. For members and above.
#[utoipa::path(
    tag = "Syncs",
    operation_id = "syncMarketplaceAccount",
    params(("id" = uuid::Uuid, Path, description = "Id of the account")),
    responses(
        (status = 202, description = "It will run, or runs", body = RequestedSyncView, headers(("Location" = String, description = "Path of the sync"))),
        (status = 409, description = "`not_synced`, `idempotency_in_progress`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post(
    "/marketplace-accounts/{id}/sync",
    wrap = "actix_web::middleware::from_fn(crate::middleware::idempotency::layer)"
)]
pub(super) async fn request(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<AccountId>,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    let sync = RequestedSyncView::from(app.syncs().request(&caller, id.0).await?);
    let location = format!("/api/v1/syncs/{}", sync.sync_id);
    Ok(HttpResponse::Accepted().insert_header((LOCATION, location)).json(sync))
}

/// Sync every account.
///
/// Those that are paused are left out. For members and above.
#[utoipa::path(
    tag = "Syncs",
    operation_id = "syncProducts",
    responses(
        (status = 202, description = "They will run, or run", body = RequestedSyncsView, headers(("Location" = String, description = "Path of the first sync"))),
        (status = 409, description = "`no_account`, `idempotency_in_progress`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/products/sync", wrap = "actix_web::middleware::from_fn(crate::middleware::idempotency::layer)")]
pub(super) async fn request_all(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    let syncs = app.syncs().request_all(&caller).await?;
    let view = RequestedSyncsView::of(&syncs).ok_or(app::Error::Conflict(Conflict::NoAccount))?;
    let location = format!("/api/v1/syncs/{}", view.sync_id());
    Ok(HttpResponse::Accepted().insert_header((LOCATION, location)).json(view))
}

/// Your syncs, newest first.
#[utoipa::path(
    tag = "Syncs",
    operation_id = "listSyncs",
    params(SyncsQuery),
    responses((status = 200, description = "A part of the list", body = Listed<SyncView>)),
)]
#[get("/syncs")]
pub(super) async fn list(
    app: Data<App>,
    caller: Authenticated,
    query: Query<SyncsQuery>,
) -> Result<Json<Listed<SyncView>>, Problem> {
    let filter = query.0.filter();
    let page = page_request(query.0.limit, query.0.cursor);
    Ok(Json(Listed::of(app.syncs().list(&caller, &filter, &page).await?)))
}

/// One sync.
#[utoipa::path(
    tag = "Syncs",
    operation_id = "getSync",
    params(("id" = uuid::Uuid, Path, description = "Id of the sync")),
    responses((status = 200, description = "The sync", body = SyncView)),
)]
#[get("/syncs/{id}")]
pub(super) async fn get(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<SyncId>,
) -> Result<Json<SyncView>, Problem> {
    Ok(Json(app.syncs().get(&caller, id.0).await?.into()))
}

/// Stop a sync.
///
/// One that waits stops at once, one that reads after what it is reading; what has been read stays. For members and above.
#[utoipa::path(
    tag = "Syncs",
    operation_id = "cancelSync",
    params(("id" = uuid::Uuid, Path, description = "Id of the sync")),
    responses(
        (status = 200, description = "The sync as it is now", body = SyncView),
        (status = 409, description = "`sync_ended`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/syncs/{id}/cancel")]
pub(super) async fn cancel(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<SyncId>,
    _body: NoBody,
) -> Result<Json<SyncView>, Problem> {
    Ok(Json(app.syncs().cancel(&caller, id.0).await?.into()))
}
