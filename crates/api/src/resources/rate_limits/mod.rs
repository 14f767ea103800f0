//! How the caller stands under the limits on requests.

mod routes;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(routes::get);
}
