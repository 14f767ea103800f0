//! `/api/v1/analytics`.

use actix_web::{
    get,
    web::{Data, Json},
};
use app::App;

use super::{
    inputs::{ListQuery, LowStockQuery, LowStockWanted, PopulationQuery, SyncHistoryQuery, TurnoverQuery},
    views::{
        DashboardView, DistributionView, LowStockView, PlaceView, SyncHistoryView, TopProductView,
        TurnoverView,
    },
};
use crate::{
    extract::{Authenticated, NoQuery, Query},
    problem::Problem,
    view::Listed,
};

/// Your company at a glance.
#[utoipa::path(tag = "Analytics", operation_id = "getDashboard", responses((status = 200, description = "The figures", body = DashboardView)))]
#[get("/analytics/dashboard")]
pub(super) async fn dashboard(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
) -> Result<Json<DashboardView>, Problem> {
    Ok(Json(app.analytics().dashboard(&caller).await?.into()))
}

/// Active products that are low or out, least stock first.
///
/// Low is a stock above 0 and below `threshold`; without it, what your company's rule calls low, by units or by days of
/// cover. Products that are out are listed in front unless `include_out_of_stock=false`; `rule` in the answer says so.
/// Without them there are as many as the dashboard's `low_stock_count`, with them `out_of_stock_count` more. Products
/// whose stock is not known are neither.
#[utoipa::path(
    tag = "Analytics",
    operation_id = "getLowStock",
    params(LowStockQuery),
    responses((status = 200, description = "A part of the list, with the rule behind it", body = LowStockView)),
)]
#[get("/analytics/low-stock")]
pub(super) async fn low_stock(
    app: Data<App>,
    caller: Authenticated,
    query: Query<LowStockQuery>,
) -> Result<Json<LowStockView>, Problem> {
    let LowStockWanted { of, units, with_out, page } = query.0.split();
    Ok(Json(app.analytics().low_stock(&caller, of, units, with_out, &page).await?.into()))
}

/// Active products that were ordered in the window, most units first.
#[utoipa::path(
    tag = "Analytics",
    operation_id = "getTopProducts",
    params(ListQuery),
    responses((status = 200, description = "A part of the list", body = Listed<TopProductView>)),
)]
#[get("/analytics/top-products")]
pub(super) async fn top_products(
    app: Data<App>,
    caller: Authenticated,
    query: Query<ListQuery>,
) -> Result<Json<Listed<TopProductView>>, Problem> {
    let (of, page) = query.0.split();
    Ok(Json(Listed::of(app.analytics().top_products(&caller, of, &page).await?)))
}

/// How fast stock turns over: active products one by one, and all of them together.
///
/// `totals` are of every product that the query is about, whatever part of the list is given.
#[utoipa::path(
    tag = "Analytics",
    operation_id = "getTurnover",
    params(TurnoverQuery),
    responses((status = 200, description = "A part of the list, with the totals of all", body = TurnoverView)),
)]
#[get("/analytics/turnover")]
pub(super) async fn turnover(
    app: Data<App>,
    caller: Authenticated,
    query: Query<TurnoverQuery>,
) -> Result<Json<TurnoverView>, Problem> {
    let (of, order, page) = query.0.split();
    Ok(Json(app.analytics().turnover(&caller, of, order, &page).await?.into()))
}

/// How many active products have how much stock.
///
/// Each product is counted once; those whose stock is not known are told apart, and not counted as out.
#[utoipa::path(
    tag = "Analytics",
    operation_id = "getStockDistribution",
    params(PopulationQuery),
    responses((status = 200, description = "Products in each step", body = DistributionView)),
)]
#[get("/analytics/stock-distribution")]
pub(super) async fn stock_distribution(
    app: Data<App>,
    caller: Authenticated,
    query: Query<PopulationQuery>,
) -> Result<Json<DistributionView>, Problem> {
    Ok(Json(app.analytics().stock_distribution(&caller, query.0.population()).await?.into()))
}

/// Warehouses with the stock and the orders of active products, most stock first.
///
/// Warehouses whose stock is not known come last. The stock of all of them adds up to the dashboard's `total_stock`.
/// Their orders add up to its `total_orders` less the units whose warehouse the marketplace does not tell.
#[utoipa::path(
    tag = "Analytics",
    operation_id = "getWarehouseBreakdown",
    params(ListQuery),
    responses((status = 200, description = "A part of the list", body = Listed<PlaceView>)),
)]
#[get("/analytics/warehouses")]
pub(super) async fn warehouses(
    app: Data<App>,
    caller: Authenticated,
    query: Query<ListQuery>,
) -> Result<Json<Listed<PlaceView>>, Problem> {
    let (of, page) = query.0.split();
    Ok(Json(Listed::of(app.analytics().warehouses(&caller, of, &page).await?)))
}

/// How syncs have ended, day by day.
///
/// A sync counts on the day on which it ended, in your company's time zone. Days without syncs are there too. The syncs
/// themselves are under `/api/v1/syncs`.
#[utoipa::path(
    tag = "Analytics",
    operation_id = "getSyncHistory",
    params(SyncHistoryQuery),
    responses((status = 200, description = "The days, oldest first", body = SyncHistoryView)),
)]
#[get("/analytics/sync-history")]
pub(super) async fn sync_history(
    app: Data<App>,
    caller: Authenticated,
    query: Query<SyncHistoryQuery>,
) -> Result<Json<SyncHistoryView>, Problem> {
    let (of, days) = query.0.split();
    Ok(Json(app.analytics().sync_history(&caller, of, days).await?.into()))
}
