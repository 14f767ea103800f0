use std::time::Duration;

use domain::job::Queue;
use storage::jobs::{self, RunKey, Settlement};
use uuid::Uuid;

use super::{LONG, Store, claim, claim_one, day_turn, enqueue, queued, worker};
use test_support::{database::TestDatabase, on_each_database};

on_each_database!(
    a_run_ends_once_and_only_by_its_worker,
    a_failure_is_tried_again_later_until_it_is_given_up,
    what_cannot_succeed_is_given_up_at_once,
    a_parked_job_has_not_failed,
    the_depth_counts_what_is_due,
    ended_jobs_are_removed_after_their_time,
);

fn retry() -> Settlement {
    Settlement::Retry { after: LONG, error: "no answer".to_owned() }
}

async fn a_run_ends_once_and_only_by_its_worker(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    queued(&store, tenant).await;
    let me = worker(1);
    let run = claim_one(&store, &me).await;
    let ends = [
        Settlement::Done,
        retry(),
        Settlement::Dead { error: "never".to_owned() },
        Settlement::Park { after: LONG },
    ];
    for end in &ends {
        assert!(!jobs::settle(&store.db, run.key(), Uuid::now_v7(), end).await.unwrap(), "another worker");
        let other_run = RunKey { starts: run.starts + 1, ..run.key() };
        assert!(!jobs::settle(&store.db, other_run, me.worker, end).await.unwrap(), "another run");
    }
    assert_eq!(store.job(run.id).await.state, "running");
    assert!(jobs::settle(&store.db, run.key(), me.worker, &Settlement::Done).await.unwrap());
    for end in &ends {
        assert!(!jobs::settle(&store.db, run.key(), me.worker, end).await.unwrap(), "a second time");
    }
    let row = store.job(run.id).await;
    assert_eq!((row.state.as_str(), row.attempts, row.error, row.locked_by), ("done", 0, None, None));
    assert!(row.finished_at.unwrap() >= row.created_at);
}

async fn a_failure_is_tried_again_later_until_it_is_given_up(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let id = queued(&store, tenant).await;
    let me = worker(1);
    let last = store.job(id).await.max_attempts;
    for attempt in 1..=last {
        let run = claim_one(&store, &me).await;
        assert_eq!(run.attempts, attempt - 1);
        assert!(jobs::settle(&store.db, run.key(), me.worker, &retry()).await.unwrap());
        let row = store.job(id).await;
        assert_eq!((row.attempts, row.error.as_deref()), (attempt, Some("no answer")));
        assert_eq!(row.state, if attempt == last { "dead" } else { "queued" });
        assert_eq!(row.finished_at.is_some(), attempt == last);
        assert!(claim(&store, &me).await.is_empty(), "not before its time");
        assert!(row.run_at >= row.created_at + 3_600_000);
        store.run("UPDATE job SET run_at = created_at", []).await;
    }
    assert!(claim(&store, &me).await.is_empty(), "given up");
}

async fn what_cannot_succeed_is_given_up_at_once(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let id = queued(&store, tenant).await;
    let me = worker(1);
    let run = claim_one(&store, &me).await;
    let end = Settlement::Dead { error: "x".repeat(5_000) };
    assert!(jobs::settle(&store.db, run.key(), me.worker, &end).await.unwrap());
    let row = store.job(id).await;
    assert_eq!((row.state.as_str(), row.attempts), ("dead", 1));
    assert_eq!(row.error.unwrap().len(), 2_000, "an error is cut");
}

async fn a_parked_job_has_not_failed(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let id = queued(&store, tenant).await;
    let me = worker(1);
    for start in 1..=9 {
        let run = claim_one(&store, &me).await;
        assert_eq!((run.starts, run.attempts), (start, 0));
        let end = Settlement::Park { after: LONG };
        assert!(jobs::settle(&store.db, run.key(), me.worker, &end).await.unwrap());
        assert!(claim(&store, &me).await.is_empty(), "not before its time");
        store.run("UPDATE job SET run_at = created_at", []).await;
    }
    let row = store.job(id).await;
    assert_eq!((row.state.as_str(), row.attempts, row.error), ("queued", 0, None));
}

async fn the_depth_counts_what_is_due(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    for _ in 0..3 {
        queued(&store, tenant).await;
    }
    enqueue(&store, tenant, &day_turn(), LONG).await;
    claim_one(&store, &worker(1)).await;
    store.run("UPDATE job SET run_at = run_at - 90000 WHERE queue = 'sync'", []).await;

    let depths = jobs::depth(&store.db).await.unwrap();
    assert_eq!(depths.len(), Queue::ALL.len());
    let of = |queue| depths.iter().find(|depth| depth.queue == queue).unwrap();
    assert_eq!(of(Queue::Sync).due, 2, "what runs does not wait");
    assert!(of(Queue::Sync).oldest >= Duration::from_secs(90));
    assert_eq!((of(Queue::Figures).due, of(Queue::Figures).oldest), (0, Duration::ZERO), "not due yet");
}

async fn ended_jobs_are_removed_after_their_time(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let me = worker(1);
    let mut ids = Vec::new();
    for end in [Settlement::Done, Settlement::Dead { error: "never".to_owned() }, Settlement::Done] {
        queued(&store, tenant).await;
        let run = claim_one(&store, &me).await;
        assert!(jobs::settle(&store.db, run.key(), me.worker, &end).await.unwrap());
        ids.push(run.id);
    }
    queued(&store, tenant).await;
    store.run("UPDATE job SET created_at = 1, run_at = 1", []).await;
    assert_eq!(jobs::prune(&store.db, LONG).await.unwrap(), 0);
    for id in &ids[..2] {
        let sql = "UPDATE job SET finished_at = finished_at - 3601000 WHERE id = $1";
        store.run(sql, [id.as_uuid().into()]).await;
    }
    assert_eq!(jobs::prune(&store.db, LONG).await.unwrap(), 2);
    assert_eq!(store.jobs().await, 2, "the young and the waiting stay");
    assert_eq!(store.job(ids[2]).await.state, "done");
}
