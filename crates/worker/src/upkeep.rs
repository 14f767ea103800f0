//! Counting what waits, and removing what ended long ago.

use std::time::{Duration, Instant};

use monitoring::metrics::Metrics;
use storage::{Db, jobs};
use tokio_util::sync::CancellationToken;

use crate::{backoff::around, settings::Settings};

/// How often ended jobs are removed.
const PRUNE_EVERY: Duration = Duration::from_hours(1);

/// Runs until the worker stops.
pub(crate) async fn run(db: Db, settings: Settings, metrics: Metrics, stop: CancellationToken) {
    let mut pruned: Option<Instant> = None;
    let rounds = async {
        loop {
            count(&db, &metrics).await;
            if pruned.is_none_or(|at| at.elapsed() >= PRUNE_EVERY) {
                match jobs::prune(&db, settings.retention).await {
                    Ok(removed) => tracing::debug!(removed, "ended jobs removed"),
                    Err(error) => tracing::warn!(%error, "ended jobs not removed"),
                }
                pruned = Some(Instant::now());
            }
            tokio::time::sleep(around(settings.count_every)).await;
        }
    };
    // Each statement stands alone: it may be dropped at any await.
    let _stopped = stop.run_until_cancelled(rounds).await;
}

async fn count(db: &Db, metrics: &Metrics) {
    match jobs::depth(db).await {
        Ok(depths) => {
            for depth in depths {
                metrics.queue().set(depth.queue.name(), depth.due, depth.oldest.as_secs_f64());
            }
        }
        Err(error) => tracing::warn!(%error, "queues not counted"),
    }
}
