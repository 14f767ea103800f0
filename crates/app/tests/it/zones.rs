//! Shops count days in the zone of their company, also after it has moved to another.

use app::TenantChange;
use chrono::TimeDelta;
use domain::{figures::Figures, sync::SyncState};
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    product::{Product, Tenant},
    shop::{Shop, Stock, location, order, variant},
};

on_each_database!(
    orders_move_to_the_days_of_the_new_zone,
    the_day_turns_at_the_new_midnight,
    a_zone_that_changes_while_orders_are_read_is_not_mixed,
    marketplaces_with_a_zone_of_their_own_stay_in_it,
);

const NEW_YORK: &str = "America/New_York";

/// It is noon of the 20th in Moscow, and four in the morning of that day in New York.
fn orders() -> Vec<serde_json::Value> {
    [
        // Today in Moscow; yesterday in New York.
        (1, "2026-11-20T02:00:00.000Z"),
        // The first day that counts in Moscow, the 13th; still the 12th in New York.
        (4, "2026-11-13T03:00:00.000Z"),
        // The same in both.
        (16, "2026-11-15T12:00:00.000Z"),
        (32, "2026-11-01T12:00:00.000Z"),
        (64, "2026-11-20T08:00:00.000Z"),
        // On another page, one of the first kind and one of the second.
        (2, "2026-11-19T22:00:00.000Z"),
        (8, "2026-11-12T22:00:00.000Z"),
    ]
    .iter()
    .enumerate()
    .map(|(n, (units, placed_at))| order(n + 1, *units, *units, placed_at))
    .collect()
}

/// Ordered in the window, and today.
const IN_MOSCOW: (i64, i64) = (4 + 8 + 16, 1 + 2 + 64);
const IN_NEW_YORK: (i64, i64) = (1 + 2 + 16, 64);

fn shop() -> Shop {
    Shop::open(Stock {
        locations: vec![location("1")],
        variants: vec![variant(1, &[("1", 5, 0)])],
        orders: orders(),
        lose_after: None,
    })
}

async fn ordered(product: &Product, tenant: &Tenant) -> (i64, i64) {
    let products = product.products(tenant).await;
    let Figures { ordered_units, ordered_today, .. } = products[0].figures;
    (ordered_units.unwrap(), ordered_today.unwrap())
}

async fn change_zone(product: &Product, tenant: &Tenant, zone: &str) {
    let change = TenantChange { zone: Some(zone.to_owned()), ..TenantChange::default() };
    product.app.tenants().change(&tenant.caller, change).await.unwrap();
}

async fn orders_move_to_the_days_of_the_new_zone(database: TestDatabase) {
    let product = Product::start(database).await;
    let shop = shop();
    let tenant = shop.of_new_company(&product).await;
    assert_eq!(ordered(&product, &tenant).await, IN_MOSCOW);
    change_zone(&product, &tenant, NEW_YORK).await;
    assert_eq!(product.move_days().await, 1);
    assert_eq!(ordered(&product, &tenant).await, IN_NEW_YORK);
    // The same zone again is no change; neither is another setting.
    change_zone(&product, &tenant, NEW_YORK).await;
    let renamed = TenantChange { name: Some("Renamed".to_owned()), ..TenantChange::default() };
    product.app.tenants().change(&tenant.caller, renamed).await.unwrap();
    assert_eq!(product.move_days().await, 0);
    // Two changes before anybody has done the work.
    change_zone(&product, &tenant, "Asia/Tokyo").await;
    change_zone(&product, &tenant, "Europe/Moscow").await;
    assert_eq!(product.move_days().await, 2, "each has work of its own");
    assert_eq!(ordered(&product, &tenant).await, IN_MOSCOW);
    assert_eq!(product.sync(&tenant).await.state, SyncState::Completed);
    assert_eq!(ordered(&product, &tenant).await, IN_MOSCOW);
}

async fn the_day_turns_at_the_new_midnight(database: TestDatabase) {
    let product = Product::start(database).await;
    let shop = shop();
    let tenant = shop.of_new_company(&product).await;
    change_zone(&product, &tenant, NEW_YORK).await;
    product.move_days().await;
    let scheduler = product.app.scheduler();
    // Past midnight in Moscow, then past midnight in New York.
    product.clock.advance(TimeDelta::hours(13));
    assert_eq!(scheduler.tick().await.unwrap().days, 0);
    product.clock.advance(TimeDelta::hours(8));
    assert_eq!(scheduler.tick().await.unwrap().days, 1);
}

async fn a_zone_that_changes_while_orders_are_read_is_not_mixed(database: TestDatabase) {
    let product = Product::start(database).await;
    let shop = shop();
    let tenant = shop.of_new_company(&product).await;
    // The first question asks for too many, the second brings a page, and the third is kept waiting for its own.
    shop.hold_orders(3);
    let asked = product.app.syncs().request(&tenant.caller, tenant.account).await.unwrap();
    let change = async {
        shop.held().await;
        change_zone(&product, &tenant, NEW_YORK).await;
        assert_eq!(product.move_days().await, 1);
        let between = ordered(&product, &tenant).await;
        shop.release();
        between
    };
    let ((), between) = tokio::join!(product.carry_all(), change);
    assert_eq!(between, IN_NEW_YORK, "while the sync still waits");
    assert_eq!(product.get(&tenant, asked.sync_id).await.state, SyncState::Completed);
    assert_eq!(ordered(&product, &tenant).await, IN_NEW_YORK, "and after it");
}

async fn marketplaces_with_a_zone_of_their_own_stay_in_it(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = product.products(&tenant).await;
    change_zone(&product, &tenant, NEW_YORK).await;
    assert_eq!(product.move_days().await, 0);
    assert_eq!(product.products(&tenant).await, before);
}
