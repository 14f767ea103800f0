//! What a shutdown leaves behind.

use std::time::Duration;

use domain::job::Outcome;

use crate::{Store, Working, scripted, settings, until};
use test_support::{database::TestDatabase, on_each_database};

on_each_database!(
    running_jobs_may_end_during_the_drain,
    what_does_not_end_in_time_is_handed_back,
    a_long_run_can_park_when_the_worker_drains,
    an_idle_worker_stops,
);

async fn running_jobs_may_end_during_the_drain(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    store.syncs(tenant, 5).await;
    let handler = scripted(|_, signals| async move {
        signals.draining.cancelled().await;
        Outcome::Done
    });
    let mut settings = settings();
    settings.sync.slots = 2;
    let working = Working::start(&store, settings, handler.clone());
    until("both slots are taken", async || handler.started().len() == 2).await;
    working.stop().await;
    assert_eq!(store.count("state = 'done'").await, 2);
    assert_eq!(store.count("state = 'queued' AND starts = 0").await, 3, "nothing new was begun");
    assert_eq!(handler.started().len(), 2);
}

async fn what_does_not_end_in_time_is_handed_back(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let id = store.sync(tenant).await;
    let stuck = scripted(|_, _| std::future::pending());
    let settings = crate::Settings { drain: Duration::from_millis(50), ..settings() };
    let working = Working::start(&store, settings.clone(), stuck.clone());
    until("it runs", async || stuck.started() == [id]).await;
    working.stop().await;
    let row = store.job(id).await;
    assert_eq!((row.state.as_str(), row.attempts, row.starts, row.locked_by), ("queued", 0, 1, None));

    let handler = scripted(|run, _| async move {
        assert_eq!((run.number, run.attempt), (2, 1));
        Outcome::Done
    });
    let next = Working::start(&store, settings, handler);
    until("the next worker has done it", async || store.count("state = 'done'").await == 1).await;
    next.stop().await;
}

async fn a_long_run_can_park_when_the_worker_drains(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    let handler = scripted(|_, signals| async move {
        signals.draining.cancelled().await;
        Outcome::Park { after: Duration::ZERO }
    });
    let mut settings = settings();
    settings.sync.slots = 1;
    let working = Working::start(&store, settings, handler.clone());
    until("it runs", async || handler.started() == [id]).await;
    working.stop().await;
    let row = store.job(id).await;
    assert_eq!((row.state.as_str(), row.attempts, row.starts), ("queued", 0, 1));
    assert_eq!(handler.started(), [id], "a worker that stops does not take it up again");
}

async fn an_idle_worker_stops(database: TestDatabase) {
    let store = Store::open(database).await;
    let handler = scripted(|_, _| async { Outcome::Done });
    let settings = crate::Settings { poll: Duration::from_hours(1), ..settings() };
    let working = Working::start(&store, settings, handler);
    until("it looks at its queues", async || working.metric("queue_depth{queue=\"sync\"}") == Some(0.0))
        .await;
    working.stop().await;
}
