//! `/api/v1/orders`.

use actix_web::{
    get,
    web::{Data, Json},
};
use app::App;
use domain::{
    ids::{AccountId, ProductId},
    picture::OrderFilter,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::OrderLineView;
use crate::{
    extract::{Authenticated, Moment, Query, QueryNumber, Text, page_request},
    problem::Problem,
    view::Listed,
};

/// Which lines.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OrdersQuery {
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Of one product.
    #[param(value_type = Option<uuid::Uuid>)]
    product_id: Option<ProductId>,
    /// Ordered at this moment or later.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-01-31T00:00:00Z")]
    from: Option<Moment>,
    /// Ordered before this moment.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-02-07T00:00:00Z")]
    to: Option<Moment>,
    /// In this state, in the marketplace's word.
    #[param(value_type = Option<String>, max_length = 100)]
    status: Option<Text<1, 100>>,
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000, default = 50)]
    limit: Option<QueryNumber<1, 1000>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    cursor: Option<Text<1, 512>>,
}

/// Order lines, newest first.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "listOrders",
    params(OrdersQuery),
    responses((status = 200, description = "A part of the list", body = Listed<OrderLineView>)),
)]
#[get("/orders")]
pub(super) async fn list(
    app: Data<App>,
    caller: Authenticated,
    query: Query<OrdersQuery>,
) -> Result<Json<Listed<OrderLineView>>, Problem> {
    let OrdersQuery { account_id, product_id, from, to, status, limit, cursor } = query.0;
    let filter = OrderFilter {
        account_id,
        product_id,
        from: from.map(|moment| moment.0),
        to: to.map(|moment| moment.0),
        status: status.map(|status| status.0),
    };
    Ok(Json(Listed::of(app.catalogue().orders(&caller, &filter, &page_request(limit, cursor)).await?)))
}
