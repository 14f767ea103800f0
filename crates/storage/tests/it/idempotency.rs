//! Requests that must not happen twice.

use domain::ids::UserId;
use storage::{
    Db,
    idempotency::{self, Known, RequestKey},
};

use crate::fixture::{Member, Store, at, on_both_databases};

on_both_databases!(
    a_key_is_taken_once_and_its_answer_kept,
    a_key_given_back_is_free,
    old_and_abandoned_keys_are_forgotten,
    keys_of_others_are_other_keys,
    of_two_requests_at_once_one_takes_it,
);

fn request(user: UserId) -> RequestKey<'static> {
    RequestKey { user, operation: "POST /accounts", key: "k" }
}

/// Takes a key at a minute; answers are kept for 100 minutes, and wait for 10.
async fn take_on(db: &Db, member: &Member, request: RequestKey<'_>, hash: &str, minute: i64) -> Known {
    let tx = db.write(&member.scope).await.unwrap();
    let forgotten = (at(minute - 100), at(minute - 10));
    let known = idempotency::take(&tx, request, hash, at(minute), forgotten).await.unwrap();
    tx.commit().await.unwrap();
    known
}

async fn take(store: &Store, member: &Member, hash: &str, minute: i64) -> Known {
    take_on(&store.db, member, request(member.user), hash, minute).await
}

async fn keep(store: &Store, member: &Member, answer: &str) {
    let tx = store.write(&member.scope).await;
    idempotency::keep(&tx, request(member.user), answer).await.unwrap();
    tx.commit().await.unwrap();
}

fn before(hash: &str, answer: Option<&str>) -> Known {
    Known::Before { request_hash: hash.to_owned(), answer: answer.map(ToOwned::to_owned) }
}

async fn a_key_is_taken_once_and_its_answer_kept(store: &Store) {
    let member = store.tenant().await;
    assert_eq!(take(store, &member, "h", 0).await, Known::Taken);
    assert_eq!(take(store, &member, "h", 1).await, before("h", None));
    assert_eq!(take(store, &member, "other", 1).await, before("h", None), "the hash of the first is told");
    keep(store, &member, "201").await;
    assert_eq!(take(store, &member, "h", 99).await, before("h", Some("201")));
}

async fn a_key_given_back_is_free(store: &Store) {
    let member = store.tenant().await;
    take(store, &member, "h", 0).await;
    let tx = store.write(&member.scope).await;
    idempotency::give_back(&tx, request(member.user)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(take(store, &member, "h", 1).await, Known::Taken);
}

async fn old_and_abandoned_keys_are_forgotten(store: &Store) {
    let member = store.tenant().await;
    take(store, &member, "h", 0).await;
    assert_eq!(take(store, &member, "h", 10).await, before("h", None));
    assert_eq!(take(store, &member, "h", 11).await, Known::Taken, "its process must have died");
    keep(store, &member, "201").await;
    assert_eq!(take(store, &member, "h", 111).await, before("h", Some("201")), "an answer waits longer");
    assert_eq!(take(store, &member, "h", 112).await, Known::Taken);
}

async fn keys_of_others_are_other_keys(store: &Store) {
    let (anna, boris) = (store.tenant().await, store.tenant().await);
    assert_eq!(take(store, &anna, "h", 0).await, Known::Taken);
    let mine = request(anna.user);
    // The same user id, key and operation, in another tenant.
    assert_eq!(take_on(&store.db, &boris, mine, "h", 0).await, Known::Taken);
    let elsewhere = RequestKey { operation: "PUT /accounts", ..mine };
    assert_eq!(take_on(&store.db, &anna, elsewhere, "h", 0).await, Known::Taken);
    let other = RequestKey { key: "l", ..mine };
    assert_eq!(take_on(&store.db, &anna, other, "h", 0).await, Known::Taken);
    assert_eq!(take_on(&store.db, &anna, request(boris.user), "h", 0).await, Known::Taken);

    let tx = store.write(&boris.scope).await;
    idempotency::keep(&tx, mine, "boris").await.unwrap();
    idempotency::give_back(&tx, elsewhere).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(take(store, &anna, "h", 1).await, before("h", None));
    assert_eq!(take_on(&store.db, &anna, elsewhere, "h", 1).await, before("h", None));
    // Nor does one tenant's look forget another's keys.
    take_on(&store.db, &boris, RequestKey { key: "late", ..mine }, "h", 1_000).await;
    let left = store
        .number(
            "SELECT count(*) AS n FROM idempotent_request WHERE tenant_id = $1",
            [anna.id.as_uuid().into()],
        )
        .await;
    assert_eq!(left, 4);
}

async fn of_two_requests_at_once_one_takes_it(store: &Store) {
    let member = store.tenant().await;
    let elsewhere = store.another_process().await;
    for round in 0..10 {
        let key = round.to_string();
        let request = RequestKey { key: &key, ..request(member.user) };
        let (a, b) = tokio::join!(
            take_on(&store.db, &member, request, "h", 0),
            take_on(&elsewhere, &member, request, "h", 0)
        );
        let taken = [&a, &b].into_iter().filter(|known| **known == Known::Taken).count();
        assert_eq!(taken, 1, "{a:?} {b:?}");
        assert!([a, b].contains(&before("h", None)));
    }
}
