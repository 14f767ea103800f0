//! What this process asks of its database.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec, Registry};

use super::{filed, labels::DbOperation, names};

/// Statements and connections.
pub struct Database {
    pool: IntGaugeVec,
    duration: HistogramVec,
    errors: IntCounterVec,
}

impl Database {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let families = Self {
            pool: filed(registry, names::DB_POOL_CONNECTIONS.int_gauge()?)?,
            duration: filed(registry, names::DB_QUERY_DURATION.histogram()?)?,
            errors: filed(registry, names::DB_ERRORS.counter()?)?,
        };
        for operation in DbOperation::ALL {
            families.duration.with_label_values(&[operation.as_str()]);
            families.errors.with_label_values(&[operation.as_str()]);
        }
        Ok(families)
    }

    /// Records a statement.
    pub fn finished(&self, operation: DbOperation, elapsed: Duration, failed: bool) {
        self.duration.with_label_values(&[operation.as_str()]).observe(elapsed.as_secs_f64());
        if failed {
            self.errors.with_label_values(&[operation.as_str()]).inc();
        }
    }

    /// States how many connections are in use, how many are open and idle, and how many there can be.
    pub fn connections(&self, in_use: u32, idle: u32, max: u32) {
        for (state, number) in [("in_use", in_use), ("idle", idle), ("max", max)] {
            self.pool.with_label_values(&[state]).set(number.into());
        }
    }
}
