//! The API as its clients see it: over HTTP, on SQLite and PostgreSQL.

mod analytics;
mod authentication;
mod catalogue;
mod conventions;
mod documents;
mod explain;
mod exports;
mod health;
mod idempotency;
mod imports;
mod inputs;
mod layers;
mod rate_limits;
mod roles;
mod service;
mod stock_as_of;
mod syncs;
mod tenancy;
