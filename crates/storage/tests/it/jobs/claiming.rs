use std::{collections::HashSet, time::Duration};

use domain::job::Queue;
use storage::jobs::{self, Claim, Enqueued, Settlement};
use uuid::Uuid;

use super::{LONG, Store, claim, claim_one, day_turn, enqueue, queued, worker};
use test_support::{database::TestDatabase, on_each_database};

on_each_database!(
    a_claim_takes_what_is_due_the_oldest_first,
    a_small_tenant_does_not_wait_behind_a_big_one,
    what_a_tenant_has_running_counts_against_it,
    a_tenant_gets_no_more_than_its_cap,
    queues_are_apart,
    many_workers_take_each_job_once,
);

async fn a_claim_takes_what_is_due_the_oldest_first(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(queued(&store, tenant).await);
    }
    // The last one has waited longest.
    store.run("UPDATE job SET run_at = run_at - 60000 WHERE id = $1", [ids[4].as_uuid().into()]).await;
    let me = worker(3);
    let runs = claim(&store, &me).await;
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [ids[4], ids[0], ids[1]]);
    for run in &runs {
        assert_eq!(
            (run.starts, run.attempts, run.max_attempts),
            (1, 0, run.decode().unwrap().max_attempts())
        );
        let row = store.job(run.id).await;
        assert_eq!((row.state.as_str(), row.locked_by), ("running", Some(me.worker)));
        assert!(row.lease_until.unwrap() > row.created_at + 3_000_000, "the lease is an hour");
    }
    assert_eq!(claim(&store, &worker(10)).await.len(), 2, "the rest, and nothing twice");
}

async fn a_small_tenant_does_not_wait_behind_a_big_one(database: TestDatabase) {
    let store = Store::open(database).await;
    let (big, small) = (store.tenant().await, store.tenant().await);
    for _ in 0..40 {
        queued(&store, big).await;
    }
    let late = queued(&store, small).await;
    let runs = claim(&store, &worker(2)).await;
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().any(|run| run.id == late), "two slots, two tenants, one each");
}

async fn what_a_tenant_has_running_counts_against_it(database: TestDatabase) {
    let store = Store::open(database).await;
    let (busy, idle) = (store.tenant().await, store.tenant().await);
    for _ in 0..6 {
        queued(&store, busy).await;
    }
    assert_eq!(claim(&store, &worker(3)).await.len(), 3);
    for _ in 0..3 {
        queued(&store, idle).await;
    }
    // Three are free: they go to the tenant that has nothing running, though the other's jobs are older.
    let runs = claim(&store, &worker(3)).await;
    assert!(runs.iter().all(|run| run.scope.tenant_id() == idle), "{runs:?}");
    assert_eq!(runs.len(), 3);
}

async fn a_tenant_gets_no_more_than_its_cap(database: TestDatabase) {
    let store = Store::open(database).await;
    let (greedy, other) = (store.tenant().await, store.tenant().await);
    for _ in 0..6 {
        queued(&store, greedy).await;
    }
    let me = Claim { per_tenant: 2, ..worker(10) };
    let runs = claim(&store, &me).await;
    assert_eq!(runs.len(), 2);
    assert!(claim(&store, &Claim { worker: Uuid::now_v7(), ..me }).await.is_empty(), "over all workers");

    queued(&store, other).await;
    assert_eq!(claim_one(&store, &me).await.scope.tenant_id(), other);

    assert!(jobs::settle(&store.db, runs[0].key(), me.worker, &Settlement::Done).await.unwrap());
    let next = claim(&store, &me).await;
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].scope.tenant_id(), greedy);
}

async fn queues_are_apart(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    queued(&store, tenant).await;
    let Enqueued::New(turn) = enqueue(&store, tenant, &day_turn(), Duration::ZERO).await else {
        panic!("new")
    };
    // What runs in one queue does not count in another.
    assert_eq!(claim(&store, &worker(10)).await.len(), 1);
    let figures = Claim { queue: Queue::Figures, per_tenant: 1, ..worker(10) };
    let runs = claim(&store, &figures).await;
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [turn]);
}

const JOBS: usize = 120;

async fn many_workers_take_each_job_once(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenants = [store.tenant().await, store.tenant().await, store.tenant().await];
    let mut waiting = HashSet::new();
    for n in 0..JOBS {
        waiting.insert(queued(&store, tenants[n % 3]).await);
    }
    let workers = (0..6).map(|_| {
        let db = store.db.clone();
        tokio::spawn(async move {
            let me = Claim { lease: LONG, ..worker(7) };
            let mut mine = Vec::new();
            // Empty is not the end: the others may have locked all that was looked at.
            let mut empty = 0;
            while empty < 3 {
                let runs = jobs::claim(&db, &me).await.unwrap();
                empty = if runs.is_empty() { empty + 1 } else { 0 };
                mine.extend(runs.into_iter().map(|run| (run.id, run.starts)));
            }
            mine
        })
    });
    let mut taken = HashSet::new();
    for worker in workers.collect::<Vec<_>>() {
        for (id, starts) in worker.await.unwrap() {
            assert_eq!(starts, 1);
            assert!(taken.insert(id), "{id} was taken twice");
        }
    }
    for run in claim(&store, &worker(u32::try_from(JOBS).unwrap())).await {
        assert!(taken.insert(run.id), "{} was taken twice", run.id);
    }
    assert_eq!(taken, waiting);
}
