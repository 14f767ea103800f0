//! What a reader and a writer see of each other.

use domain::picture::StockFilter;
use storage::{accounts, readings, stock, tenants};

use crate::fixture::{Shop, Store, at, first, on_both_databases, plain, wb};

on_both_databases!(a_reader_sees_one_moment, a_writer_that_gives_up_has_written_nothing);

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
