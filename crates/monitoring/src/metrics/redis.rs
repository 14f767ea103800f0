//! What this process asks of Redis.

use std::time::Duration;

use prometheus::{HistogramVec, Registry};

use super::{KnownLabels, filed, names};

/// Operations of Redis.
pub struct Redis {
    duration: HistogramVec,
}

impl Redis {
    pub(super) fn new(registry: &Registry, known: &KnownLabels) -> prometheus::Result<Self> {
        let duration = filed(registry, names::REDIS_OPERATION_DURATION.histogram()?)?;
        for operation in &known.redis_operations {
            duration.with_label_values(&[operation]);
        }
        Ok(Self { duration })
    }

    /// Records an answer. `operation` is one of a closed set.
    pub fn answered(&self, operation: &'static str, elapsed: Duration) {
        self.duration.with_label_values(&[operation]).observe(elapsed.as_secs_f64());
    }
}
