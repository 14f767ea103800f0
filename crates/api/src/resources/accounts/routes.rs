//! `/api/v1/marketplace-accounts`.

use actix_web::{
    HttpResponse, delete, get,
    http::header::LOCATION,
    patch, post,
    web::{Data, Json},
};
use app::App;
use domain::ids::AccountId;

use super::{
    inputs::{AccountInput, AccountsQuery, NewAccountInput},
    views::AccountView,
};
use crate::{
    extract::{Authenticated, Body, Id, NoBody, NoQuery, Query, page_request},
    problem::{Problem, ProblemBody},
    view::Listed,
};

/// Your marketplace accounts, oldest first.
#[utoipa::path(
    tag = "Marketplaces",
    operation_id = "listMarketplaceAccounts",
    params(AccountsQuery),
    responses((status = 200, description = "A part of the list", body = Listed<AccountView>)),
)]
#[get("/marketplace-accounts")]
pub(super) async fn list(
    app: Data<App>,
    caller: Authenticated,
    query: Query<AccountsQuery>,
) -> Result<Json<Listed<AccountView>>, Problem> {
    let page = page_request(query.0.limit, query.0.cursor);
    Ok(Json(Listed::of(app.accounts().list(&caller, &page).await?)))
}

/// Connect a marketplace account.
///
/// The marketplace is asked with a real call whether it accepts the credential; then the credential is sealed and the
/// first sync is queued. A `manual` account has no credential and is never synced: import its catalogue and stock. For
/// admins and owners.
#[utoipa::path(
    tag = "Marketplaces",
    operation_id = "connectMarketplaceAccount",
    request_body = NewAccountInput,
    responses(
        (status = 201, description = "Connected; where there is something to sync, the first sync is queued", body = AccountView, headers(("Location" = String, description = "Path of the account"))),
        (status = 409, description = "`account_exists`, `idempotency_in_progress`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`; `credentials_invalid`, `credentials_expired` or `credentials_scope` where the marketplace refuses the credential, with the field in `errors`; `idempotency_key_reused`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`marketplace_unavailable`, `unavailable`; come back after `Retry-After` seconds", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post(
    "/marketplace-accounts",
    wrap = "actix_web::middleware::from_fn(crate::middleware::idempotency::layer)"
)]
pub(super) async fn connect(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    body: Body<NewAccountInput>,
) -> Result<HttpResponse, Problem> {
    let account = AccountView::from(app.accounts().connect(&caller, body.0.into()).await?);
    let location = format!("/api/v1/marketplace-accounts/{}", account.id);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(account))
}

/// One marketplace account.
#[utoipa::path(
    tag = "Marketplaces",
    operation_id = "getMarketplaceAccount",
    params(("id" = uuid::Uuid, Path, description = "Id of the account")),
    responses((status = 200, description = "The account", body = AccountView)),
)]
#[get("/marketplace-accounts/{id}")]
pub(super) async fn get(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<AccountId>,
) -> Result<Json<AccountView>, Problem> {
    Ok(Json(app.accounts().get(&caller, id.0).await?.into()))
}

/// Change a marketplace account.
///
/// A new credential must be of the same seller; the marketplace is asked about it first. For admins and owners.
#[utoipa::path(
    tag = "Marketplaces",
    operation_id = "changeMarketplaceAccount",
    params(("id" = uuid::Uuid, Path, description = "Id of the account")),
    request_body = AccountInput,
    responses(
        (status = 200, description = "As it is now", body = AccountView),
        (status = 409, description = "`seller_changed`, `not_synced`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`; `credentials_invalid`, `credentials_expired` or `credentials_scope` where the marketplace refuses the credential", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`marketplace_unavailable`, `unavailable`; come back after `Retry-After` seconds", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[patch("/marketplace-accounts/{id}")]
pub(super) async fn change(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<AccountId>,
    body: Body<AccountInput>,
) -> Result<Json<AccountView>, Problem> {
    Ok(Json(app.accounts().change(&caller, id.0, body.0.into()).await?.into()))
}

/// Forget a marketplace account.
///
/// With its credential and everything that was read from it. For admins and owners.
#[utoipa::path(
    tag = "Marketplaces",
    operation_id = "removeMarketplaceAccount",
    params(("id" = uuid::Uuid, Path, description = "Id of the account")),
    responses((status = 204, description = "Forgotten")),
)]
#[delete("/marketplace-accounts/{id}")]
pub(super) async fn remove(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<AccountId>,
) -> Result<HttpResponse, Problem> {
    app.accounts().remove(&caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ask the marketplace about the credential again.
///
/// For admins and owners.
#[utoipa::path(
    tag = "Marketplaces",
    operation_id = "verifyMarketplaceAccount",
    params(("id" = uuid::Uuid, Path, description = "Id of the account")),
    responses(
        (status = 200, description = "The credential is accepted; the account as it is now", body = AccountView),
        (status = 409, description = "`seller_changed`, `not_synced`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`credentials_invalid`, `credentials_expired` or `credentials_scope`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`marketplace_unavailable`, `unavailable`; come back after `Retry-After` seconds", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/marketplace-accounts/{id}/verify")]
pub(super) async fn verify(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<AccountId>,
    _body: NoBody,
) -> Result<Json<AccountView>, Problem> {
    Ok(Json(app.accounts().verify(&caller, id.0).await?.into()))
}
