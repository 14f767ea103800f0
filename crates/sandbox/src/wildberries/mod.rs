//! The Wildberries contract: paths of all its hosts on one origin, its errors, its limits.

mod account;
pub(crate) mod auth;
mod cards;
pub(crate) mod endpoints;
pub(crate) mod errors;
mod orders;
mod stocks;
mod warehouses;

use actix_web::web;

/// Mounts every method that [`endpoints`] lists.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/ping", web::get().to(account::ping))
        .route("/api/v1/seller-info", web::get().to(account::seller_info))
        .route("/content/v2/get/cards/list", web::post().to(cards::list))
        .route("/content/v2/get/cards/trash", web::post().to(cards::trash))
        .route("/api/v3/warehouses", web::get().to(warehouses::list))
        .route("/api/v3/stocks/{warehouse_id}", web::post().to(stocks::in_seller_warehouse))
        .route("/api/v3/orders", web::get().to(orders::assembly_orders))
        .route("/api/v1/supplier/orders", web::get().to(orders::report))
        .route("/api/analytics/v1/stocks-report/wb-warehouses", web::post().to(stocks::wb_report))
        .route("/api/analytics/v1/stocks-report/seller-warehouses", web::post().to(stocks::seller_report));
}
