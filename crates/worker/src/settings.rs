//! How much a worker does at the same time, and how patient it is.

use std::time::Duration;

use domain::job::Queue;

/// How one queue is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSettings {
    /// Jobs at the same time in this process; 0 leaves the queue to other processes.
    pub slots: u32,
    /// Jobs of one tenant at the same time, over all processes.
    pub per_tenant: u32,
    /// A run that takes longer is stopped and counts as failed.
    pub timeout: Duration,
}

/// How a worker works.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Reading marketplaces.
    pub sync: QueueSettings,
    /// Work within the database.
    pub figures: QueueSettings,
    /// How long a job stays with a process that does not answer. Renewed three times as often.
    pub lease: Duration,
    /// How often an idle queue is looked at.
    pub poll: Duration,
    /// How long running jobs may go on after a shutdown was asked for. Must be shorter than the patience of whoever
    /// stops the process, by a few seconds.
    pub drain: Duration,
    /// Multiplies the pauses between attempts; 1 is usual, less is for demonstrations and tests.
    pub backoff_scale: f64,
    /// How often what waits is counted.
    pub count_every: Duration,
    /// How often the whole is counted: products, their stock, accounts that are late.
    pub overview_every: Duration,
    /// How long ended jobs are kept.
    pub retention: Duration,
}

impl Settings {
    /// How this queue is worked.
    pub const fn queue(&self, queue: Queue) -> QueueSettings {
        match queue {
            Queue::Sync => self.sync,
            Queue::Figures => self.figures,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sync: QueueSettings { slots: 16, per_tenant: 4, timeout: Duration::from_mins(30) },
            figures: QueueSettings { slots: 4, per_tenant: 2, timeout: Duration::from_mins(5) },
            lease: Duration::from_secs(15),
            poll: Duration::from_millis(500),
            drain: Duration::from_secs(20),
            backoff_scale: 1.0,
            count_every: Duration::from_secs(10),
            overview_every: Duration::from_mins(1),
            retention: Duration::from_hours(7 * 24),
        }
    }
}
