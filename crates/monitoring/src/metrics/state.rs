//! What is measured outside this process: queues and dependencies. No series before the first measurement.

use prometheus::{GaugeVec, IntGaugeVec, Registry};

use super::{filed, names};

/// What waits for a worker.
pub struct Queue {
    depth: IntGaugeVec,
    oldest: GaugeVec,
}

impl Queue {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            depth: filed(registry, names::QUEUE_DEPTH.int_gauge()?)?,
            oldest: filed(registry, names::QUEUE_OLDEST.gauge()?)?,
        })
    }

    /// States how many due jobs wait in `queue` and how long, in seconds, the oldest of them has; 0 for an empty one.
    pub fn set(&self, queue: &'static str, depth: u64, oldest_seconds: f64) {
        self.depth.with_label_values(&[queue]).set(i64::try_from(depth).unwrap_or(i64::MAX));
        self.oldest.with_label_values(&[queue]).set(oldest_seconds);
    }
}

/// What this process needs from others.
pub struct Dependencies {
    up: IntGaugeVec,
}

impl Dependencies {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self { up: filed(registry, names::DEPENDENCY_UP.int_gauge()?)? })
    }

    /// States whether the dependency answered.
    pub fn set(&self, dependency: &'static str, up: bool) {
        self.up.with_label_values(&[dependency]).set(i64::from(up));
    }
}
