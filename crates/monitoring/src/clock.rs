//! The time of day, handed in by the caller so that tests and the demo can bend it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Answers the present moment. Latencies are not measured with it: they come from the monotonic clock.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;
