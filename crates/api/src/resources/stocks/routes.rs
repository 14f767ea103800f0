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
    extract::{Authenticated, Moment, Query, QueryNumber, Text, page_request},
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
    /// As of this moment, which must have passed; as of now unless said.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-01-31T12:00:00Z")]
    at: Option<Moment>,
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000, default = 50)]
    limit: Option<QueryNumber<1, 1000>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    cursor: Option<Text<1, 512>>,
}

/// Stock, one row for each variant and warehouse.
///
/// A row exists wherever stock is known, or something was ordered from in the window.
///
/// With `at`, stock as it was at that moment: `available` as the last change until then left it, and `as_of` the moment
/// of that change, as `/products/{id}/history` tells them. What had not been measured by then, or was not counted any
/// more, has no row. Only changes of `available` are kept: `reserved`, `on_hand` and `ordered_units` are then null.
/// Names are those of today.
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
    let StocksQuery { account_id, product_id, warehouse_id, at, limit, cursor } = query.0;
    let filter = StockFilter { account_id, product_id, warehouse_id };
    let (catalogue, page) = (app.catalogue(), page_request(limit, cursor));
    Ok(Json(Listed::of(match at {
        Some(Moment(at)) => catalogue.stocks_as_of(&caller, &filter, at, &page).await?,
        None => catalogue.stocks(&caller, &filter, &page).await?,
    })))
}
