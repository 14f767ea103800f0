//! What a worker runs.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    ids::JobId,
    job::{Job, Outcome},
};
use storage::TenantScope;
use tokio_util::sync::CancellationToken;

/// One run of a job.
#[derive(Debug, Clone)]
pub struct Run {
    /// The job.
    pub id: JobId,
    /// The right to work for its tenant.
    pub scope: TenantScope,
    /// What is to be done.
    pub job: Job,
    /// Counts the runs of the job, from 1. A later run has a higher number: writes can be fenced with it.
    pub number: i64,
    /// Counts the attempts, from 1. A run after a pause that the job asked for itself is no new attempt.
    pub attempt: i32,
    /// Whether the job is given up if this run fails.
    pub last_attempt: bool,
    /// How long the job rests if this run fails and does not say itself how long.
    pub pause: Duration,
    /// The request that caused the job, if one did.
    pub request_id: Option<String>,
}

/// What a run should know of while it works.
#[derive(Debug, Clone)]
pub struct Signals {
    /// The job is somebody else's now. The run is dropped at its next await; work that it has handed to other tasks
    /// must stop by itself.
    pub lease_lost: CancellationToken,
    /// The process stops soon. A long run that can go on later does well to keep what it has and to park.
    pub draining: CancellationToken,
}

/// Runs jobs. Each may run twice, also at the same time: a process that froze may wake up after its job went to
/// another one.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Runs a job as far as it goes now. A panic, and a run out of time, count as an attempt that failed.
    async fn handle(&self, run: Run, signals: Signals) -> Outcome;
}
