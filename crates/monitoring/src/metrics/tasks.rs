//! Background tasks.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::{KnownLabels, filed, labels::TaskStatus, names};

/// Background tasks.
pub struct Tasks {
    ended: IntCounterVec,
    duration: HistogramVec,
    in_progress: IntGaugeVec,
}

impl Tasks {
    pub(super) fn new(registry: &Registry, known: &KnownLabels) -> prometheus::Result<Self> {
        let families = Self {
            ended: filed(registry, names::TASKS.counter()?)?,
            duration: filed(registry, names::TASK_DURATION.histogram()?)?,
            in_progress: filed(registry, names::TASKS_IN_PROGRESS.int_gauge()?)?,
        };
        for task in &known.tasks {
            families.duration.with_label_values(&[*task]);
            families.in_progress.with_label_values(&[*task]);
            for status in TaskStatus::ALL {
                families.ended.with_label_values(&[*task, status.as_str()]);
            }
        }
        Ok(families)
    }

    /// Counts a task as in progress until the guard is dropped, also when it is aborted or panics.
    #[must_use = "the task counts as in progress only while the guard lives"]
    pub fn started(&self, task: &'static str) -> TaskInProgress {
        let gauge = self.in_progress.with_label_values(&[task]);
        gauge.inc();
        TaskInProgress(gauge)
    }

    /// Records the end of one attempt.
    pub fn finished(&self, task: &'static str, status: TaskStatus, elapsed: Duration) {
        self.ended.with_label_values(&[task, status.as_str()]).inc();
        self.duration.with_label_values(&[task]).observe(elapsed.as_secs_f64());
    }
}

/// A task being run.
pub struct TaskInProgress(IntGauge);

impl Drop for TaskInProgress {
    fn drop(&mut self) {
        self.0.dec();
    }
}
