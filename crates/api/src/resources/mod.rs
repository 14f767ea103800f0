//! A folder for each resource: its routes, what they take and what they answer.

mod accounts;
mod analytics;
mod auth;
mod exports;
mod health;
mod imports;
mod marketplaces;
mod orders;
mod products;
mod rate_limits;
mod root;
mod stocks;
mod syncs;
mod tenants;
mod warehouses;

use actix_web::middleware::from_fn;
use utoipa_actix_web::{scope, service_config::ServiceConfig};

pub(crate) use self::imports::Received;
pub use self::imports::imports_page;
use crate::{middleware::authentication, settings::Settings};

/// Every route. What is not meant for everybody is in the last scope, which lets nobody through unknown.
pub(crate) fn configure(routes: &mut ServiceConfig, settings: &Settings) {
    root::configure(routes, settings);
    health::configure(routes);
    routes.service(
        scope::scope("/api/v1")
            .configure(health::configure_versioned)
            .configure(auth::configure_public)
            .service(
                scope::scope("")
                    .wrap(from_fn(authentication::layer))
                    .configure(auth::configure)
                    .configure(tenants::configure)
                    .configure(marketplaces::configure)
                    .configure(accounts::configure)
                    .configure(imports::configure)
                    .configure(syncs::configure)
                    .configure(products::configure)
                    .configure(stocks::configure)
                    .configure(exports::configure)
                    .configure(warehouses::configure)
                    .configure(orders::configure)
                    .configure(analytics::configure)
                    .configure(rate_limits::configure),
            ),
    );
}
