//! Whether the work behind the requests is done: what waits in the queues, and when the schedule was last looked at.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::task::JoinSet;

/// A schedule that nobody has looked at for so long is one that nobody looks at.
const LATE: Duration = Duration::from_mins(1);
/// How long the question may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What waits in a queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueReport {
    /// The queue.
    pub name: &'static str,
    /// Jobs that could run now.
    pub waiting: u64,
    /// How long the oldest of them could have run, in seconds.
    pub oldest_seconds: f64,
}

/// What was found out of the work.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// Every queue.
    pub queues: Vec<QueueReport>,
    /// When the schedule was last looked at; none where it never was.
    pub last_tick: Option<DateTime<Utc>>,
}

/// Finds out how the work goes, which other processes may do.
#[async_trait]
pub trait WorkProbe: Send + Sync {
    /// Looks; none where it cannot be told.
    async fn look(&self) -> Option<Work>;
}

/// The work as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkReport {
    /// Every queue.
    pub queues: Vec<QueueReport>,
    /// How long ago the schedule was last looked at, in seconds; null where it never was.
    pub last_tick_seconds: Option<f64>,
    /// Whether that is so long ago that nobody seems to look at it any more.
    pub schedule_late: bool,
}

impl WorkReport {
    fn new(work: Work, now: DateTime<Utc>) -> Self {
        let age = work.last_tick.map(|at| (now - at).to_std().unwrap_or_default());
        Self {
            queues: work.queues,
            last_tick_seconds: age.map(|age| age.as_secs_f64()),
            schedule_late: age.is_none_or(|age| age > LATE),
        }
    }
}

/// Asks, for a limited time and in a task of its own, so that a question that hangs or panics takes nobody with it.
pub(super) async fn look(probe: &Arc<dyn WorkProbe>, now: impl Fn() -> DateTime<Utc>) -> Option<WorkReport> {
    let mut run = JoinSet::new();
    let asked = Arc::clone(probe);
    run.spawn(async move { asked.look().await });
    match tokio::time::timeout(PATIENCE, run.join_next()).await {
        Ok(Some(Ok(work))) => Some(WorkReport::new(work?, now())),
        Ok(Some(Err(error))) => {
            tracing::warn!(%error, "the work could not be looked at");
            None
        }
        Ok(None) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_schedule_is_late_after_a_minute_and_when_nobody_ever_looked() {
        let report = |ago: Option<i64>| {
            let last_tick = ago.map(|seconds| DateTime::UNIX_EPOCH - TimeDelta::seconds(seconds));
            let report = WorkReport::new(Work { queues: Vec::new(), last_tick }, DateTime::UNIX_EPOCH);
            (report.last_tick_seconds, report.schedule_late)
        };
        assert_eq!(report(Some(60)), (Some(60.0), false));
        assert_eq!(report(Some(61)), (Some(61.0), true));
        assert_eq!(report(None), (None, true));
        assert_eq!(report(Some(-3)), (Some(0.0), false), "the clocks of two machines");
    }
}
