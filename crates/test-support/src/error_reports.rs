//! A server that takes error reports, and what tests report to it: panics, which no input can cause.
//!
//! `cargo xtask error-reports` starts such a server, runs these tests, and reads there what has arrived.

use crate::process::variable;

/// Names the server, as a DSN.
pub const DSN_VARIABLE: &str = "TEST_SENTRY_DSN";

/// As what the tests report.
pub const RELEASE: &str = "stock-tracker@0.0.0-panics";
/// Where the tests say that they run.
pub const ENVIRONMENT: &str = "staging";
/// The id of the request whose handler panics.
pub const PANICKING_REQUEST: &str = "request-whose-handler-panics";
/// The id of the request that asked for the job that panics.
pub const REQUEST_OF_PANICKING_JOB: &str = "request-whose-job-panics";

/// Where to report.
///
/// # Panics
///
/// Unless [`DSN_VARIABLE`] is set: a test that reports to nobody would show nothing.
pub fn dsn() -> String {
    let dsn = variable(DSN_VARIABLE).expect("TEST_SENTRY_DSN is not set: run `cargo xtask error-reports`");
    dsn.into_string().expect("a DSN is text")
}
