//! `/api/v1/warehouses`.

use actix_web::{
    get,
    web::{Data, Json},
};
use app::App;
use domain::ids::AccountId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::WarehouseView;
use crate::{
    extract::{Authenticated, Query, QueryNumber, Text, page_request},
    problem::Problem,
    view::Listed,
};

/// Which warehouses.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WarehousesQuery {
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<QueryNumber<1, 200>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    cursor: Option<Text<1, 512>>,
}

/// Warehouses with the stock and the orders of active products.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "listWarehouses",
    params(WarehousesQuery),
    responses((status = 200, description = "A part of the list", body = Listed<WarehouseView>)),
)]
#[get("/warehouses")]
pub(super) async fn list(
    app: Data<App>,
    caller: Authenticated,
    query: Query<WarehousesQuery>,
) -> Result<Json<Listed<WarehouseView>>, Problem> {
    let WarehousesQuery { account_id, limit, cursor } = query.0;
    Ok(Json(Listed::of(app.catalogue().warehouses(&caller, account_id, &page_request(limit, cursor)).await?)))
}
