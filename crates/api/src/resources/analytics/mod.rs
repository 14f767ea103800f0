//! Figures over the whole company: sums, rankings and histories of what the catalogue shows one by one.

mod inputs;
mod routes;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(routes::dashboard)
        .service(routes::low_stock)
        .service(routes::top_products)
        .service(routes::turnover)
        .service(routes::stock_distribution)
        .service(routes::warehouses)
        .service(routes::sync_history);
}
