//! A value that is computed at most once in a while, however many ask for it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

/// Single flight: the first caller computes, the others wait for its result. If that caller goes away, the next one
/// in line takes over.
pub(super) struct Cached<T> {
    fresh_for: Duration,
    last: Mutex<Option<(Instant, Arc<T>)>>,
}

impl<T> Cached<T> {
    pub(super) fn new(fresh_for: Duration) -> Self {
        Self { fresh_for, last: Mutex::new(None) }
    }

    pub(super) async fn get(&self, compute: impl AsyncFnOnce() -> T) -> Arc<T> {
        let mut last = self.last.lock().await;
        if let Some((at, value)) = &*last
            && at.elapsed() < self.fresh_for
        {
            return Arc::clone(value);
        }
        let value = Arc::new(compute().await);
        // From the end of the computation: those who waited for a slow one must find it fresh.
        *last = Some((Instant::now(), Arc::clone(&value)));
        value
    }
}
