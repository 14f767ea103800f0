//! What the operator is told of all tenants together.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{
    clock::{Clock as _, SystemClock},
    marketplace::{AccountState, MarketplaceCode},
    tenant::{LowStockRule, Tenant},
};
use storage::{Db, StatementObserver, accounts, analytics, overview, readings, schedule, server, tenants};

use crate::fixture::{Shop, Store, at, new_account, on_both_databases, order, plain, wb, wholly};

on_both_databases!(
    sums_are_those_of_all_dashboards,
    an_account_is_late_when_nothing_was_read_within_its_interval,
    every_statement_is_heard_without_its_values,
    accounts_are_counted_and_those_that_end_are_named,
    the_server_tells_its_version_and_its_clock,
);

/// What one tenant is told: products, units, how many are low.
async fn dashboard(shop: &Shop<'_>, rule: LowStockRule) -> [i64; 3] {
    let tx = shop.store.write(&shop.owner.scope).await;
    let tenant = tenants::get(&tx).await.unwrap().unwrap();
    tenants::update(&tx, &Tenant { low_stock: rule, ..tenant }).await.unwrap();
    let of_all = analytics::dashboard(&tx, rule).await.unwrap();
    tx.commit().await.unwrap();
    [of_all.total_products, of_all.total_stock, of_all.low_stock_count]
}

async fn sums_are_those_of_all_dashboards(store: &Store) {
    let nothing = overview::products(&store.db).await.unwrap();
    assert_eq!((nothing.products, nothing.stock_units, nothing.low_stock), (0, 0, 0));
    let (anna, boris) = (Shop::new(store).await, Shop::new(store).await);
    let sold = |variant: &str| order(&format!("order of {variant}"), variant, at(-24 * 60));
    for (shop, stock) in [(&anna, [0, 3, 9]), (&boris, [4, 12, 40])] {
        // The fourth is in no reading: its stock is not known.
        shop.cards(&["a", "b", "c", "d"].map(plain)).await;
        let rows = ["a-v", "b-v", "c-v"].into_iter().zip(stock);
        let rows: Vec<_> = rows.map(|(id, units)| (id, wb("Коледино"), units)).collect();
        shop.fbo(&rows).await;
        shop.orders(&["a-v", "b-v", "c-v"].map(sold)).await;
        shop.count(at(0)).await;
    }
    let by_units = dashboard(&anna, LowStockRule { units: 5, days_of_cover: None }).await;
    let by_cover = dashboard(&boris, LowStockRule { units: 1, days_of_cover: Some(90) }).await;
    assert!(by_units[2] > 0 && by_cover[2] > 1, "{by_units:?}, {by_cover:?}");
    let sums = overview::products(&store.db).await.unwrap();
    let expected: Vec<i64> = by_units.iter().zip(by_cover).map(|(one, other)| one + other).collect();
    assert_eq!(vec![sums.products, sums.stock_units, sums.low_stock], expected);
}

