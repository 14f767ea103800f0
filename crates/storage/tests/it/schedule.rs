//! When accounts are due: each is claimed once, by whoever comes first, and stays due if that comes to nothing.

use std::collections::BTreeMap;

use domain::{actor::Actor, clock::Timestamp, ids::AccountId};
use storage::{Db, TenantScope, accounts, schedule};

use crate::fixture::{Store, at, on_both_databases};

on_both_databases!(
    what_is_due_is_claimed_oldest_first,
    rolled_back_it_is_still_due,
    two_processes_claim_each_once,
    turns_of_the_day_are_another_matter,
    the_last_look_is_known_to_ten_seconds,
);

async fn due_account(store: &Store, scope: &TenantScope, seller: &str, due: Option<Timestamp>) -> AccountId {
    let id = store.account(scope, seller).await;
    let tx = store.write(scope).await;
    schedule::set_next_sync(&tx, id, due).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn what_is_due_is_claimed_oldest_first(store: &Store) {
    let (one, other) = (store.tenant().await, store.tenant().await);
    let late = due_account(store, &one.scope, "a", Some(at(10))).await;
    let early = due_account(store, &other.scope, "b", Some(at(5))).await;
    due_account(store, &other.scope, "c", Some(at(21))).await;
    due_account(store, &other.scope, "d", None).await;
    for (account, tenant, due_at) in [(early, other.id, at(5)), (late, one.id, at(10))] {
        let due = schedule::claim_sync(&store.db, at(20)).await.unwrap().unwrap();
        assert_eq!((due.account_id, due.due_at), (account, due_at));
        assert_eq!(due.tx.scope().tenant_id(), tenant);
        assert_eq!(due.tx.scope().actor(), &Actor::schedule());
        // The transaction is the tenant's own.
        let found = accounts::get(&due.tx, account).await.unwrap().unwrap().account;
        assert_eq!(found.next_sync_at, Some(due_at));
        schedule::set_next_sync(&due.tx, account, Some(at(100))).await.unwrap();
        due.tx.commit().await.unwrap();
    }
    assert!(schedule::claim_sync(&store.db, at(20)).await.unwrap().is_none());
    assert!(schedule::claim_sync(&store.db, at(21)).await.unwrap().is_some(), "due at this very moment");
}

async fn rolled_back_it_is_still_due(store: &Store) {
    let member = store.tenant().await;
    let id = due_account(store, &member.scope, "a", Some(at(0))).await;
    let due = schedule::claim_sync(&store.db, at(1)).await.unwrap().unwrap();
    schedule::set_next_sync(&due.tx, id, None).await.unwrap();
    drop(due);
    let again = schedule::claim_sync(&store.db, at(1)).await.unwrap().unwrap();
    assert_eq!(again.account_id, id);
}

async fn claim_all(db: &Db) -> Vec<AccountId> {
    let mut claimed = Vec::new();
    // Somebody else's claim hides its row: only when nothing is due any more is there nothing left to do.
    let mut empty = 0;
    while empty < 3 {
        match schedule::claim_sync(db, at(10)).await.unwrap() {
            Some(due) => {
                schedule::set_next_sync(&due.tx, due.account_id, Some(at(1_000))).await.unwrap();
                tokio::task::yield_now().await;
                claimed.push(due.account_id);
                due.tx.commit().await.unwrap();
            }
            None => empty += 1,
        }
    }
    claimed
}

async fn two_processes_claim_each_once(store: &Store) {
    let mut times: BTreeMap<AccountId, usize> = BTreeMap::new();
    for _ in 0..2 {
        let member = store.tenant().await;
        for i in 0..10 {
            let id = due_account(store, &member.scope, &i.to_string(), Some(at(i % 3))).await;
            times.insert(id, 0);
        }
    }
    let elsewhere = store.another_process().await;
    let (a, b, c) = tokio::join!(claim_all(&store.db), claim_all(&elsewhere), claim_all(&elsewhere));
    for id in [a, b, c].concat() {
        *times.get_mut(&id).unwrap() += 1;
    }
    assert!(times.values().all(|n| *n == 1), "{times:?}");
    assert!(schedule::claim_sync(&store.db, at(10)).await.unwrap().is_none());
}

async fn turns_of_the_day_are_another_matter(store: &Store) {
    let member = store.tenant().await;
    let id = due_account(store, &member.scope, "a", Some(at(0))).await;
    assert!(schedule::claim_turn(&store.db, at(5)).await.unwrap().is_none());
    let tx = store.write(&member.scope).await;
    schedule::set_next_turn(&tx, id, Some(at(3))).await.unwrap();
    schedule::set_next_sync(&tx, id, None).await.unwrap();
    tx.commit().await.unwrap();
    assert!(schedule::claim_sync(&store.db, at(5)).await.unwrap().is_none());
    let due = schedule::claim_turn(&store.db, at(5)).await.unwrap().unwrap();
    assert_eq!((due.account_id, due.due_at), (id, at(3)));
}

async fn the_last_look_is_known_to_ten_seconds(store: &Store) {
    let second = |second| at(0) + chrono::TimeDelta::seconds(second);
    let last = async || schedule::last_tick(&store.db).await.unwrap();
    let note = async |now| schedule::note_tick(&store.db, now).await.unwrap();
    assert_eq!(last().await, None);
    for (now, noted) in [(0, 0), (9, 0), (10, 10), (4, 10), (25, 25), (-60, -60)] {
        note(second(now)).await;
        assert_eq!(last().await, Some(second(noted)), "at second {now}");
    }
}
