use std::time::Duration;

use storage::{
    Error, Reason,
    jobs::{self, Enqueued, Settlement},
};

use super::{LONG, Store, claim, claim_one, day_turn, enqueue, queued, sync, worker};
use test_support::{database::TestDatabase, on_each_database};

on_each_database!(
    a_job_exists_only_if_its_transaction_commits,
    the_same_job_is_not_added_twice_while_it_lives,
    a_job_waits_for_its_time,
    the_request_goes_along_with_the_work,
    a_payload_that_nobody_knows_is_said_to_be_damaged,
    a_job_needs_a_tenant,
);

async fn a_job_exists_only_if_its_transaction_commits(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let job = sync();
    let tx = store.db.system(Reason::Schedule).await.unwrap();
    assert!(matches!(jobs::enqueue_system(&tx, tenant, &job, Duration::ZERO).await, Ok(Enqueued::New(_))));
    drop(tx);
    assert_eq!(store.jobs().await, 0);
    assert!(claim(&store, &worker(10)).await.is_empty());

    assert!(matches!(enqueue(&store, tenant, &job, Duration::ZERO).await, Enqueued::New(_)));
    assert_eq!(claim_one(&store, &worker(1)).await.decode().unwrap(), job);
}

async fn the_same_job_is_not_added_twice_while_it_lives(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let job = sync();
    assert!(matches!(enqueue(&store, tenant, &job, Duration::ZERO).await, Enqueued::New(_)));
    assert_eq!(enqueue(&store, tenant, &job, Duration::ZERO).await, Enqueued::Duplicate, "queued");

    let me = worker(1);
    let run = claim_one(&store, &me).await;
    assert_eq!(enqueue(&store, tenant, &job, Duration::ZERO).await, Enqueued::Duplicate, "running");

    assert!(jobs::settle(&store.db, run.key(), me.worker, &Settlement::Done).await.unwrap());
    assert!(matches!(enqueue(&store, tenant, &job, Duration::ZERO).await, Enqueued::New(_)), "done");
}

async fn a_job_waits_for_its_time(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let Enqueued::New(id) = enqueue(&store, tenant, &sync(), LONG).await else { panic!("it is new") };
    let row = store.job(id).await;
    assert_eq!(row.run_at - row.created_at, 3_600_000);
    assert!(claim(&store, &worker(10)).await.is_empty());

    store.run("UPDATE job SET run_at = created_at", []).await;
    assert_eq!(claim_one(&store, &worker(1)).await.id, id);
}

async fn the_request_goes_along_with_the_work(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let first = queued(&store, tenant).await;
    store.run("UPDATE job SET request_id = 'req-1' WHERE id = $1", [first.as_uuid().into()]).await;
    let run = claim_one(&store, &worker(1)).await;
    assert_eq!(run.request_id.as_deref(), Some("req-1"));
    assert_eq!(run.scope.tenant_id(), tenant);
    assert_eq!(run.scope.actor().request_id.as_deref(), Some("req-1"));

    // A job that asks for more work does so for the same request, and only if its own work is kept.
    let tx = store.db.write(&run.scope).await.unwrap();
    assert!(matches!(jobs::enqueue(&tx, &day_turn(), Duration::ZERO).await, Ok(Enqueued::New(_))));
    drop(tx);
    assert_eq!(store.jobs().await, 1);
    let tx = store.db.write(&run.scope).await.unwrap();
    let Enqueued::New(second) = jobs::enqueue(&tx, &day_turn(), Duration::ZERO).await.unwrap() else {
        panic!("it is new")
    };
    tx.commit().await.unwrap();
    assert_eq!(store.job(second).await.request_id.as_deref(), Some("req-1"));
}

async fn a_payload_that_nobody_knows_is_said_to_be_damaged(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    for change in ["payload_version = payload_version + 1", "payload = '{\"kind\":\"x\"}'", "payload = ''"] {
        let id = queued(&store, tenant).await;
        store.run(&format!("UPDATE job SET {change} WHERE id = $1"), [id.as_uuid().into()]).await;
        let run = claim_one(&store, &worker(1)).await;
        assert_eq!(run.id, id);
        assert!(matches!(run.decode(), Err(Error::Damaged { what: "job payload", .. })), "{change}");
    }
}

async fn a_job_needs_a_tenant(database: TestDatabase) {
    let store = Store::open(database).await;
    let nobody = domain::ids::TenantId::generate();
    let tx = store.db.system(Reason::Schedule).await.unwrap();
    let refused = jobs::enqueue_system(&tx, nobody, &sync(), Duration::ZERO).await;
    assert!(matches!(refused, Err(Error::MissingReference)), "{refused:?}");
}
