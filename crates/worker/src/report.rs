//! What is told about runs: one line in the log for each, and metrics.

use std::time::Duration;

use monitoring::{
    error_reports::{Failure, Severity, capture},
    metrics::{Metrics, TaskInProgress, labels::TaskStatus},
};
use storage::jobs::{ClaimedJob, Reaped, Settlement};
use uuid::Uuid;

/// The names under which runs are counted.
pub const TASKS: [&str; 3] = ["sync_account", "turn_day", "move_days"];

/// The name for a job that this code does not know, from a newer version.
const UNKNOWN: &str = "unknown";

/// Tells about runs.
#[derive(Clone)]
pub(crate) struct Reporter {
    metrics: Metrics,
}

impl Reporter {
    pub(crate) const fn new(metrics: Metrics) -> Self {
        Self { metrics }
    }

    /// A run has begun; it is in progress until the answer is dropped.
    pub(crate) fn started(&self, kind: &str) -> TaskInProgress {
        self.metrics.tasks().started(task(kind))
    }

    /// A run has ended and its end is kept.
    pub(crate) fn ended(&self, job: &ClaimedJob, settlement: &Settlement, elapsed: Duration) {
        let last = job.is_last_attempt();
        let (status, outcome, error, after) = match settlement {
            Settlement::Done => (TaskStatus::Success, "done", None, None),
            // Nothing failed: the attempt goes on later.
            Settlement::Park { after } => (TaskStatus::Success, "parked", None, Some(after)),
            Settlement::Retry { error, .. } if last => (TaskStatus::Dead, "dead", Some(error), None),
            Settlement::Retry { error, after } => (TaskStatus::Retried, "retried", Some(error), Some(after)),
            Settlement::Dead { error } => (TaskStatus::Failed, "failed", Some(error), None),
        };
        self.metrics.tasks().finished(task(&job.kind), status, elapsed);
        let event_id = match (status, error) {
            (TaskStatus::Failed | TaskStatus::Dead, Some(error)) => report(job, outcome, error),
            _ => None,
        };
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    job = %job.kind,
                    job_id = %job.id,
                    tenant_id = %job.scope.tenant_id(),
                    event_id = event_id.map(tracing::field::display),
                    request_id = job.request_id,
                    attempt = job.attempts + 1,
                    run = job.starts,
                    outcome,
                    duration_ms = millis(elapsed),
                    after_ms = after.copied().map(millis),
                    error,
                    "job run"
                )
            };
        }
        match status {
            TaskStatus::Success => line!(info),
            TaskStatus::Retried => line!(warn),
            TaskStatus::Failed | TaskStatus::Dead => line!(error),
        }
    }

    /// A run has ended, but the job is somebody else's by now; its end was dropped.
    pub(crate) fn overtaken(job: &ClaimedJob, elapsed: Duration) {
        tracing::warn!(
            job = %job.kind,
            job_id = %job.id,
            tenant_id = %job.scope.tenant_id(),
            request_id = job.request_id,
            attempt = job.attempts + 1,
            run = job.starts,
            outcome = "lease_lost",
            duration_ms = millis(elapsed),
            "job run"
        );
    }

    /// A worker, this or another, has let a lease run out. How long its run took is not known; it held the job for a
    /// lease at least.
    pub(crate) fn reaped(&self, job: &Reaped, lease: Duration) {
        let status = if job.dead { TaskStatus::Dead } else { TaskStatus::Retried };
        self.metrics.tasks().finished(task(&job.kind), status, lease);
        let outcome = if job.dead { "dead" } else { "retried" };
        let event_id = if job.dead { report_lost(job) } else { None };
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    job = %job.kind,
                    job_id = %job.id,
                    tenant_id = %job.tenant_id,
                    attempt = job.attempts,
                    outcome,
                    event_id = event_id.map(tracing::field::display),
                    "a lease ran out: its worker ended, froze or lost the database"
                )
            };
        }
        if job.dead { line!(error) } else { line!(warn) }
    }
}

/// Reports a job that will not be run again.
fn report(job: &ClaimedJob, outcome: &'static str, error: &str) -> Option<Uuid> {
    capture(Failure {
        kind: outcome,
        text: error,
        severity: Severity::Error,
        place: task(&job.kind),
        extras: vec![("run", job.starts.into())],
    })
}

/// Reports a job whose runs all ended without a word.
fn report_lost(job: &Reaped) -> Option<Uuid> {
    capture(Failure {
        kind: "lease_lost",
        text: "every attempt ended with its worker, or froze",
        severity: Severity::Error,
        place: task(&job.kind),
        extras: vec![
            ("job_id", job.id.to_string().into()),
            ("tenant_id", job.tenant_id.to_string().into()),
            ("attempts", job.attempts.into()),
        ],
    })
}

/// The label for a kind; callers of the database could invent kinds, labels must stay few.
fn task(kind: &str) -> &'static str {
    TASKS.into_iter().find(|task| *task == kind).unwrap_or(UNKNOWN)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use domain::{
        ids::{AccountId, SyncId, ZoneChangeId},
        job::Job,
    };

    use super::*;

    #[test]
    fn every_job_is_counted_under_its_own_name() {
        let account_id = AccountId::generate();
        for job in [
            Job::SyncAccount { sync_id: SyncId::generate(), account_id },
            Job::TurnDay { account_id, today: domain_day() },
            Job::MoveDays { account_id, change_id: ZoneChangeId::generate() },
        ] {
            // A new job must be added here and to `TASKS`.
            match job {
                Job::SyncAccount { .. } | Job::TurnDay { .. } | Job::MoveDays { .. } => {}
            }
            assert_eq!(task(job.kind()), job.kind());
        }
        assert_eq!(task("invented"), UNKNOWN);
    }

    fn domain_day() -> chrono::NaiveDate {
        chrono::NaiveDate::MIN
    }
}
