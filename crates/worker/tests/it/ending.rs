//! How runs end.

use std::{sync::Arc, time::Duration};

use domain::job::{Job, Outcome};

use crate::{Store, Working, scripted, settings, until, until_state};
use test_support::{database::TestDatabase, on_each_database};

on_each_database!(
    a_job_runs_once_and_is_done,
    a_failure_is_tried_again_until_the_job_is_dead,
    a_panic_is_a_failure,
    a_run_out_of_time_is_a_failure,
    a_hopeless_job_is_not_tried_again,
    a_parked_job_goes_on_without_a_failure,
    a_job_that_nobody_can_read_is_dead,
    a_job_of_a_newer_version_waits,
    an_end_is_kept_when_the_database_takes_it,
    what_waits_is_counted,
);

async fn a_job_runs_once_and_is_done(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let handler = scripted(move |run, signals| async move {
        assert_eq!(run.scope.tenant_id(), tenant);
        assert_eq!((run.number, run.attempt, run.last_attempt), (1, 1, false));
        assert!(matches!(run.job, Job::TurnDay { .. }));
        assert!(!signals.lease_lost.is_cancelled() && !signals.draining.is_cancelled());
        Outcome::Done
    });
    let working = Working::start(&store, settings(), handler.clone());
    let id = store.day_turn(tenant).await;
    until_state(&store, id, "done").await;
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.starts, row.locked_by, row.error), (0, 1, None, None));
    until("the run is counted", async || {
        working.metric("tasks_total{status=\"success\",task_name=\"turn_day\"}") == Some(1.0)
    })
    .await;
    assert_eq!(working.metric("task_duration_seconds_count{task_name=\"turn_day\"}"), Some(1.0));
    assert_eq!(working.metric("tasks_in_progress{task_name=\"turn_day\"}"), Some(0.0));
    working.stop().await;
    assert_eq!(handler.started(), [id]);
}

async fn a_failure_is_tried_again_until_the_job_is_dead(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    let handler = scripted(|run, _| async move {
        assert_eq!(i64::from(run.attempt), run.number);
        assert_eq!(run.last_attempt, run.attempt == 4);
        Outcome::Retry { after: None, error: format!("no answer {}", run.attempt) }
    });
    let working = Working::start(&store, settings(), handler.clone());
    until_state(&store, id, "dead").await;
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.starts, row.error.as_deref()), (4, 4, Some("no answer 4")));
    until("the end is counted", async || {
        working.metric("tasks_total{status=\"dead\",task_name=\"sync_account\"}") == Some(1.0)
    })
    .await;
    assert_eq!(working.metric("tasks_total{status=\"retried\",task_name=\"sync_account\"}"), Some(3.0));
    working.stop().await;
    assert_eq!(handler.started().len(), 4);
}

async fn a_panic_is_a_failure(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    let id = store.sync(tenant).await;
    let handler = scripted(move |run, _| async move {
        assert!(run.id != id, "this one is broken");
        Outcome::Done
    });
    let working = Working::start(&store, settings(), handler);
    until_state(&store, id, "dead").await;
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.starts), (4, 4));
    assert!(row.error.unwrap().starts_with("panicked: this one is broken"));
    let next = store.sync(tenant).await;
    until_state(&store, next, "done").await;
    working.stop().await;
}

async fn a_run_out_of_time_is_a_failure(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    let mut settings = settings();
    settings.sync.timeout = Duration::from_millis(20);
    let working = Working::start(&store, settings, scripted(|_, _| std::future::pending()));
    until_state(&store, id, "dead").await;
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.starts, row.error.as_deref()), (4, 4, Some("not done after 0.02 s")));
    working.stop().await;
}

async fn a_hopeless_job_is_not_tried_again(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    let handler = scripted(|_, _| async { Outcome::Dead { error: "the account is gone".to_owned() } });
    let working = Working::start(&store, settings(), handler.clone());
    until_state(&store, id, "dead").await;
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.starts, row.error.as_deref()), (1, 1, Some("the account is gone")));
    until("the end is counted", async || {
        working.metric("tasks_total{status=\"failed\",task_name=\"sync_account\"}") == Some(1.0)
    })
    .await;
    working.stop().await;
}

async fn a_parked_job_goes_on_without_a_failure(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    let handler = scripted(|run, _| async move {
        assert_eq!(run.attempt, 1);
        if run.number < 7 { Outcome::Park { after: Duration::ZERO } } else { Outcome::Done }
    });
    let working = Working::start(&store, settings(), handler);
    until_state(&store, id, "done").await;
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.starts), (0, 7));
    working.stop().await;
}

async fn a_job_that_nobody_can_read_is_dead(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    store.run("UPDATE job SET kind = 'new', payload = '{\"kind\":\"new\"}'", []).await;
    let handler = scripted(|_, _| async { Outcome::Done });
    let working = Working::start(&store, settings(), handler.clone());
    until_state(&store, id, "dead").await;
    assert!(store.job(id).await.error.unwrap().contains("does not decode"));
    until("the end is counted", async || {
        working.metric("tasks_total{status=\"failed\",task_name=\"unknown\"}") == Some(1.0)
    })
    .await;
    working.stop().await;
    assert!(handler.started().is_empty());
}

async fn a_job_of_a_newer_version_waits(database: TestDatabase) {
    let store = Store::open(database).await;
    let id = store.sync(store.tenant().await).await;
    store.run("UPDATE job SET payload_version = payload_version + 1", []).await;
    let handler = scripted(|_, _| async { Outcome::Done });
    let working = Working::start(&store, settings(), handler.clone());
    until("it was looked at", async || {
        let row = store.job(id).await;
        row.starts == 1 && row.state == "queued"
    })
    .await;
    let row = store.job(id).await;
    assert_eq!((row.attempts, row.error), (0, None));
    assert!(row.run_at >= row.created_at + 30_000);
    working.stop().await;
    assert!(handler.started().is_empty());
}

async fn an_end_is_kept_when_the_database_takes_it(database: TestDatabase) {
    let store = Store::open(database).await;
    let store = Arc::new(store);
    let id = store.sync(store.tenant().await).await;
    let theirs = Arc::clone(&store);
    let handler = scripted(move |_, _| {
        let store = Arc::clone(&theirs);
        async move {
            store.refuse_changes().await;
            Outcome::Done
        }
    });
    let working = Working::start(&store, settings(), handler.clone());
    until("the run is over", async || {
        handler.started().len() == 1
            && working.metric("tasks_in_progress{task_name=\"sync_account\"}") == Some(0.0)
    })
    .await;
    assert_eq!(store.job(id).await.state, "running");
    store.accept_changes().await;
    until_state(&store, id, "done").await;
    assert_eq!(store.job(id).await.starts, 1);
    working.stop().await;
}

async fn what_waits_is_counted(database: TestDatabase) {
    let store = Store::open(database).await;
    let tenant = store.tenant().await;
    store.syncs(tenant, 3).await;
    let mut settings = settings();
    settings.sync.slots = 0;
    let handler = scripted(|_, _| async { Outcome::Done });
    let working = Working::start(&store, settings, handler.clone());
    let turn = store.day_turn(tenant).await;
    until_state(&store, turn, "done").await;
    until("what waits is counted", async || {
        working.metric("queue_depth{queue=\"sync\"}") == Some(3.0)
            && working.metric("queue_depth{queue=\"figures\"}") == Some(0.0)
            && working.metric("queue_oldest_seconds{queue=\"sync\"}").is_some_and(|age| age > 0.0)
    })
    .await;
    working.stop().await;
    assert_eq!(handler.started(), [turn], "a queue without slots is left to other processes");
}
