//! Days of a shop are those of its tenant's zone: when the zone changes, its order lines move to other days.

use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use domain::{
    calendar::Zone,
    ids::AccountId,
    marketplace::{Account, MarketplaceCode},
    reading::OrderRow,
};
use sea_orm::FromQueryResult;
use storage::{
    Db, TenantScope, accounts,
    orders::{self, Book},
    tenants,
    warehouses::Places,
};
use uuid::Uuid;

use crate::fixture::{Member, Shop, Store, card, moment, new_account, on_both_databases, order};

on_both_databases!(
    lines_move_to_the_days_they_have_in_the_other_zone,
    moving_can_be_broken_off_and_repeated,
    the_lines_of_another_account_stay,
    a_shop_counts_in_the_zone_of_its_tenant_and_a_marketplace_in_its_own,
    an_open_book_keeps_others_out_and_the_zone_as_it_is,
);

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

/// Lines all through several days, more than are moved at once; some cancelled, some of several units, some unmatched.
fn lines() -> Vec<OrderRow> {
    let from = moment("2026-11-14T00:30:00Z");
    (0..2_300_i32)
        .map(|n| {
            let at = from + TimeDelta::minutes(i64::from(n) * 4);
            let variant = if n % 7 == 0 { "unknown" } else { "v1" };
            OrderRow {
                quantity: i64::from(n % 3) + 1,
                cancelled_at: (n % 5 == 0).then_some(at),
                ..order(&format!("o{n}"), variant, at)
            }
        })
        .collect()
}

async fn write(shop: &Shop<'_>, zone: Zone, rows: &[OrderRow]) {
    let tx = shop.write().await;
    let book = Book { zone, ..shop.book() };
    orders::write(&tx, book, rows, &Places::default()).await.unwrap();
    tx.commit().await.unwrap();
}

/// Moves all lines, each part in a transaction of its own; says in how many parts.
async fn move_all(shop: &Shop<'_>, zone: Zone) -> usize {
    let (mut looked_at, mut parts) = (None, 0);
    loop {
        let tx = shop.write().await;
        looked_at = orders::move_days(&tx, Book { zone, ..shop.book() }, looked_at).await.unwrap();
        tx.commit().await.unwrap();
        parts += 1;
        if looked_at.is_none() {
            return parts;
        }
    }
}

#[derive(Debug, PartialEq, Eq, FromQueryResult)]
struct Counted {
    ordered_on: NaiveDate,
    is_matched: bool,
    ordered_units: i64,
    cancelled_units: i64,
    revenue_minor: i64,
}

/// What is counted by day of an account.
async fn counted(store: &Store, account: AccountId) -> Vec<Counted> {
    let sql = "SELECT ordered_on, variant_id <> $2 AS is_matched, ordered_units, cancelled_units, revenue_minor \
               FROM order_day WHERE account_id = $1 ORDER BY 1, 2";
    store.rows(sql, [account.as_uuid().into(), Uuid::nil().into()]).await
}

async fn shop_of_one(store: &Store) -> Shop<'_> {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1"])])]).await;
    shop
}

async fn lines_move_to_the_days_they_have_in_the_other_zone(store: &Store) {
    for other in ["America/New_York", "Asia/Kamchatka", "UTC"] {
        let (moved, fresh) = (shop_of_one(store).await, shop_of_one(store).await);
        write(&moved, Zone::MOSCOW, &lines()).await;
        write(&fresh, zone(other), &lines()).await;
        assert_ne!(counted(store, moved.account).await, counted(store, fresh.account).await);
        assert_eq!(move_all(&moved, zone(other)).await, 4, "three parts with lines, and one without");
        assert_eq!(counted(store, moved.account).await, counted(store, fresh.account).await, "{other}");
    }
}

async fn moving_can_be_broken_off_and_repeated(store: &Store) {
    let (moved, fresh) = (shop_of_one(store).await, shop_of_one(store).await);
    let other = zone("America/New_York");
    write(&moved, Zone::MOSCOW, &lines()).await;
    write(&fresh, other, &lines()).await;
    let tx = moved.write().await;
    let looked_at = orders::move_days(&tx, Book { zone: other, ..moved.book() }, None).await.unwrap();
    assert!(looked_at.is_some());
    tx.commit().await.unwrap();
    // A part that never ends has not happened.
    let tx = moved.write().await;
    orders::move_days(&tx, Book { zone: other, ..moved.book() }, looked_at).await.unwrap();
    drop(tx);
    assert_ne!(counted(store, moved.account).await, counted(store, fresh.account).await);
    for _ in 0..2 {
        move_all(&moved, other).await;
        assert_eq!(counted(store, moved.account).await, counted(store, fresh.account).await);
    }
    // And back.
    move_all(&moved, Zone::MOSCOW).await;
    write(&fresh, Zone::MOSCOW, &lines()).await;
    assert_eq!(counted(store, moved.account).await, counted(store, fresh.account).await);
}

