//! Files that are imported into accounts without a marketplace: a catalogue, or stock.

mod file;
mod inputs;
mod page;
mod routes;
mod upload;
mod views;

pub use page::imports_page;
pub(crate) use upload::Received;
pub(super) use upload::UPLOAD_LIMIT;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(routes::products).service(routes::stock);
}
