//! Warehouses with what lies in them.

mod routes;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(routes::list);
}
