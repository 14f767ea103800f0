//! `/api/v1/tenants/me`.

use actix_web::{
    get, patch,
    web::{Data, Json},
};
use app::App;

use super::{inputs::TenantInput, views::TenantView};
use crate::{
    extract::{Authenticated, Body, NoQuery},
    problem::Problem,
};

/// Your company.
#[utoipa::path(tag = "Tenant", operation_id = "getTenant", responses((status = 200, description = "Your company", body = TenantView)))]
#[get("/tenants/me")]
pub(super) async fn mine(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
) -> Result<Json<TenantView>, Problem> {
    Ok(Json(app.tenants().mine(&caller).await?.into()))
}

/// Change your company's settings.
///
/// For owners.
#[utoipa::path(
    tag = "Tenant",
    operation_id = "changeTenant",
    request_body = TenantInput,
    responses((status = 200, description = "As it is now", body = TenantView)),
)]
#[patch("/tenants/me")]
pub(super) async fn change(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    body: Body<TenantInput>,
) -> Result<Json<TenantView>, Problem> {
    Ok(Json(app.tenants().change(&caller, body.0.into()).await?.into()))
}
