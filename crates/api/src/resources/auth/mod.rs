//! Registering, signing in, staying signed in, signing out.

mod inputs;
mod routes;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

/// What nobody has to be known for.
pub(super) fn configure_public(config: &mut ServiceConfig) {
    config.service(routes::register).service(routes::login).service(routes::refresh);
}

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(routes::logout).service(routes::me);
}
