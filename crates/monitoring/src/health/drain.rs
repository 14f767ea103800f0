//! The flag that a shutdown raises before it closes anything.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Tells balancers to send nothing more. Clones share the flag; once raised it stays.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<AtomicBool>);

impl Drain {
    /// Turns readiness red.
    pub fn start(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the process has been told to stop.
    pub fn is_draining(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
