//! `/api/v1/stocks`.

use actix_web::{
    get,
    web::{Data, Json},
};
use app::App;
use domain::{
    ids::{AccountId, ProductId, WarehouseId},
    picture::StockFilter,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::StockView;
use crate::{
    extract::{Authenticated, Query, QueryNumber, Text, page_request},
    problem::Problem,
    view::Listed,
};

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StocksQuery {
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Of one product.
    #[param(value_type = Option<uuid::Uuid>)]
    product_id: Option<ProductId>,
    /// In one warehouse.
    #[param(value_type = Option<uuid::Uuid>)]
    warehouse_id: Option<WarehouseId>,
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000, default = 50)]
    limit: Option<QueryNumber<1, 1000>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    cursor: Option<Text<1, 512>>,
}

/// Stock, one row for each variant and warehouse.
///
/// A row exists wherever stock was ever read, or something was ordered from in the window.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "listStocks",
    params(StocksQuery),
    responses((status = 200, description = "A part of the list", body = Listed<StockView>)),
)]
#[get("/stocks")]
pub(super) async fn list(
    app: Data<App>,
    caller: Authenticated,
    query: Query<StocksQuery>,
) -> Result<Json<Listed<StockView>>, Problem> {
    let StocksQuery { account_id, product_id, warehouse_id, limit, cursor } = query.0;
    let filter = StockFilter { account_id, product_id, warehouse_id };
    Ok(Json(Listed::of(app.catalogue().stocks(&caller, &filter, &page_request(limit, cursor)).await?)))
}
