//! Metrics, logs, error reports and health checks.
//!
//! Holds names, numbers and verdicts. It serves no HTTP, opens no connection of its own, and knows nothing of the
//! product's rules: the probes, the label sets and the clock are handed in by whoever wires a role together.

pub mod clock;
pub mod error_reports;
pub mod health;
pub mod logs;
pub mod metrics;
pub mod profile;
