//! The worker, on both databases.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod ending;
mod holding;
mod reporting;
mod sharing;
mod stopping;
mod store;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    clock::{Clock as _, SystemClock},
    ids::JobId,
    job::Outcome,
};
use monitoring::metrics::{Build, DEFAULT_TENANT_LIMIT, KnownLabels, Metrics, MetricsSettings, labels::Role};
use storage::Db;
use store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::{Error, Handler, QueueSettings, Run, Settings, Signals};

/// Nothing that these tests wait for takes nearly as long.
const DEADLINE: Duration = Duration::from_secs(50);

/// A patient worker that looks often and tries again at once.
fn settings() -> Settings {
    let queue = QueueSettings { slots: 8, per_tenant: 1_000, timeout: DEADLINE };
    Settings {
        sync: queue,
        figures: queue,
        lease: Duration::from_mins(1),
        poll: Duration::from_millis(20),
        drain: DEADLINE,
        backoff_scale: 0.0,
        count_every: Duration::from_millis(50),
        overview_every: Duration::from_millis(50),
        retention: Duration::from_hours(1),
    }
}

/// A handler made of a closure; keeps the order of the starts.
struct Scripted<F> {
    script: F,
    started: Mutex<Vec<JobId>>,
}

#[async_trait]
impl<F, R> Handler for Scripted<F>
where
    F: Fn(Run, Signals) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    async fn handle(&self, run: Run, signals: Signals) -> Outcome {
        self.started.lock().unwrap().push(run.id);
        (self.script)(run, signals).await
    }
}

impl<F> Scripted<F> {
    fn started(&self) -> Vec<JobId> {
        self.started.lock().unwrap().clone()
    }
}

fn scripted<F, R>(script: F) -> Arc<Scripted<F>>
where
    F: Fn(Run, Signals) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    Arc::new(Scripted { script, started: Mutex::default() })
}

fn metrics() -> Metrics {
    Metrics::new(&MetricsSettings {
        build: Build { version: "0", commit: "0", role: Role::Worker },
        tenant_limit: DEFAULT_TENANT_LIMIT,
        known: KnownLabels { tasks: worker::TASKS.to_vec(), ..KnownLabels::default() },
        clock: Arc::new(|| SystemClock.now()),
    })
    .unwrap()
}

/// A worker at work.
struct Working {
    metrics: Metrics,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl Working {
    fn start(store: &Store, settings: Settings, handler: Arc<dyn Handler>) -> Self {
        let metrics = metrics();
        let shutdown = CancellationToken::new();
        let (pool, sink, asked) = (store.pool.clone(), metrics.clone(), shutdown.clone());
        // With connections of its own, as another process would have.
        let task = tokio::spawn(async move {
            let db = Db::connect(&pool).await.unwrap();
            worker::run(db, &pool, &settings, handler, sink, asked).await
        });
        Self { metrics, shutdown, task }
    }

    /// Asks it to stop and waits until it has.
    async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it stops in time").unwrap().unwrap();
    }

    /// The value of a series, such as `tasks_total{status="dead",task_name="turn_day"}`.
    fn metric(&self, series: &str) -> Option<f64> {
        let page = self.metrics.render().unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("stock_tracker_{series} ")))?;
        Some(line.parse().unwrap())
    }
}

/// Waits until the condition holds.
async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, wait).await.is_ok(), "not in time: {what}");
}

/// Waits until a job is in this state.
async fn until_state(store: &Store, id: JobId, state: &str) {
    until(state, async || store.job(id).await.state == state).await;
}
