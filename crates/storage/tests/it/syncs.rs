//! Syncs: one alive per account, carried by one run at a time.

use domain::{
    ids::{AccountId, JobId, SyncId},
    job::Job,
    reading::Position,
    sync::{Phase, Progress, SyncCounts, SyncError, SyncState, SyncTrigger},
};
use storage::{
    WriteTx, jobs,
    syncs::{self, Advance, Carried, Fence, NewSync, Step, StepState},
};

use crate::fixture::{Member, Store, WB, at, first, nobody, on_both_databases};

on_both_databases!(
    one_is_alive_per_account,
    a_refused_request_leaves_the_transaction_whole,
    of_two_requests_at_once_one_is_new,
    an_older_run_is_overtaken,
    it_goes_on_through_pages_waits_and_runs,
    an_ended_one_stays_ended,
    a_sync_is_cancelled_before_or_while_it_runs,
    a_sync_that_waits_is_cancelled_at_once,
    given_up_whoever_began_it,
    steps_come_back_as_they_were,
    the_list_is_paged_and_filtered,
    the_job_that_carries_it,
);

async fn member_and_account(store: &Store) -> (Member, AccountId) {
    let member = store.tenant().await;
    let account = store.account(&member.scope, "seller").await;
    (member, account)
}

fn new(id: SyncId, account: AccountId) -> NewSync {
    NewSync { id, account, marketplace: WB, trigger: SyncTrigger::Manual, at: at(0) }
}

