//! `/api/v1/marketplace-accounts/{id}/imports`.

use actix_web::{
    post,
    web::{Data, Json},
};
use app::App;
use domain::{
    ids::AccountId,
    import::{ProductLine, StockLine},
};

use super::{
    file,
    inputs::{ProductsImportQuery, StockImportQuery},
    upload::Upload,
    views::{FileView, ProductsImportView, StockImportView},
};
use crate::{
    extract::{Authenticated, Id, Query},
    problem::{Problem, ProblemBody},
};

/// Import a catalogue.
///
/// For accounts of `manual`, which have no marketplace behind them. The body is the file itself: CSV with commas,
/// semicolons or tabs, in UTF-8, UTF-16 or windows-1251; or the first sheet of an XLSX workbook. At most 16 MiB and
/// 200,000 lines. The first line has the titles; a line is a variant.
///
/// A variant is known by `external_variant_id`, else by its `sku`, else by its `seller_article`; lines of one
/// `external_product_id`, else of one `seller_article`, are variants of one product. Other columns are `barcode`, `name`,
/// `brand`, `category` and `variant_name`. Titles are understood in English and Russian, as in «Артикул;Название;Штрихкод»;
/// `docs/imports.md` of the source has them all. What a column that is not there would say stays as it is.
///
/// The file is taken whole or not at all: with anything wrong in it, nothing is changed, and `errors` says where, as in
/// `/lines/7/sku`, with lines counted as editors and spreadsheets count them. For members and above.
#[utoipa::path(
    tag = "Imports",
    operation_id = "importProducts",
    params(("id" = uuid::Uuid, Path, description = "Id of the account"), ProductsImportQuery),
    request_body(
        description = "The file",
        content((String = "text/csv", example = "sku;name;barcode\r\nTS-001-XL;Cotton T-shirt;2038461935712\r\n"), ([u8] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")),
    ),
    responses(
        (status = 200, description = "It is imported; with `dry_run`, what would happen", body = ProductsImportView),
        (status = 409, description = "`not_importable`: the catalogue of this account is its marketplace's; `idempotency_in_progress`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`: the file is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`: neither `text/csv` nor a workbook, or compressed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`import_invalid` with everything wrong in `errors`, at most 1000 things, and their number in `errors_total`; `validation_failed`; `idempotency_key_reused`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post(
    "/marketplace-accounts/{id}/imports/products",
    wrap = "actix_web::middleware::from_fn(crate::middleware::idempotency::layer)",
    wrap = "actix_web::middleware::from_fn(super::upload::layer)"
)]
pub(super) async fn products(
    app: Data<App>,
    caller: Authenticated,
    query: Query<ProductsImportQuery>,
    id: Id<AccountId>,
    upload: Upload,
) -> Result<Json<ProductsImportView>, Problem> {
    let options = query.0.options();
    let opened = app.imports().open(&caller, id.0).await?;
    let (file, format) = upload.open()?;
    let contents = file::read::<ProductLine>(file, format.clone()).await?;
    let view = FileView::of(&contents, &format);
    let report = app.imports().products(opened, contents.file, options).await?;
    Ok(Json(ProductsImportView::of(&report, view, options)))
}

/// Import the stock of your own warehouses.
///
/// For accounts of `manual`, which have no marketplace behind them. The body is a file as in the import of a catalogue; a
/// line is the stock of a variant in a warehouse.
///
/// `available` must be there: whole units, 0 where there is none. The variant is the one of `external_variant_id`, else of
/// `sku`, `barcode` or `seller_article`, and must be in the catalogue. `warehouse_name` is the exact name of a warehouse of
/// yours, which is made if it is new; without such a column the parameter `warehouse` names one for all lines.
/// `warehouse_external_id`, `reserved` and `on_hand` may be there. A file of `/stocks.csv` can be imported as it is.
///
/// The file is taken whole or not at all, in one moment, and the history of each product tells of it with the cause
/// `import`. For members and above.
#[utoipa::path(
    tag = "Imports",
    operation_id = "importStock",
    params(("id" = uuid::Uuid, Path, description = "Id of the account"), StockImportQuery),
    request_body(
        description = "The file",
        content((String = "text/csv", example = "sku;warehouse_name;available\r\nTS-001-XL;Main warehouse;12\r\n"), ([u8] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")),
    ),
    responses(
        (status = 200, description = "It is imported; with `dry_run`, what would happen", body = StockImportView),
        (status = 409, description = "`not_importable`: the stock of this account is what its marketplace says; `idempotency_in_progress`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`: the file is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`: neither `text/csv` nor a workbook, or compressed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`import_invalid` with everything wrong in `errors`, at most 1000 things, and their number in `errors_total`; `validation_failed`; `idempotency_key_reused`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post(
    "/marketplace-accounts/{id}/imports/stock",
    wrap = "actix_web::middleware::from_fn(crate::middleware::idempotency::layer)",
    wrap = "actix_web::middleware::from_fn(super::upload::layer)"
)]
pub(super) async fn stock(
    app: Data<App>,
    caller: Authenticated,
    query: Query<StockImportQuery>,
    id: Id<AccountId>,
    upload: Upload,
) -> Result<Json<StockImportView>, Problem> {
    let options = query.0.options();
    let opened = app.imports().open(&caller, id.0).await?;
    let (file, format) = upload.open()?;
    let contents = file::read::<StockLine>(file, format.clone()).await?;
    let view = FileView::of(&contents, &format);
    let report = app.imports().stock(opened, contents.file, query.0.warehouse(), options).await?;
    Ok(Json(StockImportView::of(report, view, options)))
}
