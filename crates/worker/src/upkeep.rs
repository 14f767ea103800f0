//! Counting what waits and what there is, and removing what ended long ago.

use std::time::{Duration, Instant};

use domain::clock::{Clock as _, SystemClock};
use monitoring::metrics::Metrics;
use storage::{Db, Error, jobs, overview};
use tokio::join;
use tokio_util::sync::CancellationToken;

use crate::{backoff::around, settings::Settings};

/// How often ended jobs are removed.
const PRUNE_EVERY: Duration = Duration::from_hours(1);
/// An overview reads every product: it takes one part in so many of the time at most.
const OVERVIEW_SHARE: u32 = 50;

/// Runs until the worker stops.
pub(crate) async fn run(db: Db, settings: Settings, metrics: Metrics, stop: CancellationToken) {
    let rounds = async {
        join!(wait(&db, &settings, &metrics), tell(&db, &settings, &metrics), prune(&db, &settings));
    };
    // Each statement stands alone: it may be dropped at any await.
    let _stopped = stop.run_until_cancelled(rounds).await;
}

/// Counts what waits, again and again.
async fn wait(db: &Db, settings: &Settings, metrics: &Metrics) {
    loop {
        match jobs::depth(db).await {
            Ok(depths) => {
                for depth in depths {
                    metrics.queue().set(depth.queue.name(), depth.due, depth.oldest.as_secs_f64());
                }
            }
            Err(error) => tracing::warn!(%error, "queues not counted"),
        }
        tokio::time::sleep(around(settings.count_every)).await;
    }
}

/// Tells what there is, again and again.
async fn tell(db: &Db, settings: &Settings, metrics: &Metrics) {
    loop {
        let began = Instant::now();
        if let Err(error) = count(db, metrics).await {
            tracing::warn!(%error, "products and late accounts not counted");
        }
        let pause = settings.overview_every.max(began.elapsed() * OVERVIEW_SHARE);
        tokio::time::sleep(around(pause)).await;
    }
}

async fn count(db: &Db, metrics: &Metrics) -> Result<(), Error> {
    let late = overview::lateness(db, SystemClock.now()).await?;
    let late: Vec<_> = late.into_iter().map(|(marketplace, by)| (marketplace.name(), by)).collect();
    metrics.sync().late(&late);
    let all = overview::products(db).await?;
    metrics.business().set(all.products, all.stock_units, all.low_stock);
    Ok(())
}

/// Removes what ended long ago, again and again.
async fn prune(db: &Db, settings: &Settings) {
    loop {
        match jobs::prune(db, settings.retention).await {
            Ok(removed) => tracing::debug!(removed, "ended jobs removed"),
            Err(error) => tracing::warn!(%error, "ended jobs not removed"),
        }
        tokio::time::sleep(around(PRUNE_EVERY)).await;
    }
}
