//! `/api/v1/stocks.csv`, `/api/v1/stocks.ndjson`, `/api/v1/products.xlsx`.

use std::{fs::File, io};

use actix_web::{
    HttpResponse,
    body::SizedStream,
    get,
    http::header::{CONTENT_ENCODING, CONTENT_TYPE},
    web::{Bytes, Data},
};
use app::App;
use futures::{Stream, stream};
use tokio::io::AsyncReadExt as _;

use super::{
    attachment::attachment,
    csv::Csv,
    inputs::{ProductsXlsxQuery, Separator, StocksCsvQuery, StocksNdjsonQuery},
    ndjson::Ndjson,
    stream::send,
    workbook,
};
use crate::{
    extract::{Authenticated, Query},
    problem::{Problem, ProblemBody},
    service::Shared,
};

/// Bytes of a file that are sent at a time.
const PIECE: usize = 64 * 1024;

/// All stock as CSV, for spreadsheets.
///
/// The rows of `/stocks`, all of one moment, with a line of titles: UTF-8 with a byte order mark, lines ended by CRLF,
/// unknown values empty. Text that a spreadsheet would take for a formula, a number or a date has an apostrophe in
/// front; `text=exact` leaves it out, for programs alone.
///
/// The answer is streamed. It is whole if it ends properly; one that stops earlier is an error, as when its client does
/// not take it for half a minute.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "exportStocksCsv",
    params(StocksCsvQuery),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv", headers(("Content-Disposition" = String, description = "`attachment` and the name of the file")), example = "account_id,marketplace,…,available,reserved,on_hand,ordered_units,as_of\r\n0199c0de-0000-7000-8000-000000000010,wildberries,…,12,,,3,2026-01-31T12:00:00Z\r\n")),
)]
#[get("/stocks.csv")]
pub(super) async fn stocks_csv(
    app: Data<App>,
    shared: Data<Shared>,
    caller: Authenticated,
    query: Query<StocksCsvQuery>,
) -> Result<HttpResponse, Problem> {
    let (filter, at) = query.0.rows();
    let named = at.unwrap_or_else(|| app.clock().now());
    let export = app.exports().stocks(&caller, filter, at).await?;
    let separator = query.0.separator.unwrap_or_else(|| Separator::usual_in(export.locale()));
    let csv = Csv { separator, text: query.0.text.unwrap_or_default() };
    let rows = send(export, csv, shared.settings.export_patience).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header(attachment("stocks", named, "csv"))
        .streaming(rows))
}

/// All stock as NDJSON, for programs.
///
/// The rows of `/stocks`, all of one moment: one JSON object on each line. Streamed like `/stocks.csv`.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "exportStocksNdjson",
    params(StocksNdjsonQuery),
    responses((status = 200, description = "The file; each line is a `Stock`", body = String, content_type = "application/x-ndjson", headers(("Content-Disposition" = String, description = "`attachment` and the name of the file")), example = "{\"account_id\":\"0199c0de-0000-7000-8000-000000000010\",\"sku\":\"2038461935712\",\"available\":12}\n")),
)]
#[get("/stocks.ndjson")]
pub(super) async fn stocks_ndjson(
    app: Data<App>,
    shared: Data<Shared>,
    caller: Authenticated,
    query: Query<StocksNdjsonQuery>,
) -> Result<HttpResponse, Problem> {
    let (filter, at) = query.0.rows();
    let named = at.unwrap_or_else(|| app.clock().now());
    let export = app.exports().stocks(&caller, filter, at).await?;
    let rows = send(export, Ndjson, shared.settings.export_patience).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header(attachment("stocks", named, "ndjson"))
        .streaming(rows))
}

/// Products as a workbook (XLSX), with three columns for each warehouse.
///
/// A line for each product under two lines of titles: brand, category and articles; units in transit, returning, ordered
/// and in stock, and days of cover; then stock, orders and days in each warehouse where one of these products has any.
/// An empty cell is unknown, never zero. All of it is of one moment. A second sheet says what the figures mean and how
/// old they are. Titles are in your company's language.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "exportProductsXlsx",
    params(ProductsXlsxQuery),
    responses(
        (status = 200, description = "The file", body = [u8], content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", headers(("Content-Disposition" = String, description = "`attachment` and the name of the file"))),
        (status = 422, description = "`validation_failed`; `export_too_large` where one sheet does not hold it", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[get("/products.xlsx")]
pub(super) async fn products_xlsx(
    app: Data<App>,
    caller: Authenticated,
    query: Query<ProductsXlsxQuery>,
) -> Result<HttpResponse, Problem> {
    let export = app.exports().products(&caller, query.0.into()).await?;
    let taken_at = export.summary().taken_at;
    let file = workbook::make(export).await?;
    let length = file.metadata().map_err(Problem::internal)?.len();
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, workbook::MEDIA_TYPE))
        // It is packed as it is.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(attachment("products", taken_at, "xlsx"))
        .body(SizedStream::new(length, pieces(file))))
}

/// The bytes of a file, a piece at a time.
fn pieces(file: File) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(tokio::fs::File::from_std(file), async |mut file| {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then(|| (piece.into(), file)))
    })
}
