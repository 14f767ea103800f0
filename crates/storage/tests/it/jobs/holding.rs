use std::collections::HashSet;

use storage::jobs::{self, RunKey, Settlement};
use uuid::Uuid;

use super::{LONG, Store, claim, claim_one, let_lease_end, queued, worker};
use test_support::{database::TestDatabase, on_each_database};

on_each_database!(
    only_the_holder_of_the_latest_run_renews,
    a_renewed_lease_is_not_reaped,
    a_lost_lease_is_a_failure_and_the_job_goes_on,
    a_job_that_never_comes_back_is_given_up,
    a_worker_that_stops_gives_back_what_it_holds,
);

async fn only_the_holder_of_the_latest_run_renews(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    for _ in 0..3 {
        queued(&store, tenant).await;
    }
    let (me, other) = (worker(2), worker(1));
    let mine: Vec<RunKey> = claim(&store, &me).await.iter().map(jobs::ClaimedJob::key).collect();
    let theirs = claim_one(&store, &other).await.key();
    let older = RunKey { starts: mine[0].starts - 1, ..mine[0] };

    let asked = [mine[0], mine[1], theirs, older];
    let kept = jobs::renew(&store.db, &asked, me.worker, LONG).await.unwrap();
    assert_eq!(kept, HashSet::from([mine[0], mine[1]]));

    assert!(jobs::settle(&store.db, mine[0], me.worker, &Settlement::Done).await.unwrap());
    assert_eq!(jobs::renew(&store.db, &asked, me.worker, LONG).await.unwrap(), HashSet::from([mine[1]]));
    assert!(jobs::renew(&store.db, &[], me.worker, LONG).await.unwrap().is_empty());
    assert!(jobs::renew(&store.db, &asked, Uuid::now_v7(), LONG).await.unwrap().is_empty());
}

async fn a_renewed_lease_is_not_reaped(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    queued(&store, tenant).await;
    let me = worker(1);
    let run = claim_one(&store, &me).await;
    let_lease_end(&store, run.id).await;
    assert_eq!(jobs::renew(&store.db, &[run.key()], me.worker, LONG).await.unwrap().len(), 1);
    assert!(jobs::reap(&store.db).await.unwrap().is_empty());
    assert_eq!(store.job(run.id).await.state, "running");
}

async fn a_lost_lease_is_a_failure_and_the_job_goes_on(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    for _ in 0..2 {
        queued(&store, tenant).await;
    }
    let me = worker(2);
    let runs = claim(&store, &me).await;
    let_lease_end(&store, runs[0].id).await;

    let reaped = jobs::reap(&store.db).await.unwrap();
    assert_eq!(reaped.len(), 1, "the other lease runs");
    assert_eq!((reaped[0].id, reaped[0].tenant_id), (runs[0].id, tenant));
    assert_eq!((reaped[0].attempts, reaped[0].dead, reaped[0].kind.as_str()), (1, false, "sync_account"));
    let row = store.job(runs[0].id).await;
    assert_eq!((row.state.as_str(), row.attempts, row.starts, row.locked_by), ("queued", 1, 1, None));

    // Somebody else goes on; who wakes up too late changes nothing.
    let other = worker(1);
    let again = claim_one(&store, &other).await;
    assert_eq!((again.id, again.starts, again.attempts), (runs[0].id, 2, 1));
    assert!(!jobs::settle(&store.db, runs[0].key(), me.worker, &Settlement::Done).await.unwrap());
    assert!(jobs::renew(&store.db, &[runs[0].key()], me.worker, LONG).await.unwrap().is_empty());
    assert_eq!(store.job(again.id).await.state, "running");
    assert!(jobs::settle(&store.db, again.key(), other.worker, &Settlement::Done).await.unwrap());
}

async fn a_job_that_never_comes_back_is_given_up(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let id = queued(&store, tenant).await;
    let last = store.job(id).await.max_attempts;
    for attempt in 1..=last {
        let run = claim_one(&store, &worker(1)).await;
        assert_eq!(run.is_last_attempt(), attempt == last);
        let_lease_end(&store, id).await;
        let reaped = jobs::reap(&store.db).await.unwrap();
        assert_eq!(
            reaped.iter().map(|job| (job.attempts, job.dead)).collect::<Vec<_>>(),
            [(attempt, attempt == last)]
        );
    }
    let row = store.job(id).await;
    assert_eq!((row.state.as_str(), row.attempts), ("dead", last));
    assert!(row.error.is_some() && row.finished_at.is_some() && row.lease_until.is_none(), "{row:?}");
    assert!(claim(&store, &worker(1)).await.is_empty());
}

async fn a_worker_that_stops_gives_back_what_it_holds(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    for _ in 0..3 {
        queued(&store, tenant).await;
    }
    let (me, other) = (worker(2), worker(1));
    let mine = claim(&store, &me).await;
    let theirs = claim_one(&store, &other).await;
    assert_eq!(jobs::hand_back(&store.db, me.worker).await.unwrap(), 2);
    assert_eq!(jobs::hand_back(&store.db, me.worker).await.unwrap(), 0);
    for run in &mine {
        let row = store.job(run.id).await;
        assert_eq!((row.state.as_str(), row.attempts, row.locked_by), ("queued", 0, None));
        assert!(!jobs::settle(&store.db, run.key(), me.worker, &Settlement::Done).await.unwrap());
    }
    assert_eq!(store.job(theirs.id).await.state, "running");
    assert_eq!(claim(&store, &worker(10)).await.len(), 2);
}
