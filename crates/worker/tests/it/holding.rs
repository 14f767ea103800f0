//! Leases: kept while a run goes on, taken from workers that do not answer.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use domain::job::{Outcome, Queue};
use storage::{
    Db,
    jobs::{self, Claim},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{DEADLINE, Settings, Store, Working, metrics, scripted, settings, until, until_state};
use test_support::{database::TestDatabase, on_each_database};

on_each_database!(
    the_job_of_a_killed_worker_is_run_by_another,
    a_job_that_kills_its_workers_is_dead_in_the_end,
    a_run_that_lost_its_lease_is_stopped_and_changes_nothing,
    a_run_longer_than_its_lease_stays_the_only_one,
    leases_are_kept_while_a_job_blocks_the_runtime,
);

/// A worker that claims a job and is never heard of again.
async fn claimed_by_a_killed_worker(store: &Store) {
    let (worker, lease) = (Uuid::now_v7(), Duration::ZERO);
    let claim = Claim { queue: Queue::Sync, worker, limit: 1, per_tenant: 9, lease };
    assert_eq!(jobs::claim(&store.db, &claim).await.unwrap().len(), 1);
    store.run("UPDATE job SET lease_until = 1 WHERE state = 'running'", []).await;
}

async fn the_job_of_a_killed_worker_is_run_by_another(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    claimed_by_a_killed_worker(&store).await;
    let handler = scripted(|run, _| async move {
        assert_eq!((run.number, run.attempt), (2, 2));
        Outcome::Done
    });
    let working = Working::start(&store, settings(), handler.clone());
    until_state(&store, id, "done").await;
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.starts), (1, 2));
    assert_eq!(working.metric("tasks_total{status=\"retried\",task_name=\"sync_account\"}"), Some(1.0));
    working.stop().await;
    assert_eq!(handler.started(), [id]);
}

async fn a_job_that_kills_its_workers_is_dead_in_the_end(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    store.run("UPDATE job SET attempts = 3", []).await;
    claimed_by_a_killed_worker(&store).await;
    let handler = scripted(|_, _| async { Outcome::Done });
    let working = Working::start(&store, settings(), handler.clone());
    until_state(&store, id, "dead").await;
    until("the end is counted", async || {
        working.metric("tasks_total{status=\"dead\",task_name=\"sync_account\"}") == Some(1.0)
    })
    .await;
    working.stop().await;
    assert!(handler.started().is_empty());
}

/// Tells when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn a_run_that_lost_its_lease_is_stopped_and_changes_nothing(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let id = store.sync(tenant).await;
    let (stopped, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (stops, tells) = (Arc::clone(&stopped), Arc::clone(&told));
    let handler = scripted(move |run, signals| {
        let (stops, tells) = (Arc::clone(&stops), Arc::clone(&tells));
        async move {
            if run.id != id {
                return Outcome::Done;
            }
            let dropped = Dropped(stops);
            // Work handed to another task hears of it, too.
            tokio::spawn(async move {
                signals.lease_lost.cancelled().await;
                tells.store(true, Ordering::SeqCst);
            });
            std::future::pending::<()>().await;
            drop(dropped);
            Outcome::Done
        }
    });
    let mut settings = settings();
    settings.lease = Duration::from_millis(600);
    settings.sync.slots = 1;
    let working = Working::start(&store, settings, handler.clone());
    until("it runs", async || handler.started() == [id]).await;

    // As if this worker had frozen, and another one had gone on.
    let other = Uuid::now_v7();
    let sql = "UPDATE job SET locked_by = $2, starts = starts + 1, attempts = 1, lease_until = lease_until + 3600000 \
               WHERE id = $1";
    store.run(sql, [id.as_uuid().into(), other.into()]).await;
    until("the run is stopped", async || stopped.load(Ordering::SeqCst) && told.load(Ordering::SeqCst)).await;
    let next = store.sync(tenant).await;
    until_state(&store, next, "done").await;
    working.stop().await;
    let row = store.job(id).await;
    assert_eq!((row.state.as_str(), row.locked_by, row.starts, row.attempts), ("running", Some(other), 2, 1));
    assert_eq!(handler.started(), [id, next], "the slot is free again");
}

async fn a_run_longer_than_its_lease_stays_the_only_one(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    let gate = CancellationToken::new();
    let opened = gate.clone();
    let handler = scripted(move |_, _| {
        let gate = opened.clone();
        async move {
            gate.cancelled().await;
            Outcome::Done
        }
    });
    let settings = Settings { lease: Duration::from_secs(3), ..settings() };
    let workers = [
        Working::start(&store, settings.clone(), handler.clone()),
        Working::start(&store, settings, handler.clone()),
    ];
    until("it has been kept for longer than a lease", async || {
        store.count("state = 'running' AND lease_until > run_at + 6500").await == 1
    })
    .await;
    gate.cancel();
    until_state(&store, id, "done").await;
    for worker in workers {
        worker.stop().await;
    }
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.starts), (0, 1));
    assert_eq!(handler.started(), [id]);
}

/// The keeper has a thread of its own. Here a job holds the only other one of its worker.
async fn leases_are_kept_while_a_job_blocks_the_runtime(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    let (go_on, blocked) = mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let handler = scripted(move |_, _| {
        let told = blocked.lock().unwrap().recv_timeout(DEADLINE);
        async move { if told.is_ok() { Outcome::Done } else { Outcome::Dead { error: "left alone".to_owned() } } }
    });
    let settings = Settings { lease: Duration::from_secs(3), ..settings() };
    let (pool, shutdown) = (store.pool.clone(), CancellationToken::new());
    let asked = shutdown.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let db = Db::connect(&pool).await.unwrap();
            worker::run(db, &pool, &settings, handler, metrics(), asked).await.unwrap();
        });
    });
    until("it has been kept for longer than a lease", async || {
        assert!(jobs::reap(&store.db).await.unwrap().is_empty(), "the lease ran out");
        store.count("state = 'running' AND lease_until > run_at + 6500").await == 1
    })
    .await;
    go_on.send(()).unwrap();
    until_state(&store, id, "done").await;
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.starts), (0, 1));
    shutdown.cancel();
    tokio::task::spawn_blocking(move || thread.join()).await.unwrap().unwrap();
}

/// Right after an outage every lease has run out, and every worker is still at work.
#[tokio::test]
async fn an_outage_of_the_database_costs_no_lease() {
    let store = Store::open(TestDatabase::postgres().await).await;
    let ids = store.syncs(store.tenant().await, 4).await;
    let gate = CancellationToken::new();
    let opened = gate.clone();
    let handler = scripted(move |_, _| {
        let gate = opened.clone();
        async move {
            gate.cancelled().await;
            Outcome::Done
        }
    });
    let mut settings = Settings { lease: Duration::from_secs(3), ..settings() };
    settings.sync.slots = 2;
    let workers = [
        Working::start(&store, settings.clone(), handler.clone()),
        Working::start(&store, settings, handler.clone()),
    ];
    until("all run", async || handler.started().len() == 4).await;

    store.cut_connections().await;
    let run_out = "state = 'running' AND lease_until < extract(epoch FROM clock_timestamp()) * 1000";
    until("the leases have run out", async || store.count(run_out).await == 4).await;
    store.let_connections_in().await;
    let kept = "state = 'running' AND lease_until > extract(epoch FROM clock_timestamp()) * 1000";
    until("the leases are kept again", async || store.count(kept).await == 4).await;
    gate.cancel();
    until("all are done", async || store.count("state = 'done' AND starts = 1 AND attempts = 0").await == 4)
        .await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(handler.started().len(), ids.len());
}