async fn an_account_is_late_when_nothing_was_read_within_its_interval(store: &Store) {
    let late = async |minutes| overview::lateness(&store.db, at(minutes)).await.unwrap();
    let by = |minutes: u64| vec![(MarketplaceCode::Wildberries, Duration::from_mins(minutes))];
    // Both are to be synced every 30 minutes, and were made at minute 0.
    let (anna, boris) = (Shop::new(store).await, Shop::new(store).await);
    assert_eq!(late(1_000).await, [], "nothing is on schedule");
    for shop in [&anna, &boris] {
        let tx = shop.write().await;
        schedule::set_next_sync(&tx, shop.account, Some(at(2_000))).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(late(30).await, by(0));
    assert_eq!(late(41).await, by(11));
    let tx = anna.write().await;
    readings::complete(&tx, anna.account, readings::Subject::Orders, wholly(at(40))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(late(41).await, by(11), "the other one still waits");
    let tx = boris.write().await;
    readings::complete(&tx, boris.account, readings::Subject::Products, wholly(at(35))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(late(41).await, by(0));
    assert_eq!(late(75).await, by(10));
}

/// Statements, and whether they failed.
#[derive(Default)]
struct Heard(Mutex<Vec<(String, bool)>>);

impl StatementObserver for Heard {
    fn ended(&self, sql: &str, _elapsed: Duration, failed: bool) {
        self.0.lock().unwrap().push((sql.to_owned(), failed));
    }
}

async fn every_statement_is_heard_without_its_values(store: &Store) {
    let heard = Arc::new(Heard::default());
    let db: Db = store.another_process().await.observed_by(Arc::clone(&heard) as _);
    let member = store.tenant().await;
    assert_eq!(db.connections().max, 8);
    // What opened the first connection gives it back in a task of its own.
    let is_idle = async {
        while db.connections().in_use > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), is_idle).await.expect("nobody works with the connections");
    let tx = db.write(&member.scope).await.unwrap();
    assert_eq!(db.connections().in_use, 1);
    let tenant = tenants::get(&tx).await.unwrap().unwrap();
    tenants::update(&tx, &Tenant { name: "Одуванчик".to_owned(), ..tenant.clone() }).await.unwrap();
    let account = new_account("the same seller");
    accounts::insert(&tx, &account, None, "sealed".to_owned()).await.unwrap();
    accounts::insert(&tx, &account, None, "sealed".to_owned()).await.unwrap_err();
    drop(tx);
    let heard = heard.0.lock().unwrap().clone();
    assert_eq!(heard[0], ("BEGIN".to_owned(), false));
    let accounts = heard.iter().filter(|(sql, _)| sql.contains("INTO \"marketplace_account\""));
    assert_eq!(accounts.map(|(_, failed)| *failed).collect::<Vec<_>>(), [false, true], "{heard:?}");
    assert!(heard.iter().all(|(sql, _)| !sql.contains("Одуванчик")), "{heard:?}");
}

async fn accounts_are_counted_and_those_that_end_are_named(store: &Store) {
    let mut ids = Vec::new();
    for (kind, ends, state) in [
        ("service", Some(10), AccountState::Active),
        ("service", Some(60 * 24 * 20), AccountState::Active),
        ("basic", Some(-5), AccountState::AuthFailed),
        ("basic", Some(-7), AccountState::Paused),
        ("basic", None, AccountState::Active),
    ] {
        let shop = Shop::new(store).await;
        let end = ends.map(at);
        store
            .run(
                "UPDATE marketplace_account SET credential_kind = $1, credential_expires_at = $2, state = $3 WHERE id = $4",
                [kind.into(), end.into(), state.name().into(), shop.account.as_uuid().into()],
            )
            .await;
        ids.push(shop.account.as_uuid());
    }
    let counted: Vec<_> = overview::accounts(&store.db)
        .await
        .unwrap()
        .into_iter()
        .map(|accounts| (accounts.state, accounts.credential_kind.unwrap(), accounts.count))
        .collect();
    let basic = |state, count| (state, "basic".to_owned(), count);
    let expected = [
        basic(AccountState::Active, 1),
        (AccountState::Active, "service".to_owned(), 2),
        basic(AccountState::AuthFailed, 1),
        basic(AccountState::Paused, 1),
    ];
    assert_eq!(counted, expected);
    let ending = overview::ending_credentials(&store.db, at(60 * 24 * 14)).await.unwrap();
    let ending: Vec<_> = ending.iter().map(|one| (one.account_id, one.credential_expires_at)).collect();
    assert_eq!(ending, [(ids[2], at(-5)), (ids[0], at(10))]);
}

async fn the_server_tells_its_version_and_its_clock(store: &Store) {
    let before = SystemClock.now();
    let server = server::ask(&store.db).await.unwrap();
    assert!(server.version.starts_with(|c: char| c.is_ascii_digit()), "{server:?}");
    // Both run on this machine.
    let off = (server.now - before).abs();
    assert!(off < chrono::TimeDelta::minutes(1), "{server:?}");
    match server.product {
        "PostgreSQL" => assert!(server.connections.is_some_and(|(open, most)| (1..=most).contains(&open))),
        product => assert_eq!((product, server.connections), ("SQLite", None)),
    }
}
