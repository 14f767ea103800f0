//! What a sync brings is what the marketplace has.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    clock::Clock as _,
    marketplace::WarehouseKind,
    picture::{Movement, Stock},
    sync::SyncState,
};
use sandbox::{Side, Truth};
use sea_orm::{ConnectionTrait as _, Statement};
use storage::PoolSettings;
use test_support::{database::TestDatabase, on_each_database};

use crate::product::{Product, Tenant};

on_each_database!(
    a_first_sync_brings_the_truth,
    tenants_stay_apart,
    many_who_ask_at_once_get_one_sync,
    what_vanishes_goes_to_zero_and_to_the_ledger,
    an_unchanged_marketplace_changes_nothing,
    unmasked_warehouses_do_not_double,
    a_day_that_turns_moves_the_window,
    an_account_that_cannot_be_read_does_not_hold_up_the_others,
);

/// Units by variant and place; the marketplace's own places are one as long as they are masked.
type Units = BTreeMap<(String, String), i64>;

fn place(stock: &Stock) -> String {
    match stock.warehouse_kind {
        WarehouseKind::Aggregate => "WB".to_owned(),
        WarehouseKind::Marketplace => stock.warehouse_name.clone(),
        WarehouseKind::Seller => stock.warehouse_external_id.clone().expect("a seller's warehouse has an id"),
    }
}

fn available(stocks: &[Stock]) -> Units {
    let known = stocks.iter().filter_map(|s| Some(((s.external_variant_id.clone(), place(s)), s.available?)));
    known.filter(|(_, units)| *units > 0).collect()
}

fn ordered(stocks: &[Stock]) -> Units {
    stocks
        .iter()
        .map(|s| ((s.external_variant_id.clone(), place(s)), s.ordered_units.expect("orders have been read")))
        .filter(|(_, units)| *units > 0)
        .collect()
}

fn true_stock(truth: &Truth, masked: bool) -> Units {
    let mut units = Units::new();
    for row in truth.stock.iter().filter(|row| row.available > 0) {
        let place = match row.side {
            Side::Fbo if masked => "WB".to_owned(),
            Side::Fbo => row.warehouse_name.to_owned(),
            Side::Fbs => row.warehouse_id.to_string(),
        };
        *units.entry((row.chrt_id.to_string(), place)).or_default() += i64::from(row.available);
    }
    units
}

fn true_orders(truth: &Truth) -> Units {
    let mut units = Units::new();
    for row in truth.ordered.iter().filter(|row| row.units > 0) {
        let place = match row.side {
            Side::Fbo => row.warehouse_name.to_owned(),
            Side::Fbs => row.warehouse_id.to_string(),
        };
        *units.entry((row.chrt_id.to_string(), place)).or_default() += i64::from(row.units);
    }
    units
}

/// Compares everything the product says with everything the marketplace has.
pub(crate) async fn assert_truth(product: &Product, tenant: &Tenant, masked: bool) {
    let truth = product.sandbox.truth(tenant.seller, product.clock.now()).expect("a seller");
    let stocks = product.stocks(tenant).await;
    assert_eq!(available(&stocks), true_stock(&truth, masked), "stock by variant and warehouse");
    assert_eq!(ordered(&stocks), true_orders(&truth), "orders by variant and warehouse");
    assert_true_figures(product, tenant).await;
}

