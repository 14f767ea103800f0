//! Looking again and again for what has become due.
//!
//! Every process may look at any time: what is due is claimed row by row in the database, not by a leader.

use std::{error::Error, panic::AssertUnwindSafe, time::Duration};

use async_trait::async_trait;
use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use crate::backoff::around;

/// Makes jobs of what is due.
#[async_trait]
pub trait Tick: Send + Sync {
    /// Looks once. Must leave nothing half done when it is dropped: it is, at shutdown.
    async fn tick(&self) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// Ticks about every `interval` until `shutdown`. A tick that fails or panics is logged, and the next one comes. Of
/// several failures in a row only the first is an error: it would be reported every few seconds.
pub async fn run(tick: &dyn Tick, interval: Duration, shutdown: CancellationToken) {
    let ticks = async {
        let mut failures = 0_u32;
        loop {
            match AssertUnwindSafe(tick.tick()).catch_unwind().await {
                Ok(Ok(())) if failures == 0 => {}
                Ok(Ok(())) => {
                    tracing::info!(failures, "the schedule is looked at again");
                    failures = 0;
                }
                Ok(Err(error)) if failures == 0 => {
                    tracing::error!(%error, "the schedule was not looked at");
                    failures = 1;
                }
                Ok(Err(error)) => {
                    tracing::debug!(%error, failures, "the schedule was not looked at");
                    failures = failures.saturating_add(1);
                }
                // It has reported itself.
                Err(_) => {
                    tracing::warn!("the schedule panicked");
                    failures = failures.saturating_add(1);
                }
            }
            tokio::time::sleep(around(interval)).await;
        }
    };
    let _stopped = shutdown.run_until_cancelled(ticks).await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Fails, panics, and then stops the schedule.
    struct Moody {
        ticks: AtomicU32,
        shutdown: CancellationToken,
    }

    #[async_trait]
    impl Tick for Moody {
        async fn tick(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
            match self.ticks.fetch_add(1, Ordering::SeqCst) {
                0 => Err("no database".into()),
                1 => panic!("a bug"),
                2 => Ok(()),
                _ => {
                    self.shutdown.cancel();
                    std::future::pending().await
                }
            }
        }
    }

    #[tokio::test]
    async fn failures_do_not_end_the_schedule_and_a_shutdown_does() {
        let shutdown = CancellationToken::new();
        let moody = Moody { ticks: AtomicU32::new(0), shutdown: shutdown.clone() };
        let running = run(&moody, Duration::from_millis(1), shutdown);
        tokio::time::timeout(Duration::from_secs(30), running)
            .await
            .expect("it stops in the middle of a tick");
        assert_eq!(moody.ticks.load(Ordering::SeqCst), 4);
    }
}
