//! The crate seen from outside: the page, the reports and the lines that other programs read.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod error_reports;
mod health;
mod logs;
mod metrics;
mod operator_files;
