//! Many jobs, several tenants, several workers.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::job::Outcome;
use tokio::sync::Semaphore;

use crate::{Store, Working, scripted, settings, until};
use test_support::{database::TestDatabase, on_each_database};

on_each_database!(
    two_workers_run_each_of_a_thousand_jobs_once,
    a_late_job_of_a_small_tenant_is_next,
    a_tenant_at_its_cap_goes_on_as_soon_as_a_job_ends,
);

async fn two_workers_run_each_of_a_thousand_jobs_once(database: TestDatabase) {
    let store = Store::open(database).await;
    let (one, two) = (store.tenant().await, store.tenant().await);
    store.syncs(one, 500).await;
    store.syncs(two, 500).await;
    let handler = scripted(|_, _| async {
        tokio::task::yield_now().await;
        Outcome::Done
    });
    let workers = [
        Working::start(&store, settings(), handler.clone()),
        Working::start(&store, settings(), handler.clone()),
    ];
    until("all are done", async || store.count("state = 'done'").await == 1_000).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(store.count("starts = 1 AND attempts = 0").await, 1_000);
    let mut runs = HashMap::new();
    for id in handler.started() {
        *runs.entry(id).or_insert(0) += 1;
    }
    assert_eq!(runs.len(), 1_000);
    assert!(runs.values().all(|runs| *runs == 1));
}

async fn a_late_job_of_a_small_tenant_is_next(database: TestDatabase) {
    let store = Store::open(database).await;
    let (big, small) = (store.tenant().await, store.tenant().await);
    store.syncs(big, 50).await;
    let gate = Arc::new(Semaphore::new(0));
    let theirs = Arc::clone(&gate);
    let handler = scripted(move |_, _| {
        let gate = Arc::clone(&theirs);
        async move {
            gate.acquire().await.unwrap().forget();
            Outcome::Done
        }
    });
    let mut settings = settings();
    settings.sync.slots = 2;
    let working = Working::start(&store, settings, handler.clone());
    until("both slots are taken", async || handler.started().len() == 2).await;
    let late = store.sync(small).await;
    gate.add_permits(1);
    until("a slot is taken again", async || handler.started().len() == 3).await;
    assert_eq!(handler.started()[2], late);
    gate.add_permits(100);
    until("all are done", async || store.count("state = 'done'").await == 51).await;
    working.stop().await;
}

async fn a_tenant_at_its_cap_goes_on_as_soon_as_a_job_ends(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    store.syncs(tenant, 20).await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&running), Arc::clone(&most));
    let handler = scripted(move |_, _| {
        let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
        async move {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            Outcome::Done
        }
    });
    let mut settings = settings();
    settings.sync.per_tenant = 2;
    // Nobody looks at the queue in time, unless the end of a job makes it so.
    settings.poll = Duration::from_hours(1);
    let working = Working::start(&store, settings, handler);
    until("all are done", async || store.count("state = 'done'").await == 20).await;
    working.stop().await;
    assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
}