/// Compares the figures of every product with what the marketplace has, wherever it says that it lies.
pub(crate) async fn assert_true_figures(product: &Product, tenant: &Tenant) {
    let truth = product.sandbox.truth(tenant.seller, product.clock.now()).expect("a seller");
    let mut by_product: BTreeMap<String, sandbox::Figures> = BTreeMap::new();
    for variant in truth.variants.values() {
        let sum = by_product.entry(variant.nm_id.to_string()).or_default();
        let add = |a: &mut u32, b: u32| *a += b;
        add(&mut sum.fbo, variant.figures.fbo);
        add(&mut sum.fbs, variant.figures.fbs);
        add(&mut sum.in_way_to_client, variant.figures.in_way_to_client);
        add(&mut sum.in_way_from_client, variant.figures.in_way_from_client);
        add(&mut sum.ordered, variant.figures.ordered);
        add(&mut sum.cancelled, variant.figures.cancelled);
        add(&mut sum.ordered_today, variant.figures.ordered_today);
    }
    let products = product.products(tenant).await;
    assert_eq!(products.len(), by_product.len(), "every product once");
    for listed in &products {
        let expected = by_product[&listed.external_id];
        let figures = &listed.figures;
        let name = &listed.external_id;
        assert_eq!(figures.fbo_stock, Some(expected.fbo.into()), "FBO of {name}");
        assert_eq!(figures.fbs_stock, Some(expected.fbs.into()), "FBS of {name}");
        assert_eq!(figures.total_stock(), Some(expected.total().into()), "total of {name}");
        assert_eq!(figures.in_transit_to_customer, Some(expected.in_way_to_client.into()), "{name}");
        assert_eq!(figures.in_transit_returns, Some(expected.in_way_from_client.into()), "{name}");
        assert_eq!(figures.ordered_units, Some(expected.ordered.into()), "orders of {name}");
        assert_eq!(figures.cancelled_units, Some(expected.cancelled.into()), "cancelled of {name}");
        assert_eq!(figures.ordered_today, Some(expected.ordered_today.into()), "today of {name}");
        assert!(!figures.incomplete && !figures.stale, "{name}");
    }
    assert_ledger(product, tenant, &product.stocks(tenant).await).await;
}

/// Every level is the sum of its movements, and no sync wrote two for one level.
pub(crate) async fn assert_ledger(product: &Product, tenant: &Tenant, stocks: &[Stock]) {
    let ledger = product.ledger(tenant).await;
    let mut sums = BTreeMap::new();
    let mut written = std::collections::HashSet::new();
    for Movement { variant_id, warehouse_id, from, to, sync_id, .. } in ledger {
        *sums.entry((variant_id, warehouse_id)).or_insert(0) += to.unwrap_or(0) - from.unwrap_or(0);
        assert!(written.insert((variant_id, warehouse_id, sync_id)), "one movement for a level and a sync");
    }
    for stock in stocks {
        // A zero of a place that was known to be empty before moved nothing.
        let sum = sums.get(&(stock.variant_id, stock.warehouse_id)).copied().unwrap_or(0);
        assert_eq!(stock.available.unwrap_or(0), sum, "the level is the sum of its movements");
    }
}

async fn a_first_sync_brings_the_truth(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    let asked = product.app.syncs().request(&tenant.caller, tenant.account).await.unwrap();
    product.carry_all().await;
    let run = product.get(&tenant, asked.sync_id).await;
    assert_eq!((run.state, run.error), (SyncState::Completed, None));
    assert_eq!(run.counts.products, 30);
    assert_eq!(run.counts.unmatched_units, 0);
    assert_eq!(run.counts.failed, 0);
    assert_truth(&product, &tenant, true).await;
    assert!(product.sandbox.requests().iter().all(|request| request.status < 400), "no call was refused");
}

async fn many_who_ask_at_once_get_one_sync(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    for _ in 0..5 {
        let asking = (0..8).map(|_| {
            let (app, caller, account) = (product.app.clone(), tenant.caller.clone(), tenant.account);
            tokio::spawn(async move { app.syncs().request(&caller, account).await })
        });
        let mut given = std::collections::HashSet::new();
        for asked in asking.collect::<Vec<_>>() {
            given.insert(asked.await.unwrap().expect("a sync, whoever was first").sync_id);
        }
        assert_eq!(given.len(), 1);
        product.carry_all().await;
    }
}

async fn tenants_stay_apart(database: TestDatabase) {
    let product = Product::start(database).await;
    let (one, other) = (product.tenant(0).await, product.tenant(1).await);
    product.carry_all().await;
    assert_truth(&product, &one, true).await;
    assert_truth(&product, &other, true).await;
}

async fn what_vanishes_goes_to_zero_and_to_the_ledger(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let gone =
        product.products(&tenant).await.into_iter().find(|p| p.figures.total_stock() > Some(0)).unwrap();
    product.sandbox.trash_card(tenant.seller, gone.external_id.parse().unwrap()).unwrap();
    product.clock.advance(TimeDelta::minutes(30));
    let run = product.sync(&tenant).await;
    assert_eq!(run.state, SyncState::Completed);
    let now = product.products(&tenant).await.into_iter().find(|p| p.id == gone.id).unwrap();
    assert_eq!(now.status, domain::picture::ProductStatus::Inactive);
    assert_eq!(now.figures.total_stock(), Some(0));
    let ledger = product.ledger(&tenant).await;
    let zeroed = ledger.iter().filter(|m| m.sync_id == Some(run.id) && m.to == Some(0) && m.from > Some(0));
    let taken: i64 = zeroed.map(|m| m.from.unwrap_or(0)).sum();
    assert!(taken >= gone.figures.total_stock().unwrap(), "the ledger tells where it went");
    assert_ledger(&product, &tenant, &product.stocks(&tenant).await).await;
}

