//! When to stop asking a store that does not answer.
//!
//! A few failures in a row open the breaker; then nobody waits for the store any more. One task tries the store, one
//! try at a time, and closes the breaker when it answers.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Counts failures in a row.
#[derive(Debug)]
pub(super) struct Breaker {
    threshold: u32,
    failures: AtomicU32,
    open: AtomicBool,
    probed: AtomicBool,
}

impl Breaker {
    pub(super) fn new(threshold: u32) -> Self {
        Self {
            threshold: threshold.max(1),
            failures: AtomicU32::new(0),
            open: AtomicBool::new(false),
            probed: AtomicBool::new(false),
        }
    }

    /// Whether the store is not to be asked.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// The store answered.
    pub(super) fn succeeded(&self) {
        // Seldom anything else than 0: reading is cheaper than writing what all threads share.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// The store failed. Returns whether that opened the breaker.
    pub(super) fn failed(&self) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        failures >= self.threshold && !self.open.swap(true, Ordering::AcqRel)
    }

    /// The store answers again. Returns whether the breaker was open.
    pub(super) fn close(&self) -> bool {
        self.failures.store(0, Ordering::Relaxed);
        self.open.swap(false, Ordering::AcqRel)
    }

    /// The right to try the store while the breaker is open; one at a time has it.
    pub(super) fn begin_probing(&self) -> bool {
        self.is_open() && !self.probed.swap(true, Ordering::AcqRel)
    }

    /// Gives that right back.
    pub(super) fn end_probing(&self) {
        self.probed.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_open_it_once() {
        let breaker = Breaker::new(3);
        assert!(!breaker.failed());
        assert!(!breaker.failed());
        breaker.succeeded();
        assert!(!breaker.failed());
        assert!(!breaker.failed());
        assert!(!breaker.is_open());
        assert!(breaker.failed());
        assert!(breaker.is_open());
        assert!(!breaker.failed(), "it is open already");
        assert!(breaker.close());
        assert!(!breaker.is_open());
        assert!(!breaker.close());
        assert!(!breaker.failed(), "it counts anew");
    }

    #[test]
    fn one_at_a_time_tries() {
        let breaker = Breaker::new(1);
        assert!(!breaker.begin_probing(), "nothing to try while it is closed");
        breaker.failed();
        assert!(breaker.begin_probing());
        assert!(!breaker.begin_probing());
        breaker.end_probing();
        assert!(breaker.begin_probing());
    }
}
