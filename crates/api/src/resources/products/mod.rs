//! Products with their figures.

mod explain;
mod inputs;
mod routes;
mod views;

pub(super) use inputs::{SortBy, SortOrder, StatusWanted};
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) use self::views::ProductView;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(routes::list).service(routes::get).service(routes::history).service(explain::explain);
}