async fn the_lines_of_another_account_stay(store: &Store) {
    let shop = shop_of_one(store).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    write(&shop, Zone::MOSCOW, &lines()).await;
    write(&other, Zone::MOSCOW, &lines()).await;
    let before = counted(store, other.account).await;
    move_all(&shop, zone("America/New_York")).await;
    assert_eq!(counted(store, other.account).await, before);
}

/// An account of a marketplace, in the company of a member.
async fn account(store: &Store, owner: &Member, marketplace: MarketplaceCode) -> AccountId {
    let account = Account { marketplace, ..new_account(marketplace.name()) };
    let tx = store.write(&owner.scope).await;
    accounts::insert(&tx, &account, None, "sealed".to_owned()).await.unwrap();
    tx.commit().await.unwrap();
    account.id
}

/// Moves the company to another zone, as its owner does.
async fn change_zone(db: &Db, scope: &TenantScope, zone: Zone) {
    let tx = db.write(scope).await.unwrap();
    tenants::hold(&tx).await.unwrap();
    let mut tenant = tenants::get(&tx).await.unwrap().unwrap();
    tenant.zone = zone;
    tenants::update(&tx, &tenant).await.unwrap();
    tx.commit().await.unwrap();
}

async fn a_shop_counts_in_the_zone_of_its_tenant_and_a_marketplace_in_its_own(store: &Store) {
    let owner = store.tenant().await;
    let shop = account(store, &owner, MarketplaceCode::Vendure).await;
    let marketplace = account(store, &owner, MarketplaceCode::Wildberries).await;
    let tokyo = zone("Asia/Tokyo");
    change_zone(&store.db, &owner.scope, tokyo).await;
    let tx = store.write(&owner.scope).await;
    let book = Book::open(&tx, shop).await.unwrap().unwrap();
    assert_eq!((book.account, book.marketplace, book.zone), (shop, MarketplaceCode::Vendure, tokyo));
    assert_eq!(Book::open(&tx, marketplace).await.unwrap().unwrap().zone, Zone::MOSCOW);
    assert!(Book::open(&tx, AccountId::generate()).await.unwrap().is_none());
    drop(tx);
    let stranger = store.tenant().await;
    let tx = store.write(&stranger.scope).await;
    assert!(Book::open(&tx, shop).await.unwrap().is_none(), "another company's");
}

async fn an_open_book_keeps_others_out_and_the_zone_as_it_is(store: &Store) {
    let owner = store.tenant().await;
    let shop = account(store, &owner, MarketplaceCode::Vendure).await;
    let tokyo = zone("Asia/Tokyo");
    let tx = store.write(&owner.scope).await;
    assert_eq!(Book::open(&tx, shop).await.unwrap().unwrap().zone, Zone::MOSCOW);
    // What only notes a new version of the catalogue does not wait on PostgreSQL; on SQLite one writes at a time.
    let (db, scope) = (store.db.clone(), owner.scope.clone());
    let mut change = tokio::spawn(async move { change_zone(&db, &scope, tokyo).await });
    let (db, scope) = (store.db.clone(), owner.scope.clone());
    let mut open = tokio::spawn(async move {
        let tx = db.write(&scope).await.unwrap();
        Book::open(&tx, shop).await.unwrap().unwrap()
    });
    let patience = Duration::from_millis(500);
    assert!(
        tokio::time::timeout(patience, &mut change).await.is_err(),
        "the zone changes under an open book"
    );
    assert!(tokio::time::timeout(patience, &mut open).await.is_err(), "two have the book open");
    tx.commit().await.unwrap();
    change.await.unwrap();
    open.await.unwrap();
    let tx = store.write(&owner.scope).await;
    assert_eq!(Book::open(&tx, shop).await.unwrap().unwrap().zone, tokyo);
}
