//! Where time comes from.
//!
//! Nothing outside this file asks the operating system for the time, so that tests can turn the day.

use chrono::{DateTime, SubsecRound, Utc};

/// A moment, always UTC, never finer than a microsecond (what every database we store it in can keep).
pub type Timestamp = DateTime<Utc>;

/// A source of the present moment.
pub trait Clock: Send + Sync {
    /// Now, cut to microseconds.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Utc::now().trunc_subsecs(6)
    }
}
