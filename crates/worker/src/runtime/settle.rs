//! Running a job to its end, whatever that is, and keeping the end.
//!
//! The layer is the backend's own, so it is outside every other one and nobody can forget it. Each run is a task of
//! its own: runs do not wait for one another, and one whose apalis worker is gone still ends properly.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use apalis_core::{error::BoxDynError, task::Task};
use domain::job::{Outcome, Queue};
use futures::{FutureExt as _, future::BoxFuture};
use monitoring::error_reports::{self, Work};
use storage::jobs::{self, ClaimedJob, RunKey, Settlement};
use tokio::sync::oneshot;
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::slots::{Assignment, Slots};
use crate::{backoff, report::Reporter, settings::Settings};

/// Between two tries to keep an end, the first time and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Tries after which an end is dropped that the database refuses for a lasting reason. The lease runs out then.
const TRIES: u32 = 8;

/// How runs of a queue end.
#[derive(Clone)]
pub(super) struct Ending {
    slots: Arc<Slots>,
    reporter: Reporter,
    timeout: Duration,
    backoff_scale: f64,
}

impl Ending {
    pub(super) fn new(slots: Arc<Slots>, reporter: Reporter, settings: &Settings) -> Self {
        let timeout = settings.queue(slots.queue).timeout;
        Self { slots, reporter, timeout, backoff_scale: settings.backoff_scale }
    }

    pub(super) const fn slots(&self) -> &Arc<Slots> {
        &self.slots
    }

    pub(super) fn queue(&self) -> Queue {
        self.slots.queue
    }

    /// Runs a job and keeps its end. Returns whether nothing failed.
    async fn carry<F, E>(self, job: ClaimedJob, run: F) -> bool
    where
        F: Future<Output = Result<Outcome, E>> + Send,
        E: Into<BoxDynError>,
    {
        let in_progress = self.reporter.started(&job.kind);
        let started = Instant::now();
        let run = AssertUnwindSafe(run).catch_unwind();
        let outcome = match tokio::time::timeout(self.timeout, run).await {
            Ok(Ok(Ok(outcome))) => outcome,
            Ok(Ok(Err(error))) => failed(error.into().to_string()),
            Ok(Err(panic)) => failed(panicked(panic.as_ref())),
            Err(_) => failed(format!("not done after {} s", self.timeout.as_secs_f64())),
        };
        let elapsed = started.elapsed();
        drop(in_progress);

        let settlement = self.settlement(outcome, job.attempts);
        self.slots.settling(job.key());
        match self.keep(job.key(), &settlement).await {
            Some(true) => self.reporter.ended(&job, &settlement, elapsed),
            Some(false) => Reporter::overtaken(&job, elapsed),
            None => {}
        }
        matches!(settlement, Settlement::Done | Settlement::Park { .. })
    }

    fn settlement(&self, outcome: Outcome, attempts: i32) -> Settlement {
        match outcome {
            Outcome::Done => Settlement::Done,
            Outcome::Retry { after, error } => {
                let after = after.unwrap_or_else(|| backoff::pause(attempts, self.backoff_scale));
                Settlement::Retry { after, error }
            }
            Outcome::Dead { error } => Settlement::Dead { error },
            Outcome::Park { after } => Settlement::Park { after },
        }
    }

    /// Tries until the database has taken it: meanwhile the lease is renewed. Whether the run was still ours; none if
    /// the database will not have it.
    async fn keep(&self, run: RunKey, settlement: &Settlement) -> Option<bool> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            let error = match jobs::settle(&self.slots.db, run, self.slots.worker, settlement).await {
                Ok(kept) => return Some(kept),
                Err(error) => error,
            };
            tries += 1;
            if tries >= TRIES && !error.is_transient() {
                tracing::error!(job_id = %run.id, %error, "the end of a run is not kept; its lease runs out");
                return None;
            }
            if tries == 1 {
                tracing::warn!(job_id = %run.id, %error, "the end of a run is not kept yet");
            }
            tokio::time::sleep(backoff::around(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// What reports and traces say of a run.
fn work(job: &ClaimedJob) -> Work {
    let mut tags = vec![
        ("task", job.kind.clone()),
        ("attempt", (job.attempts + 1).to_string()),
        ("job_id", job.id.to_string()),
        ("tenant_id", job.scope.tenant_id().to_string()),
    ];
    tags.extend(job.request_id.clone().map(|id| ("request_id", id)));
    Work { name: job.kind.clone(), operation: "queue.process", tags }
}

/// Gives a slot back.
struct Release {
    slots: Arc<Slots>,
    run: RunKey,
}

impl Drop for Release {
    fn drop(&mut self) {
        self.slots.release(self.run);
    }
}

const fn failed(error: String) -> Outcome {
    Outcome::Retry { after: None, error }
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a text"))
}

/// Puts [`Settle`] around the service.
#[derive(Clone)]
pub(super) struct SettleLayer {
    ending: Ending,
}

impl SettleLayer {
    pub(super) const fn new(ending: Ending) -> Self {
        Self { ending }
    }
}

impl<S> Layer<S> for SettleLayer {
    type Service = Settle<S>;

    fn layer(&self, inner: S) -> Settle<S> {
        Settle { inner, ending: self.ending.clone() }
    }
}

/// Carries each job to its end in a task of its own. Its own answer is always the same: the end is kept already.
#[derive(Clone)]
pub(super) struct Settle<S> {
    inner: S,
    ending: Ending,
}

impl<S> Service<Task<Assignment>> for Settle<S>
where
    S: Service<Task<Assignment>, Response = Outcome>,
    S::Error: Into<BoxDynError> + Send,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = BoxDynError;
    type Future = BoxFuture<'static, Result<(), BoxDynError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<Assignment>) -> Self::Future {
        let job = task.args.job.clone();
        let key = job.key();
        let span = tracing::info_span!(
            "job",
            job = %job.kind,
            job_id = %job.id,
            tenant_id = %job.scope.tenant_id(),
            request_id = job.request_id,
            attempt = job.attempts + 1,
            account_id = tracing::field::Empty,
            marketplace = tracing::field::Empty,
        );
        // A panic here would end the apalis worker; it belongs to the job.
        let called = catch_unwind(AssertUnwindSafe(|| self.inner.call(task)));
        let run = async move {
            match called {
                Ok(run) => run.await.map_err(Into::into),
                Err(panic) => Err(BoxDynError::from(panicked(panic.as_ref()))),
            }
        };
        let ending = self.ending.clone();
        // However the task ends, also when it is stopped before it has begun.
        let release = Release { slots: Arc::clone(&ending.slots), run: key };
        // The way to stop a run must be filed before the run starts.
        let (filed, wait) = oneshot::channel::<()>();
        let carried = async move {
            let _release = release;
            if wait.await.is_ok() {
                let work = work(&job);
                let carried = ending.carry(job, run.instrument(span));
                error_reports::observed(work, carried, |ended_well| *ended_well).await;
            }
        };
        let carried = self.ending.slots.runs.spawn(carried);
        if self.ending.slots.start(key, carried.abort_handle()) {
            // Only fails when the task has been stopped in between; then it must not start.
            let _stopped = filed.send(());
        }
        async move {
            match carried.await {
                Ok(()) => {}
                Err(error) if error.is_cancelled() => {
                    tracing::debug!(job_id = %key.id, "the run was stopped");
                }
                Err(error) => tracing::error!(job_id = %key.id, %error, "ending a run panicked"),
            }
            Ok(())
        }
        .boxed()
    }
}
