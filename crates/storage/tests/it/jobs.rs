//! Jobs: written with the work that needs them, taken fairly, held by leases, ended once.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod claiming;
mod ending;
mod enqueueing;
mod holding;
mod store;

use std::time::Duration;

use chrono::NaiveDate;
use domain::{
    ids::{AccountId, JobId, SyncId, TenantId},
    job::{Job, Queue},
};
use storage::{
    Reason,
    jobs::{self, Claim, ClaimedJob, Enqueued},
};
use store::Store;
use uuid::Uuid;

const LONG: Duration = Duration::from_hours(1);

fn sync() -> Job {
    Job::SyncAccount { sync_id: SyncId::generate(), account_id: AccountId::generate() }
}

fn day_turn() -> Job {
    Job::TurnDay { account_id: AccountId::generate(), today: NaiveDate::from_ymd_opt(2026, 11, 20).unwrap() }
}

/// A worker that asks for `limit` syncs without a cap for a tenant.
fn worker(limit: u32) -> Claim {
    Claim { queue: Queue::Sync, worker: Uuid::now_v7(), limit, per_tenant: 1_000, lease: LONG }
}

async fn enqueue(store: &Store, tenant: TenantId, job: &Job, run_in: Duration) -> Enqueued {
    let tx = store.db.system(Reason::Schedule).await.unwrap();
    let enqueued = jobs::enqueue_system(&tx, tenant, job, run_in).await.unwrap();
    tx.commit().await.unwrap();
    enqueued
}

/// A new job of this tenant, due now.
async fn queued(store: &Store, tenant: TenantId) -> JobId {
    match enqueue(store, tenant, &sync(), Duration::ZERO).await {
        Enqueued::New(id) => id,
        Enqueued::Duplicate => panic!("every sync of these tests is another account's"),
    }
}

async fn claim(store: &Store, claim: &Claim) -> Vec<ClaimedJob> {
    jobs::claim(&store.db, claim).await.unwrap()
}

/// The one job that this worker finds.
async fn claim_one(store: &Store, worker: &Claim) -> ClaimedJob {
    let mut found = claim(store, &Claim { limit: 1, ..*worker }).await;
    found.pop().expect("a job is due")
}

/// Lets the lease of a job end.
async fn let_lease_end(store: &Store, id: JobId) {
    store.run("UPDATE job SET lease_until = 1 WHERE id = $1", [id.as_uuid().into()]).await;
}
