//! `/api/v1/rate-limits`.

use actix_web::{
    HttpRequest, get,
    web::{Data, Json},
};

use super::views::RateLimitsView;
use crate::{
    context::Identity,
    extract::{Authenticated, NoQuery},
    problem::Problem,
    service::Shared,
};

/// Your limits, and what is left of them.
///
/// Every limit that holds for you, wherever. Reading this costs nothing. Empty where the operator has switched limits
/// off.
#[utoipa::path(tag = "Rate limits", operation_id = "listRateLimits", responses((status = 200, description = "All of them", body = RateLimitsView)))]
#[get("/rate-limits")]
pub(super) async fn get(
    shared: Data<Shared>,
    request: HttpRequest,
    caller: Authenticated,
    _query: NoQuery,
) -> Result<Json<RateLimitsView>, Problem> {
    let identity = Identity { tenant_id: caller.tenant_id(), user_id: caller.user_id() };
    Ok(Json(RateLimitsView::of(shared.limits.standing(&request, identity).await?.as_ref())))
}
