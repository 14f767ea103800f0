//! Keeping leases, from a thread of its own.
//!
//! Jobs that block every thread of the runtime, or hold every connection of the pool, must not cost the others their
//! leases: the keeper has a thread, a runtime and a connection that nobody else uses.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use storage::{
    Db, PoolSettings,
    jobs::{self, RunKey},
};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::slots::Slots;
use crate::{error::Error, report::Reporter};

/// The keeper's thread. It ends when this is dropped.
pub(super) struct Keeper {
    thread: JoinHandle<()>,
    ready: Option<oneshot::Receiver<()>>,
    ended: CancellationToken,
    stop: DropGuard,
}

impl Keeper {
    pub(super) fn start(
        pool: &PoolSettings,
        queues: Vec<Arc<Slots>>,
        worker: Uuid,
        lease: Duration,
        reporter: Reporter,
    ) -> Result<Self, Error> {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let ended = CancellationToken::new();
        let ends = ended.clone().drop_guard();
        let (is_ready, ready) = oneshot::channel();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Keeper)?;
        let pool = PoolSettings { size: 1, acquire_timeout: lease / 3, ..pool.clone() };
        let body = move || {
            // Also when it panics.
            let _ends = ends;
            runtime.block_on(stopped.run_until_cancelled(async {
                let leases = Leases { db: connect(&pool, lease / 10).await, queues, worker, lease, reporter };
                leases.keep(is_ready).await;
            }));
        };
        let thread =
            thread::Builder::new().name("lease-keeper".to_owned()).spawn(body).map_err(Error::Keeper)?;
        Ok(Self { thread, ready: Some(ready), ended, stop: stop.drop_guard() })
    }

    /// Until the keeper has reached the database.
    pub(super) async fn ready(&mut self) -> Result<(), Error> {
        match self.ready.take() {
            Some(ready) => ready.await.map_err(|_| Error::LeasesUnkept),
            None => Ok(()),
        }
    }

    /// Cancelled when the thread has ended.
    pub(super) const fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the lease keeper panicked");
        }
    }
}

async fn connect(pool: &PoolSettings, pause: Duration) -> Db {
    let mut failing = false;
    loop {
        match Db::connect(pool).await {
            Ok(db) => return db,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "the lease keeper has no connection; trying on");
            }
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
    }
}

struct Leases {
    db: Db,
    queues: Vec<Arc<Slots>>,
    worker: Uuid,
    lease: Duration,
    reporter: Reporter,
}

impl Leases {
    async fn keep(self, is_ready: oneshot::Sender<()>) {
        let mut is_ready = Some(is_ready);
        let mut truce = Truce::new(self.lease);
        let mut failing = false;
        loop {
            let beat = tokio::time::timeout(self.lease / 2, self.beat(truce.is_over())).await;
            let error = match beat {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("no answer".to_owned()),
            };
            truce.beat(error.is_none());
            match (error, failing) {
                (Some(error), false) => tracing::warn!(error, "leases not renewed; trying on"),
                (None, true) => tracing::info!("leases are renewed again"),
                _ => {}
            }
            failing = !truce.last_beat_was_good();
            if !failing && let Some(is_ready) = is_ready.take() {
                // Nobody waits any more when the worker stops already.
                let _stopping = is_ready.send(());
            }
            tokio::time::sleep(if failing { self.lease / 10 } else { self.lease / 3 }).await;
        }
    }

    async fn beat(&self, may_reap: bool) -> Result<(), storage::Error> {
        let mut asked: Vec<(&Slots, RunKey)> = Vec::new();
        for slots in &self.queues {
            asked.extend(slots.held().into_iter().map(|run| (slots.as_ref(), run)));
        }
        let runs: Vec<RunKey> = asked.iter().map(|(_, run)| *run).collect();
        let kept = jobs::renew(&self.db, &runs, self.worker, self.lease).await?;
        for (slots, run) in asked {
            if !kept.contains(&run) {
                slots.lose(run);
            }
        }
        if may_reap {
            for job in jobs::reap(&self.db).await? {
                self.reporter.reaped(&job, self.lease);
            }
        }
        Ok(())
    }
}

/// No lease is ended right after an outage: the workers that hold them could not renew, and must have the time to.
struct Truce {
    lease: Duration,
    last_failure: Option<Instant>,
    last_success: Option<Instant>,
}

impl Truce {
    const fn new(lease: Duration) -> Self {
        Self { lease, last_failure: None, last_success: None }
    }

    fn beat(&mut self, good: bool) {
        self.beat_at(good, Instant::now());
    }

    fn beat_at(&mut self, good: bool, now: Instant) {
        // Frozen, or starved, for so long is an outage too.
        let late = self.last_success.is_some_and(|before| now.duration_since(before) > self.lease);
        if !good || late {
            self.last_failure = Some(now);
        }
        if good {
            self.last_success = Some(now);
        }
    }

    fn last_beat_was_good(&self) -> bool {
        self.last_success.is_some() && self.last_success >= self.last_failure
    }

    fn is_over(&self) -> bool {
        self.is_over_at(Instant::now())
    }

    fn is_over_at(&self, now: Instant) -> bool {
        let recent = |at: Option<Instant>| at.is_some_and(|at| now.duration_since(at) < self.lease);
        !recent(self.last_failure) && (self.last_success.is_none() || recent(self.last_success))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_reaped_until_a_lease_after_an_outage() {
        let lease = Duration::from_secs(30);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut truce = Truce::new(lease);
        assert!(truce.is_over_at(at(0)));
        truce.beat_at(true, at(0));
        assert!(truce.is_over_at(at(10)));
        truce.beat_at(false, at(10));
        assert!(!truce.last_beat_was_good());
        truce.beat_at(true, at(13));
        assert!(truce.last_beat_was_good());
        assert!(!truce.is_over_at(at(39)));
        truce.beat_at(true, at(23));
        truce.beat_at(true, at(33));
        assert!(truce.is_over_at(at(40)));
    }

    #[test]
    fn a_process_that_was_frozen_does_not_reap_at_once() {
        let lease = Duration::from_secs(30);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut truce = Truce::new(lease);
        truce.beat_at(true, at(0));
        assert!(!truce.is_over_at(at(100)), "before its first beat after waking up");
        truce.beat_at(true, at(100));
        assert!(truce.last_beat_was_good());
        assert!(!truce.is_over_at(at(110)));
        truce.beat_at(true, at(110));
        truce.beat_at(true, at(120));
        assert!(truce.is_over_at(at(131)));
    }
}
