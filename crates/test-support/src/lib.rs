//! Throw-away servers and fixtures for tests.
//!
//! Real PostgreSQL, Redis and SQLite, never stand-ins. `cargo xtask test` starts one PostgreSQL, one Redis and one
//! cluster of Redis for all test processes and names them in [`postgres::URL_VARIABLE`], [`redis::URL_VARIABLE`] and
//! [`redis_cluster::URLS_VARIABLE`]; a test process that does not find the variable starts a server of its own, so
//! `cargo nextest run -p …` works too. Whatever is started here ends with the process that started it, even when that
//! process is killed.
//!
//! [`database::TestDatabase`] is a database of either kind with the product's schema, and [`on_each_database!`] runs one
//! test body on both. [`clock::TestClock`] shows whatever time a test sets. [`error_reports`] is for the tests that
//! `cargo xtask error-reports` runs.

pub mod clock;
pub mod database;
pub mod error_reports;
pub mod postgres;
pub mod process;
pub mod redis;
pub mod redis_cluster;
pub mod redis_sentinel;
pub mod sqlite;

mod error;

pub use error::Error;
