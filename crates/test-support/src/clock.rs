//! A clock that a test moves.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use chrono::TimeDelta;
use domain::clock::{Clock, Timestamp};

/// A clock for tests. Clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock {
    set: Arc<Mutex<Timestamp>>,
    /// Since when it runs by itself, if it does.
    running: Option<Instant>,
}

impl TestClock {
    /// A clock that stands at an RFC 3339 time, such as `2026-11-20T09:00:00Z`, until it is moved.
    pub fn at(text: &str) -> Self {
        let set = Arc::new(Mutex::new(text.parse().expect("a test names a real time")));
        Self { set, running: None }
    }

    /// A clock that runs on from such a time, for what waits until a moment has come.
    pub fn running_from(text: &str) -> Self {
        Self { running: Some(Instant::now()), ..Self::at(text) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let run = self.running.map(|since| TimeDelta::from_std(since.elapsed()).unwrap_or_default());
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) + run.unwrap_or_default()
    }
}
