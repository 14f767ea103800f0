//! What this process has claimed of one queue.
//!
//! A slot is taken before a job is claimed and given back when its run is over, so nothing is claimed that cannot
//! start at once. All of it outlives restarts of the apalis worker.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use domain::job::Queue;
use futures::FutureExt as _;
use storage::{
    Db,
    jobs::{self, Claim, ClaimedJob, RunKey},
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task::{AbortHandle, JoinHandle},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    backoff::around,
    settings::{QueueSettings, Settings},
};

/// A job to run, as it goes through apalis.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) job: ClaimedJob,
    /// Cancelled when the lease is lost.
    pub(super) lost: CancellationToken,
}

/// The claimed jobs of a queue.
pub(super) struct Slots {
    pub(super) db: Db,
    pub(super) queue: Queue,
    pub(super) worker: Uuid,
    settings: QueueSettings,
    lease: Duration,
    poll: Duration,
    draining: CancellationToken,
    free: Arc<Semaphore>,
    /// A run has ended; its tenant may be below its cap again.
    ended: Notify,
    state: Mutex<State>,
    /// The runs, each a task of its own.
    pub(super) runs: TaskTracker,
}

#[derive(Default)]
struct State {
    /// Claimed and not started.
    ready: VecDeque<Assignment>,
    /// Claimed, started or not.
    held: HashMap<RunKey, Held>,
    claiming: Option<JoinHandle<()>>,
}

struct Held {
    lost: CancellationToken,
    /// None before the run starts, and again once its end is being kept: that must not be stopped.
    abort: Option<AbortHandle>,
    _slot: OwnedSemaphorePermit,
}

impl Slots {
    pub(super) fn new(
        db: Db,
        queue: Queue,
        worker: Uuid,
        settings: &Settings,
        draining: CancellationToken,
    ) -> Self {
        let of_queue = settings.queue(queue);
        Self {
            db,
            queue,
            worker,
            settings: of_queue,
            lease: settings.lease,
            poll: settings.poll,
            draining,
            free: Arc::new(Semaphore::new(usize::try_from(of_queue.slots).unwrap_or(Semaphore::MAX_PERMITS))),
            ended: Notify::new(),
            state: Mutex::default(),
            runs: TaskTracker::new(),
        }
    }

    /// The next job to start. Claims when there is none; pending for ever once the worker drains.
    pub(super) fn poll_next(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<Assignment> {
        let mut state = self.state();
        loop {
            if self.draining.is_cancelled() {
                return Poll::Pending;
            }
            if let Some(assignment) = state.ready.pop_front() {
                return Poll::Ready(assignment);
            }
            // A task: a claim that has reached the database must not be dropped with the apalis worker.
            let claiming = state.claiming.get_or_insert_with(|| tokio::spawn(Arc::clone(self).claim()));
            let ended = std::task::ready!(claiming.poll_unpin(cx));
            state.claiming = None;
            if let Err(error) = ended {
                tracing::error!(queue = self.queue.name(), %error, "claiming panicked");
            }
        }
    }

    /// Waits for free slots and for jobs to fill them.
    async fn claim(self: Arc<Self>) {
        let mut failing = false;
        while let Some(slots) = self.draining.run_until_cancelled(self.take_slots()).await {
            // The drain ends runs, and their slots wake this up: nothing may be claimed for them.
            if self.draining.is_cancelled() {
                return;
            }
            let claim = Claim {
                queue: self.queue,
                worker: self.worker,
                limit: u32::try_from(slots.len()).unwrap_or(u32::MAX),
                per_tenant: self.settings.per_tenant,
                lease: self.lease,
            };
            match jobs::claim(&self.db, &claim).await {
                Ok(jobs) if jobs.is_empty() => failing = false,
                Ok(jobs) => return self.file(jobs, slots),
                // Once for each outage.
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(queue = self.queue.name(), %error, "no jobs claimed; trying on");
                }
                Err(_) => {}
            }
            drop(slots);
            let pause = tokio::time::sleep(around(self.poll));
            tokio::select! {
                () = self.draining.cancelled() => return,
                () = self.ended.notified(), if !failing => {}
                () = pause => {}
            }
        }
    }

    /// Every free slot, one at least.
    async fn take_slots(&self) -> Vec<OwnedSemaphorePermit> {
        let first = Arc::clone(&self.free).acquire_owned().await;
        let mut slots = Vec::from_iter(first);
        slots.extend(std::iter::from_fn(|| Arc::clone(&self.free).try_acquire_owned().ok()));
        slots
    }

    fn file(&self, jobs: Vec<ClaimedJob>, slots: Vec<OwnedSemaphorePermit>) {
        let mut state = self.state();
        for (job, slot) in jobs.into_iter().zip(slots) {
            let lost = CancellationToken::new();
            state.held.insert(job.key(), Held { lost: lost.clone(), abort: None, _slot: slot });
            state.ready.push_back(Assignment { job, lost });
        }
    }

    /// A run is about to start. False when it is not ours any more; then it must not.
    pub(super) fn start(&self, run: RunKey, abort: AbortHandle) -> bool {
        let mut state = self.state();
        let Some(held) = state.held.get_mut(&run) else { return false };
        held.abort = Some(abort);
        true
    }

    /// The end of a run is about to be kept: from now on it is not stopped. It is renewed until it is [released].
    ///
    /// [released]: Slots::release
    pub(super) fn settling(&self, run: RunKey) {
        if let Some(held) = self.state().held.get_mut(&run) {
            held.abort = None;
        }
    }

    /// A run is over.
    pub(super) fn release(&self, run: RunKey) {
        let released = self.state().held.remove(&run);
        drop(released);
        self.ended.notify_one();
    }

    /// The leases to renew.
    pub(super) fn held(&self) -> Vec<RunKey> {
        self.state().held.keys().copied().collect()
    }

    /// A lease is gone. What has not started will not; what runs is stopped, and gives its slot back when it has.
    pub(super) fn lose(&self, run: RunKey) {
        let mut state = self.state();
        let waiting = state.ready.len();
        state.ready.retain(|assignment| assignment.job.key() != run);
        let never_started = state.ready.len() < waiting;
        let Some(held) = state.held.get(&run) else { return };
        // Nothing to stop: it ended in between, and the database said so first.
        if held.abort.is_none() && !never_started {
            return;
        }
        held.lost.cancel();
        if let Some(abort) = &held.abort {
            abort.abort();
        }
        if never_started {
            state.held.remove(&run);
            drop(state);
            self.ended.notify_one();
        }
        tracing::warn!(job_id = %run.id, run = run.starts, "the lease is lost; the run is stopped");
    }

    /// Stops whatever runs. Afterwards nothing of this queue is claimed or renewed here, and nothing runs, unless it
    /// does not stop within `patience`.
    pub(super) async fn give_up(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let claiming = self.state().claiming.take();
        if let Some(claiming) = claiming
            && tokio::time::timeout_at(deadline, claiming).await.is_err()
        {
            tracing::warn!(queue = self.queue.name(), "a claim does not end");
        }
        {
            let mut state = self.state();
            state.ready.clear();
            for held in state.held.values() {
                if let Some(abort) = &held.abort {
                    held.lost.cancel();
                    abort.abort();
                }
            }
        }
        self.runs.close();
        if tokio::time::timeout_at(deadline, self.runs.wait()).await.is_err() {
            tracing::warn!(queue = self.queue.name(), runs = self.runs.len(), "runs do not stop");
        }
        self.state().held.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock, and every change is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
