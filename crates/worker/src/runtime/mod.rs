//! Running jobs: apalis over the `job` table. The only module that knows apalis.
//!
//! apalis polls, calls and drains; everything durable is ours. [`slots`] holds what this process has claimed of one
//! queue, [`backend`] feeds it to apalis, [`settle`] runs and ends each job in a task of its own, [`keeper`] renews the
//! leases from a thread of its own.

mod backend;
mod keeper;
mod settle;
mod slots;

use std::{convert::Infallible, sync::Arc, time::Duration};

use apalis::prelude::{Data, Monitor, WorkerBuilder};
use domain::job::{Job, Outcome, Queue};
use futures::future::join_all;
use monitoring::metrics::Metrics;
use storage::{Db, PoolSettings, jobs};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{
    backend::JobBackend,
    keeper::Keeper,
    settle::Ending,
    slots::{Assignment, Slots},
};
use crate::{
    backoff,
    error::Error,
    handler::{Handler, Run, Signals},
    report::Reporter,
    settings::Settings,
    upkeep,
};

/// How long a job from a newer version waits for a worker of that version.
const NOT_YET: Duration = Duration::from_secs(30);
/// How long the last statements of a worker that stops may take; afterwards the leases run out by themselves.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What handlers are called with, besides the job.
#[derive(Clone)]
struct Shared {
    handler: Arc<dyn Handler>,
    draining: CancellationToken,
    backoff_scale: f64,
}

/// Runs jobs until `shutdown`, then lets running ones end for as long as [`Settings::drain`] says, hands the rest back
/// and returns. `pool` says how to reach the database of `db`, a second time: leases are kept over a connection that
/// no job can hold up. An outage of the database is waited out.
pub async fn run(
    db: Db,
    pool: &PoolSettings,
    settings: &Settings,
    handler: Arc<dyn Handler>,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    // A new identity for every start: a restarted process is not the one that held the jobs.
    let worker = Uuid::now_v7();
    let reporter = Reporter::new(metrics.clone());
    let draining = shutdown.child_token();
    let queues: Vec<Arc<Slots>> = Queue::ALL
        .into_iter()
        .filter(|queue| settings.queue(*queue).slots > 0)
        .map(|queue| Arc::new(Slots::new(db.clone(), queue, worker, settings, draining.clone())))
        .collect();

    let mut keeper = Keeper::start(pool, queues.clone(), worker, settings.lease, reporter.clone())?;
    let upkeep = tokio::spawn(upkeep::run(db.clone(), settings.clone(), metrics, draining.clone()));
    // Without a keeper that works, what is claimed now would be lost a lease later.
    let ran = match shutdown.run_until_cancelled(keeper.ready()).await {
        Some(Ok(())) => {
            tracing::info!(%worker, "jobs are being run");
            let backoff_scale = settings.backoff_scale;
            let shared = Shared { handler, draining: draining.clone(), backoff_scale };
            work(&queues, settings, &shared, &reporter, keeper.ended()).await
        }
        Some(Err(error)) => Err(error),
        None => Ok(()),
    };

    draining.cancel();
    join_all(queues.iter().map(|slots| slots.give_up(LAST_WORDS))).await;
    match tokio::time::timeout(LAST_WORDS, jobs::hand_back(&db, worker)).await {
        Ok(Ok(handed_back)) => tracing::info!(%worker, handed_back, "the worker has stopped"),
        Ok(Err(error)) => tracing::warn!(%worker, %error, "jobs not handed back; their leases run out"),
        Err(_) => tracing::warn!(%worker, "jobs not handed back in time; their leases run out"),
    }
    keeper.stop().await;
    if let Err(panic) = upkeep.await {
        tracing::error!(error = %panic, "counting what waits panicked");
    }
    ran
}

/// The worker loops, until `shared.draining` is cancelled and the drain has ended.
async fn work(
    queues: &[Arc<Slots>],
    settings: &Settings,
    shared: &Shared,
    reporter: &Reporter,
    keeper_ended: &CancellationToken,
) -> Result<(), Error> {
    let mut monitor = Monitor::new().shutdown_timeout(settings.drain).should_restart(|worker, error| {
        tracing::error!(queue = worker.name(), %error, "the worker loop is started again");
        true
    });
    for slots in queues {
        let ending = Ending::new(Arc::clone(slots), reporter.clone(), settings);
        let shared = shared.clone();
        monitor = monitor.register(move |_| {
            WorkerBuilder::new(ending.queue().name())
                .backend(JobBackend::new(ending.clone()))
                .data(shared.clone())
                .build(handle)
        });
    }
    let signal = async {
        tokio::select! {
            () = shared.draining.cancelled() => {}
            () = keeper_ended.cancelled() => shared.draining.cancel(),
        }
        Ok(())
    };
    monitor.run_with_signal(signal).await.map_err(|error| Error::Loop(Box::new(error)))?;
    match (keeper_ended.is_cancelled(), shared.draining.is_cancelled()) {
        (true, _) => Err(Error::LeasesUnkept),
        (false, true) => Ok(()),
        (false, false) => Err(Error::Ended),
    }
}

/// One run, within apalis.
async fn handle(assignment: Assignment, shared: Data<Shared>) -> Result<Outcome, Infallible> {
    let claimed = &assignment.job;
    let job = match claimed.decode() {
        Ok(job) => job,
        // During an update both versions run, and the table is theirs together.
        Err(_) if claimed.payload_version > Job::VERSION => return Ok(Outcome::Park { after: NOT_YET }),
        Err(error) => return Ok(Outcome::Dead { error: error.to_string() }),
    };
    let run = Run {
        id: claimed.id,
        scope: claimed.scope.clone(),
        job,
        number: claimed.starts,
        attempt: claimed.attempts + 1,
        last_attempt: claimed.is_last_attempt(),
        pause: backoff::pause(claimed.attempts, shared.backoff_scale),
        request_id: claimed.request_id.clone(),
    };
    let signals = Signals { lease_lost: assignment.lost.clone(), draining: shared.draining.clone() };
    Ok(shared.handler.handle(run, signals).await)
}