async fn an_unchanged_marketplace_changes_nothing(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = (product.products(&tenant).await, product.ledger(&tenant).await.len());
    let run = product.sync(&tenant).await;
    assert_eq!((run.state, run.counts.movements), (SyncState::Completed, 0));
    assert_eq!((product.products(&tenant).await, product.ledger(&tenant).await.len()), before);
}

async fn unmasked_warehouses_do_not_double(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    for masked in [false, true] {
        product.sandbox.set_masked(masked);
        assert_eq!(product.sync(&tenant).await.state, SyncState::Completed);
        assert_truth(&product, &tenant, masked).await;
    }
}

async fn a_day_that_turns_moves_the_window(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    // Past midnight in Moscow.
    product.clock.advance(TimeDelta::hours(13));
    let before = product.products(&tenant).await;
    let ticked = product.app.scheduler().tick().await.unwrap();
    assert_eq!((ticked.syncs, ticked.days), (1, 1));
    assert_eq!(product.app.scheduler().tick().await.unwrap(), app::Ticked::default(), "claimed once");
    let scope = product.claim().await.expect("the due sync").scope;
    product.app.sync_engine().turn_day(&scope, tenant.account).await.unwrap();
    let after = product.products(&tenant).await;
    let today = |products: &[domain::picture::Product]| -> i64 {
        products.iter().filter_map(|p| p.figures.ordered_today).sum()
    };
    assert!(today(&before) > 0, "something was ordered today");
    assert_eq!(today(&after), 0, "and nothing yet in the new day, for all we know");
    assert_ne!(
        before.iter().map(|p| p.figures.ordered_units).collect::<Vec<_>>(),
        after.iter().map(|p| p.figures.ordered_units).collect::<Vec<_>>(),
        "yesterday counts now, and the oldest day no more"
    );
}

/// PostgreSQL has statistics of the tenants it met at its last look, and none of a new one. Joined row by row, the
/// sets of a catalogue of this size take minutes; joined as sets, far less than the time a statement is given here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_the_statistics_do_not_know_is_synced_all_the_same() {
    use sea_orm::ConnectionTrait as _;
    let database = TestDatabase::postgres().await;
    let owner = sea_orm::Database::connect(database.owner_url()).await.unwrap();
    let url = format!("{}&options=-c%20statement_timeout%3D15s", database.url());
    let product = Product::start_with(database, &url, 300).await;
    let known = product.tenant(0).await;
    assert_eq!(product.sync(&known).await.state, SyncState::Completed);
    owner.execute_unprepared("ANALYZE").await.unwrap();
    let new = product.tenant(1).await;
    assert_eq!(product.sync(&new).await.state, SyncState::Completed);
    owner.close().await.unwrap();
}

async fn an_account_that_cannot_be_read_does_not_hold_up_the_others(database: TestDatabase) {
    let owner = database.owner_url();
    let product = Product::start(database).await;
    let broken = product.tenant(0).await;
    product.clock.advance(TimeDelta::minutes(1));
    let whole = product.tenant(1).await;
    product.carry_all().await;
    let owner = PoolSettings::new(owner, 1).open().await.unwrap();
    let spoil = Statement::from_sql_and_values(
        owner.get_database_backend(),
        "UPDATE marketplace_account SET marketplace = 'nowhere' WHERE id = $1",
        [broken.account.as_uuid().into()],
    );
    assert_eq!(owner.execute_raw(spoil).await.unwrap().rows_affected(), 1);
    product.clock.advance(TimeDelta::hours(13));
    let scheduler = product.app.scheduler();
    let ticked = scheduler.tick().await.unwrap();
    assert_eq!((ticked.syncs, ticked.days, ticked.put_off), (1, 1, 2));
    assert_eq!(product.claim().await.expect("the due sync").scope.tenant_id(), whole.caller.tenant_id());
    assert_eq!(scheduler.tick().await.unwrap(), app::Ticked::default(), "it is not asked for at once again");
    product.clock.advance(TimeDelta::minutes(10));
    assert_eq!(scheduler.tick().await.unwrap().put_off, 2);
}
