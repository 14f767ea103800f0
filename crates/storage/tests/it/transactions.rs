//! What a reader and a writer see of each other.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
};

use domain::picture::StockFilter;
use storage::{Db, PoolSettings, accounts, readings, sessions, stock, tenants};

use crate::fixture::{Shop, Store, at, first, on_both_databases, plain, wb};

on_both_databases!(
    a_reader_sees_one_moment,
    a_writer_that_gives_up_has_written_nothing,
    a_caller_that_goes_away_leaves_no_transaction_behind,
);

async fn a_reader_sees_one_moment(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[plain("p1")]).await;
    shop.fbo(&[("p1-v", wb("A"), 5)]).await;
    let tx = store.read(&shop.owner.scope).await;
    let ages = readings::ages(&tx).await.unwrap();
    let seen = stock::list(&tx, &StockFilter::default(), &first(10), &ages).await.unwrap();
    // Neither waits for the other, even when everything goes.
    shop.fbo(&[("p1-v", wb("A"), 1)]).await;
    let writer = shop.write().await;
    accounts::remove(&writer, shop.account).await.unwrap();
    writer.commit().await.unwrap();
    let again = stock::list(&tx, &StockFilter::default(), &first(10), &ages).await.unwrap();
    assert_eq!(again, seen);
    assert_eq!(again.items[0].available, Some(5));
    assert!(accounts::get(&tx, shop.account).await.unwrap().is_some());
    tx.commit().await.unwrap();
    let tx = store.read(&shop.owner.scope).await;
    assert!(accounts::get(&tx, shop.account).await.unwrap().is_none());
}

async fn a_writer_that_gives_up_has_written_nothing(store: &Store) {
    let member = store.tenant().await;
    let id = store.account(&member.scope, "seller").await;
    let tx = store.write(&member.scope).await;
    accounts::update_settings(&tx, id, "Другое", None, at(1)).await.unwrap();
    tenants::bump_catalogue_version(&tx).await.unwrap();
    drop(tx);
    let tx = store.read(&member.scope).await;
    assert_eq!(accounts::get(&tx, id).await.unwrap().unwrap().account.name, "Shop");
}

/// A client hangs up, a worker is stopped: what was begun for them is dropped at any of its waits.
async fn a_caller_that_goes_away_leaves_no_transaction_behind(store: &Store) {
    let member = store.tenant().await;
    let db = Db::connect(&PoolSettings::new(&store.url, 1)).await.unwrap();
    // An answer that is there at once is no wait: only among many tries is one that gives up at each of them.
    for waits in (1..=4).cycle().take(200) {
        give_up_after(waits, pin!(db.write(&member.scope))).await;
        // A statement of its own: in a transaction that nobody ends it would never be seen.
        sessions::prune(&db, at(0)).await.unwrap();
        let tx =
            db.read(&member.scope).await.unwrap_or_else(|error| panic!("after {waits} waits: {error:?}"));
        tx.commit().await.unwrap();
    }
}

/// Lets the work go on until it has waited this many times.
async fn give_up_after<T>(waits: u32, mut work: Pin<&mut impl Future<Output = T>>) {
    let mut left = waits;
    poll_fn(|context| {
        left -= 1;
        let done = work.as_mut().poll(context).map(drop);
        if left == 0 { Poll::Ready(()) } else { done }
    })
    .await;
}
