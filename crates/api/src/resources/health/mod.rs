//! Whether the service is well, for balancers, orchestrators and people.

mod routes;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(routes::health).service(routes::detailed);
}

pub(super) fn configure_versioned(config: &mut ServiceConfig) {
    config.service(routes::service).service(routes::ready).service(routes::live);
}
