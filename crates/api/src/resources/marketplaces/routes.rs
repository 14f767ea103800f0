//! `/api/v1/marketplaces`.

use actix_web::{
    get,
    web::{Data, Json},
};
use app::App;

use super::views::MarketplacesView;
use crate::{
    extract::{Authenticated, NoQuery},
    problem::Problem,
};

/// Marketplaces that can be connected, and what their credentials are made of.
#[utoipa::path(tag = "Marketplaces", operation_id = "listMarketplaces", responses((status = 200, description = "All of them", body = MarketplacesView)))]
#[get("/marketplaces")]
pub(super) async fn list(
    app: Data<App>,
    _caller: Authenticated,
    _query: NoQuery,
) -> Result<Json<MarketplacesView>, Problem> {
    Ok(Json(MarketplacesView::of(app.accounts().marketplaces())))
}
