//! Where the in-process store has its time from. Redis has its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Microseconds since 1970.
    fn now(&self) -> u64;
}

/// The time of day when it was made, and from there on a clock that never goes back.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    began: Instant,
    offset: Duration,
}

impl SystemClock {
    /// A clock that begins with the machine's time of day.
    pub fn new() -> Self {
        let offset = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::now(), offset }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        u64::try_from((self.offset + self.began.elapsed()).as_micros()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands until it is moved, for tests.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `since` 1970.
    pub fn at(since: Duration) -> Self {
        let clock = Self::default();
        clock.advance(since);
        clock
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Sets it, back as well as forward: microseconds since 1970.
    pub fn set(&self, micros: u64) {
        self.0.store(micros, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
