//! Lists as files: stock as CSV and NDJSON, row after row; products as a workbook.

mod attachment;
mod csv;
mod inputs;
mod ndjson;
mod routes;
mod stream;
mod titles;
mod workbook;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(routes::stocks_csv).service(routes::stocks_ndjson).service(routes::products_xlsx);
}
