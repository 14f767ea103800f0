//! Marketplace accounts.

mod inputs;
mod routes;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(routes::list)
        .service(routes::connect)
        .service(routes::get)
        .service(routes::change)
        .service(routes::remove)
        .service(routes::verify);
}
