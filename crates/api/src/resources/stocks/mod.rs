//! Stock, one row for each variant and warehouse.

mod routes;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) use views::StockView;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(routes::list);
}
