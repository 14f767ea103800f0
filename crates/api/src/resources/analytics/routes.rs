//! `/api/v1/analytics`.

use actix_web::{
    get,
    web::{Data, Json},
};
use app::App;

use super::views::DashboardView;
use crate::{
    extract::{Authenticated, NoQuery},
    problem::Problem,
};

/// Your company at a glance.
#[utoipa::path(tag = "Analytics", operation_id = "getDashboard", responses((status = 200, description = "The figures", body = DashboardView)))]
#[get("/analytics/dashboard")]
pub(super) async fn dashboard(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
) -> Result<Json<DashboardView>, Problem> {
    Ok(Json(app.catalogue().dashboard(&caller).await?.into()))
}
