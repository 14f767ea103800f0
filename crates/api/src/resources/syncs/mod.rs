//! Syncs: asking for them, watching them, stopping them.

mod events;
mod inputs;
mod routes;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(routes::request)
        .service(routes::request_all)
        .service(routes::list)
        .service(routes::get)
        .service(routes::cancel)
        .service(events::watch);
}
