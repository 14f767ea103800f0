//! Background jobs: runtime, schedules, handlers.
//!
//! The truth is the `job` table ([`storage::jobs`]); apalis executes, and only `runtime` knows it. A job may run
//! twice: a worker that loses its lease, or its process, does not undo what it did. No HTTP and no rules of the
//! product live here.

mod backoff;
mod error;
mod handler;
mod jobs;
mod report;
mod runtime;
pub mod schedule;
mod settings;
mod upkeep;

pub use error::Error;
pub use handler::{Handler, Run, Signals};
pub use jobs::Jobs;
pub use report::TASKS;
pub use runtime::run;
pub use settings::{QueueSettings, Settings};
