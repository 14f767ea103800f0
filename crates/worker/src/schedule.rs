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

/// Ticks about every `interval` until `shutdown`. A tick that fails or panics is logged, and the next one comes. A failure
/// that lasts is an error once: it would be reported every few seconds.
pub async fn run(tick: &dyn Tick, interval: Duration, shutdown: CancellationToken) {
    let ticks = async {
        // What was told last, until it is over.
        let mut told: Option<String> = None;
        loop {
            match AssertUnwindSafe(tick.tick()).catch_unwind().await {
                Ok(Ok(())) => {
                    if told.take().is_some() {
                        tracing::info!("the schedule is looked at again");
                    }
                }
                Ok(Err(error)) => {
                    let error = error.to_string();
                    if told.as_ref() == Some(&error) {
                        tracing::debug!(error, "the schedule is still not looked at");
                    } else {
                        tracing::error!(error, "the schedule was not looked at");
                        told = Some(error);
                    }
                }
                // It has reported itself.
                Err(_) => tracing::warn!("the schedule panicked"),
            }
            tokio::time::sleep(around(interval)).await;
        }
    };
    let _stopped = shutdown.run_until_cancelled(ticks).await;
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

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

    /// Fails five times for two reasons, works, fails again, and then stops the schedule.
    struct Failing(Moody);

    #[async_trait]
    impl Tick for Failing {
        async fn tick(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
            match self.0.ticks.fetch_add(1, Ordering::SeqCst) {
                0..3 => Err("no database".into()),
                3 | 4 | 6 => Err("no right".into()),
                5 => Ok(()),
                _ => {
                    self.0.shutdown.cancel();
                    std::future::pending().await
                }
            }
        }
    }

    #[tokio::test]
    async fn a_failure_that_lasts_is_an_error_once() {
        let errors = Errors::default();
        let _guard = tracing::subscriber::set_default(errors.clone());
        let shutdown = CancellationToken::new();
        let failing = Failing(Moody { ticks: AtomicU32::new(0), shutdown: shutdown.clone() });
        let running = run(&failing, Duration::from_millis(1), shutdown);
        tokio::time::timeout(Duration::from_secs(30), running).await.expect("it stops");
        assert_eq!(errors.0.load(Ordering::SeqCst), 3, "one for each reason, and one more after it was over");
    }

    /// Counts what is logged as an error.
    #[derive(Clone, Default)]
    struct Errors(Arc<AtomicU32>);

    impl tracing::Subscriber for Errors {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() == tracing::Level::ERROR
        }

        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
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
