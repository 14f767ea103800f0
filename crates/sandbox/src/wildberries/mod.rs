//! The Wildberries contract: paths of all its hosts on one origin, its errors, its limits.

mod account;
mod assemblies;
pub(crate) mod auth;
mod cards;
pub(crate) mod endpoints;
pub(crate) mod errors;
pub(crate) mod groups;
mod orders;
mod remains;
pub(crate) mod reports;
mod sales;
mod statistics;
mod stocks;
mod warehouses;

use actix_web::web::{ServiceConfig, get, post};

use endpoints::Operation;

/// Mounts every method that [`endpoints`] lists.
pub(crate) fn configure(config: &mut ServiceConfig) {
    for operation in Operation::ALL {
        let route = match operation {
            Operation::Ping => get().to(account::ping),
            Operation::SellerInfo => get().to(account::seller_info),
            Operation::Cards => post().to(cards::list),
            Operation::Trash => post().to(cards::trash),
            Operation::Warehouses => get().to(warehouses::list),
            Operation::SellerStock => post().to(stocks::in_seller_warehouse),
            Operation::AssemblyOrders => get().to(assemblies::list),
            Operation::Orders => get().to(orders::report),
            Operation::Sales => get().to(sales::report),
            Operation::WbStocksReport => post().to(stocks::wb_report),
            Operation::SellerStocksReport => post().to(stocks::seller_report),
            Operation::RemainsCreate => get().to(remains::create),
            Operation::RemainsStatus => get().to(remains::status),
            Operation::RemainsDownload => get().to(remains::download),
        };
        config.route(operation.path(), route);
    }
}
