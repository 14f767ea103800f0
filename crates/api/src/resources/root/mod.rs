//! What the service says of itself, its documentation and its metrics.

mod docs;
mod metrics;
mod redoc;
mod routes;

use utoipa_actix_web::service_config::ServiceConfig;

use crate::settings::Settings;

pub(super) fn configure(config: &mut ServiceConfig, settings: &Settings) {
    config.service(routes::root).service(routes::information);
    if settings.serve_metrics {
        config.service(metrics::page);
    }
    if settings.docs_enabled {
        config.service(docs::document).service(docs::index).service(docs::asset);
        config.service(redoc::index).service(redoc::asset);
    }
}
