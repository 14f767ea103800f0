//! The repositories on both databases. On PostgreSQL as the role that the application runs as.
#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod fixture;

mod accounts;
mod analytics;
mod as_of;
mod catalogue;
mod days;
mod explain;
mod idempotency;
mod imports;
mod isolation;
mod jobs;
mod ledger;
mod limits;
mod matching;
mod narrow_plans;
mod orders;
mod overview;
mod plans;
mod product_filters;
mod product_order;
mod product_places;
mod product_search;
mod product_ways;
mod products;
mod schedule;
mod schema;
mod sessions;
mod stock;
mod sync_history;
mod syncs;
mod tenancy;
mod transactions;
mod warehouses;
mod window;
