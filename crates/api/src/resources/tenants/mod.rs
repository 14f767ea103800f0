//! The caller's own company.

mod inputs;
mod routes;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) use views::TenantView;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(routes::mine).service(routes::change);
}
