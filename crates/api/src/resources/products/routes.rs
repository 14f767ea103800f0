//! `/api/v1/products`.

use actix_web::{
    get,
    web::{Data, Json},
};
use app::App;
use domain::ids::ProductId;

use super::{
    inputs::{HistoryQuery, Part, ProductsQuery},
    views::{MovementView, ProductDetailView, ProductsView},
};
use crate::{
    extract::{Authenticated, Id, NoQuery, Query},
    problem::Problem,
    view::{Listed, Numbered},
};

/// Your products.
///
/// Those that are active, unless `status` says otherwise. Read on with `cursor`, or jump to pages with `page` and
/// `page_size`; not both.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "listProducts",
    params(ProductsQuery),
    responses((status = 200, description = "A part of the list", body = ProductsView)),
)]
#[get("/products")]
pub(super) async fn list(
    app: Data<App>,
    caller: Authenticated,
    query: Query<ProductsQuery>,
) -> Result<Json<ProductsView>, Problem> {
    let (query, part) = query.0.split()?;
    let catalogue = app.catalogue();
    Ok(Json(match part {
        Part::Keyset(page) => {
            ProductsView::Keyset(Listed::of(catalogue.products(&caller, &query, &page).await?))
        }
        Part::Numbered { page, page_size } => {
            let found = catalogue.products_numbered(&caller, &query, page, page_size).await?;
            ProductsView::Numbered(Numbered::of(found, page, page_size))
        }
    }))
}

/// One product with its variants and its stock by warehouse.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "getProduct",
    params(("id" = uuid::Uuid, Path, description = "Id of the product")),
    responses((status = 200, description = "The product", body = ProductDetailView)),
)]
#[get("/products/{id}")]
pub(super) async fn get(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<ProductId>,
) -> Result<Json<ProductDetailView>, Problem> {
    Ok(Json(app.catalogue().product(&caller, id.0).await?.into()))
}

/// Every change of a product's stock, newest first.
///
/// The level of a variant in a warehouse is what the newest of its changes left.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "getProductHistory",
    params(("id" = uuid::Uuid, Path, description = "Id of the product"), HistoryQuery),
    responses((status = 200, description = "A part of the list", body = Listed<MovementView>)),
)]
#[get("/products/{id}/history")]
pub(super) async fn history(
    app: Data<App>,
    caller: Authenticated,
    id: Id<ProductId>,
    query: Query<HistoryQuery>,
) -> Result<Json<Listed<MovementView>>, Problem> {
    let (filter, page) = query.0.split();
    Ok(Json(Listed::of(app.catalogue().history(&caller, id.0, &filter, &page).await?)))
}
