//! The repositories on both databases. On PostgreSQL as the role that the application runs as.
#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod fixture;

mod accounts;
mod catalogue;
mod idempotency;
mod isolation;
mod jobs;
mod ledger;
mod limits;
mod matching;
mod orders;
mod plans;
mod product_filters;
mod product_order;
mod products;
mod schedule;
mod schema;
mod sessions;
mod stock;
mod syncs;
mod tenancy;
mod transactions;
mod warehouses;
mod window;