async fn requested(store: &Store, member: &Member, account: AccountId) -> SyncId {
    let id = SyncId::generate();
    let tx = store.write(&member.scope).await;
    syncs::insert(&tx, new(id, account)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn within<T>(store: &Store, member: &Member, work: impl AsyncFnOnce(&WriteTx) -> T) -> T {
    let tx = store.write(&member.scope).await;
    let done = work(&tx).await;
    tx.commit().await.unwrap();
    done
}

async fn seen(store: &Store, member: &Member, id: SyncId) -> Carried {
    syncs::get(&store.read(&member.scope).await, id).await.unwrap().unwrap()
}

fn is_overtaken<T: std::fmt::Debug>(result: &Result<T, storage::Error>) -> bool {
    matches!(result, Err(storage::Error::Overtaken))
}

async fn one_is_alive_per_account(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let another = store.account(&member.scope, "another").await;
    let id = requested(store, &member, account).await;
    requested(store, &member, another).await;
    let tx = store.write(&member.scope).await;
    let refused = syncs::insert(&tx, new(SyncId::generate(), account)).await;
    assert!(matches!(refused, Err(storage::Error::Duplicate)));
    drop(tx);
    let live = syncs::live(&store.read(&member.scope).await, account).await.unwrap().unwrap();
    assert_eq!((live.run.id, live.run.state), (id, SyncState::Pending));

    let fence = Fence { sync: id, run: 1 };
    within(store, &member, async |tx| {
        syncs::begin(tx, fence, at(1)).await.unwrap().unwrap();
        syncs::finish(tx, fence, SyncState::Completed, None, at(2)).await.unwrap();
    })
    .await;
    assert!(syncs::live(&store.read(&member.scope).await, account).await.unwrap().is_none());
    requested(store, &member, account).await;
}

/// Whoever is refused wants to know at once which sync stands in the way.
async fn a_refused_request_leaves_the_transaction_whole(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let id = requested(store, &member, account).await;
    let tx = store.write(&member.scope).await;
    assert!(syncs::insert(&tx, new(SyncId::generate(), account)).await.is_err());
    let live = syncs::live(&tx, account).await.unwrap().unwrap();
    assert_eq!(live.run.id, id);
    tx.commit().await.unwrap();
    // Of an account that is not there it is not a duplicate.
    let tx = store.write(&member.scope).await;
    let refused = syncs::insert(&tx, new(SyncId::generate(), AccountId::generate())).await;
    assert!(matches!(refused, Err(storage::Error::MissingReference)), "{refused:?}");
}

async fn of_two_requests_at_once_one_is_new(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let elsewhere = store.another_process().await;
    let ask = async |db: &storage::Db| {
        let tx = db.write(&member.scope).await.unwrap();
        let asked = syncs::insert(&tx, new(SyncId::generate(), account)).await;
        tx.commit().await.unwrap();
        asked.is_ok()
    };
    let (a, b, c) = tokio::join!(ask(&store.db), ask(&elsewhere), ask(&elsewhere));
    assert_eq!([a, b, c].into_iter().filter(|new| *new).count(), 1);
}

async fn an_older_run_is_overtaken(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let sync = requested(store, &member, account).await;
    let (old, young) = (Fence { sync, run: 3 }, Fence { sync, run: 4 });
    let early = within(store, &member, async |tx| syncs::advance(tx, old, Advance::default()).await).await;
    assert!(is_overtaken(&early), "nobody has begun it");
    within(store, &member, async |tx| syncs::begin(tx, old, at(1)).await.unwrap().unwrap()).await;
    within(store, &member, async |tx| syncs::begin(tx, young, at(2)).await.unwrap().unwrap()).await;
    let tx = store.write(&member.scope).await;
    assert!(syncs::begin(&tx, old, at(3)).await.unwrap().is_none());
    assert!(is_overtaken(&syncs::advance(&tx, old, Advance::default()).await));
    assert!(is_overtaken(&syncs::wait(&tx, old, Phase::Orders, at(9)).await));
    assert!(is_overtaken(&syncs::finish(&tx, old, SyncState::Failed, None, at(9)).await));
    syncs::advance(&tx, young, Advance::default()).await.unwrap();
    tx.commit().await.unwrap();
    let run = seen(store, &member, sync).await.run;
    assert_eq!((run.state, run.started_at), (SyncState::Running, Some(at(1))), "the first beginning counts");
}

async fn it_goes_on_through_pages_waits_and_runs(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let sync = requested(store, &member, account).await;
    let fence = Fence { sync, run: 1 };
    let one = SyncCounts {
        products: 1,
        variants: 2,
        stock_rows: 3,
        movements: 4,
        order_lines: 5,
        failed: 6,
        unmatched_units: 7,
    };
    within(store, &member, async |tx| {
        syncs::begin(tx, fence, at(1)).await.unwrap().unwrap();
        let page = Advance { phase: Some(Phase::Products), rows: 10, counts: one, expected: Some(30) };
        syncs::advance(tx, fence, page).await.unwrap();
        syncs::wait(tx, fence, Phase::Products, at(7)).await.unwrap();
    })
    .await;
    let run = seen(store, &member, sync).await.run;
    assert_eq!((run.phase, run.waiting_until), (Some(Phase::Products), Some(at(7))));
    assert_eq!(run.progress, Progress { done: 10, total: Some(30) });
    assert_eq!(run.counts, one);

    within(store, &member, async |tx| {
        let page = Advance { rows: 5, counts: one, ..Advance::default() };
        syncs::advance(tx, fence, page).await.unwrap();
    })
    .await;
    let run = seen(store, &member, sync).await.run;
    assert_eq!(
        (run.phase, run.waiting_until),
        (Some(Phase::Products), None),
        "the phase stays, the wait is over"
    );
    assert_eq!(run.progress, Progress { done: 15, total: Some(30) });
    assert_eq!((run.counts.products, run.counts.unmatched_units), (2, 14));

    let error = SyncError { code: "rate_limited".into(), message: "Потом".into() };
    within(store, &member, async |tx| {
        syncs::finish(tx, fence, SyncState::Partial, Some(&error), at(9)).await.unwrap();
    })
    .await;
    let run = seen(store, &member, sync).await.run;
    assert_eq!((run.finished_at, run.duration_ms()), (Some(at(9)), Some(8 * 60_000)));
    assert_eq!((run.state, run.error, run.phase), (SyncState::Partial, Some(error), None));
}

async fn an_ended_one_stays_ended(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let sync = requested(store, &member, account).await;
    let fence = Fence { sync, run: 1 };
    within(store, &member, async |tx| {
        syncs::begin(tx, fence, at(1)).await.unwrap().unwrap();
        syncs::finish(tx, fence, SyncState::Completed, None, at(2)).await.unwrap();
    })
    .await;
    let tx = store.write(&member.scope).await;
    assert!(syncs::begin(&tx, Fence { sync, run: 2 }, at(3)).await.unwrap().is_none());
    assert!(is_overtaken(&syncs::advance(&tx, fence, Advance::default()).await));
    assert!(is_overtaken(&syncs::finish(&tx, fence, SyncState::Failed, None, at(3)).await));
    let error = SyncError { code: "x".into(), message: String::new() };
    syncs::give_up(&tx, sync, &error, at(3)).await.unwrap();
    assert!(!syncs::cancel_idle(&tx, sync, at(3)).await.unwrap());
    assert!(!syncs::request_cancel(&tx, sync).await.unwrap());
    tx.commit().await.unwrap();
    let run = seen(store, &member, sync).await.run;
    assert_eq!((run.state, run.finished_at, run.error), (SyncState::Completed, Some(at(2)), None));
}

async fn a_sync_is_cancelled_before_or_while_it_runs(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let pending = requested(store, &member, account).await;
    within(store, &member, async |tx| {
        assert!(syncs::cancel_idle(tx, pending, at(1)).await.unwrap());
    })
    .await;
    assert_eq!(seen(store, &member, pending).await.run.state, SyncState::Cancelled);

    let running = requested(store, &member, account).await;
    let fence = Fence { sync: running, run: 1 };
    within(store, &member, async |tx| {
        syncs::begin(tx, fence, at(2)).await.unwrap().unwrap();
        assert!(!syncs::cancel_idle(tx, running, at(3)).await.unwrap());
        assert!(syncs::request_cancel(tx, running).await.unwrap());
        assert!(!syncs::request_cancel(tx, nobody()).await.unwrap());
    })
    .await;
    let carried = seen(store, &member, running).await;
    assert_eq!((carried.run.state, carried.cancel_requested), (SyncState::Running, true));
}

/// A wait may last hours: nobody has to sit through it.
async fn a_sync_that_waits_is_cancelled_at_once(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let sync = requested(store, &member, account).await;
    let fence = Fence { sync, run: 1 };
    within(store, &member, async |tx| {
        syncs::begin(tx, fence, at(1)).await.unwrap().unwrap();
        syncs::wait(tx, fence, Phase::Orders, at(180)).await.unwrap();
    })
    .await;
    let waiting = seen(store, &member, sync).await.run;
    assert_eq!((waiting.phase, waiting.waiting_until), (Some(Phase::Orders), Some(at(180))));
    within(store, &member, async |tx| {
        assert!(syncs::cancel_idle(tx, sync, at(2)).await.unwrap());
        let later = Fence { sync, run: 2 };
        assert!(syncs::begin(tx, later, at(180)).await.unwrap().is_none(), "its job finds it over");
    })
    .await;
    assert_eq!(seen(store, &member, sync).await.run.state, SyncState::Cancelled);
}

async fn given_up_whoever_began_it(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let error = SyncError { code: "internal".into(), message: "Ой".into() };
    for begun in [false, true] {
        let sync = requested(store, &member, account).await;
        within(store, &member, async |tx| {
            if begun {
                syncs::begin(tx, Fence { sync, run: 5 }, at(1)).await.unwrap().unwrap();
            }
            syncs::give_up(tx, sync, &error, at(2)).await.unwrap();
        })
        .await;
        let run = seen(store, &member, sync).await.run;
        assert_eq!(
            (run.state, run.error, run.finished_at),
            (SyncState::Failed, Some(error.clone()), Some(at(2)))
        );
    }
}

async fn steps_come_back_as_they_were(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let sync = requested(store, &member, account).await;
    let since = Some(Position("since".into()));
    let orders = Step::beginning(Phase::Orders, since.clone(), at(1));
    let whole = Step {
        state: StepState::Partial,
        position: Some(Position(r#"{"page":"я"}"#.into())),
        watermark: Some(Position("w".into())),
        rows: 12,
        failed: 1,
        error: Some(SyncError { code: "unreadable_rows".into(), message: "Строка".into() }),
        ..Step::beginning(Phase::Products, since, at(0))
    };
    within(store, &member, async |tx| {
        syncs::save_step(tx, sync, &orders).await.unwrap();
        syncs::save_step(tx, sync, &whole).await.unwrap();
    })
    .await;
    let read = async || syncs::steps(&store.read(&member.scope).await, sync).await.unwrap();
    assert_eq!(read().await, [whole.clone(), orders.clone()], "in the order in which they run");
    // Begun again, nothing of the first try is left.
    let again = Step::beginning(Phase::Products, None, at(5));
    within(store, &member, async |tx| syncs::save_step(tx, sync, &again).await.unwrap()).await;
    assert_eq!(read().await, [again, orders]);
    for state in [
        StepState::Running,
        StepState::Complete,
        StepState::Partial,
        StepState::Failed,
        StepState::NotGranted,
    ] {
        let step = Step { state, ..whole.clone() };
        within(store, &member, async |tx| syncs::save_step(tx, sync, &step).await.unwrap()).await;
        assert_eq!(read().await[0], step);
    }
}

async fn the_list_is_paged_and_filtered(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let another = store.account(&member.scope, "another").await;
    let mut ids = Vec::new();
    for i in 0..5 {
        let id = requested(store, &member, if i == 2 { another } else { account }).await;
        within(store, &member, async |tx| {
            syncs::begin(tx, Fence { sync: id, run: 1 }, at(i)).await.unwrap();
            let state = if i % 2 == 0 { SyncState::Completed } else { SyncState::Failed };
            syncs::finish(tx, Fence { sync: id, run: 1 }, state, None, at(i)).await.unwrap();
        })
        .await;
        ids.push(id);
    }
    ids.reverse();
    let tx = store.read(&member.scope).await;
    let list = async |account, state| {
        let mut page = first(2);
        let mut seen = Vec::new();
        loop {
            let found = syncs::list(&tx, account, state, &page).await.unwrap();
            seen.extend(found.items.into_iter().map(|run| run.id));
            let Some(next) = found.next else { return seen };
            page.cursor = Some(next);
        }
    };
    assert_eq!(list(None, None).await, ids, "newest first");
    assert_eq!(list(Some(another), None).await, [ids[2]]);
    assert_eq!(list(None, Some(SyncState::Failed)).await, [ids[1], ids[3]]);
    assert_eq!(list(Some(another), Some(SyncState::Failed)).await, Vec::<SyncId>::new());
}

async fn the_job_that_carries_it(store: &Store) {
    let (member, account) = member_and_account(store).await;
    let sync = requested(store, &member, account).await;
    let job = within(store, &member, async |tx| {
        let job = Job::SyncAccount { sync_id: sync, account_id: account };
        let enqueued = jobs::enqueue(tx, &job, std::time::Duration::ZERO).await.unwrap();
        let jobs::Enqueued::New(id) = enqueued else { panic!("it is new") };
        syncs::set_job(tx, sync, id).await.unwrap();
        id
    })
    .await;
    assert_eq!(seen(store, &member, sync).await.job_id, Some(job));
    let live = async |member: &Member, id: JobId| {
        syncs::job_is_live(&store.read(&member.scope).await, id).await.unwrap()
    };
    assert!(live(&member, job).await);
    assert!(!live(&member, JobId::generate()).await);
    assert!(!live(&store.tenant().await, job).await, "another tenant's");
    for (state, alive) in [("running", true), ("done", false), ("dead", false)] {
        store.run("UPDATE job SET state = $1", [state.into()]).await;
        assert_eq!(live(&member, job).await, alive, "{state}");
    }
}
