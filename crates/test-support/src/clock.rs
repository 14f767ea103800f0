//! A clock that stands still until a test moves it.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use domain::clock::{Clock, Timestamp};

/// A clock for tests. Clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    /// A clock that shows an RFC 3339 time, such as `2026-11-20T09:00:00Z`.
    pub fn at(text: &str) -> Self {
        Self(Arc::new(Mutex::new(text.parse().expect("a test names a real time"))))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
