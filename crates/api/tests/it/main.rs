//! The API as its clients see it: over HTTP, on SQLite and PostgreSQL.

mod authentication;
mod catalogue;
mod conventions;
mod documents;
mod health;
mod idempotency;
mod inputs;
mod roles;
mod service;
mod syncs;
mod tenancy;
