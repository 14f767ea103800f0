//! Syncs that are killed, refused or lied to: what was true stays true.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    clock::Clock as _,
    job::Outcome,
    marketplace::{AccountState, Capability, WarehouseKind},
    page::PageRequest,
    picture::{Product as Listed, Stock},
    sync::{Phase, SyncState},
};
use sandbox::{Fault, FaultKind, Times};
use storage::jobs::Settlement;
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    product::{PAUSE, Product},
    sync::{assert_ledger, assert_truth},
};

on_each_database!(
    a_sync_killed_anywhere_ends_the_same,
    one_side_failing_leaves_it_as_it_was,
    a_failed_phase_is_tried_again_and_the_others_are_not,
    a_changed_contract_keeps_the_figures,
    a_page_cut_short_changes_nothing,
    a_row_that_comes_twice_counts_once,
    rows_that_contradict_each_other_are_not_believed,
    unreadable_warehouses_are_a_changed_contract,
    an_answer_of_which_half_is_unreadable_is_not_counted,
    an_unpaid_service_is_not_the_account_s_fault,
    a_revoked_token_stops_the_account,
    a_lost_capability_makes_its_figures_unknown,
    a_token_without_marketplace_reads_own_stock_by_the_report,
    a_token_that_may_not_see_assemblies_keeps_its_orders,
    an_older_run_writes_nothing_any_more,
    a_cancelled_sync_stops,
    a_paused_account_is_skipped,
);

const FBO: &str = "/api/analytics/v1/stocks-report/wb-warehouses";

fn stock_of(products: &[Listed]) -> Vec<(Option<i64>, Option<i64>)> {
    products.iter().map(|p| (p.figures.fbo_stock, p.figures.fbs_stock)).collect()
}

async fn a_sync_killed_anywhere_ends_the_same(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    let mut kills = 0;
    // Each run is dropped a little later than the one before, wherever it is, until one gets through.
    loop {
        let job = product.claim().await.expect("the job waits until it is done");
        let patience = Duration::from_millis(20 + 15 * kills);
        if let Ok(carried) = tokio::time::timeout(patience, product.run(&job, false)).await {
            assert_eq!(carried.outcome, Outcome::Done);
            product.settle(&job, Settlement::Done).await;
            break;
        }
        kills += 1;
        product.settle(&job, Settlement::Park { after: Duration::ZERO }).await;
    }
    assert!(kills > 2, "it was killed {kills} times");
    assert_truth(&product, &tenant, true).await;
}

async fn one_side_failing_leaves_it_as_it_was(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = product.products(&tenant).await;
    product.clock.advance(TimeDelta::hours(12));
    let seller_s =
        product.stocks(&tenant).await.into_iter().find(|s| s.warehouse_kind == WarehouseKind::Seller);
    let level = seller_s.expect("a seller's warehouse holds something");
    let place = level.warehouse_external_id.and_then(|id| id.parse().ok()).expect("a number");
    let variant = level.external_variant_id.parse().expect("a number");
    product.sandbox.set_stock(tenant.seller, variant, place, 1_000).expect("a known place");
    product.sandbox.inject(Fault::new(FBO, Times::Every(1), FaultKind::Status { status: 503 }));
    let run = product.sync(&tenant).await;
    assert_eq!(run.state, SyncState::Partial);
    assert_eq!(run.error.unwrap().code, "marketplace_unavailable");
    let after = product.products(&tenant).await;
    let fbo = |products: &[Listed]| products.iter().map(|p| p.figures.fbo_stock).collect::<Vec<_>>();
    let fbs = |products: &[Listed]| products.iter().map(|p| p.figures.fbs_stock).collect::<Vec<_>>();
    assert_eq!(fbo(&before), fbo(&after), "the side that failed keeps its figures");
    assert_ne!(fbs(&before), fbs(&after), "the other side moves on");
    assert!(after.iter().all(|p| p.figures.stale), "and what is old says so");
    product.sandbox.clear_faults();
    assert_eq!(product.sync(&tenant).await.state, SyncState::Completed);
    assert_truth(&product, &tenant, true).await;
}

async fn a_failed_phase_is_tried_again_and_the_others_are_not(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.sandbox.inject(Fault::new(FBO, Times::Every(1), FaultKind::Html { status: 502 }));
    let job = product.claim().await.unwrap();
    let carried = product.run(&job, false).await;
    assert!(matches!(carried.outcome, Outcome::Retry { after: Some(PAUSE), .. }), "{carried:?}");
    let page = PageRequest { limit: 1, cursor: None };
    let runs = product.app.syncs().list(&tenant.caller, &app::SyncFilter::default(), &page).await.unwrap();
    let waits = runs.items[0].waiting_until.map(|until| (until - product.clock.now()).to_std().unwrap());
    assert_eq!((runs.items[0].phase, waits), (Some(Phase::StockMarketplace), Some(PAUSE)));
    product.settle(&job, Settlement::Park { after: Duration::ZERO }).await;
    product.sandbox.clear_faults();
    product.sandbox.clear_requests();
    product.carry_all().await;
    let paths: Vec<String> = product.sandbox.requests().into_iter().map(|r| r.path).collect();
    assert!(
        paths.iter().all(|path| path.starts_with(FBO)),
        "only what had failed was asked again: {paths:?}"
    );
    assert_truth(&product, &tenant, true).await;
}

async fn a_changed_contract_keeps_the_figures(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = product.products(&tenant).await;
    product.clock.advance(TimeDelta::hours(2));
    let renamed = FaultKind::Rewrite { pointer: "/data/items".into(), value: serde_json::json!({"a": 1}) };
    product.sandbox.inject(Fault::new(FBO, Times::Every(1), renamed));
    let run = product.sync(&tenant).await;
    assert_eq!(run.state, SyncState::Partial);
    assert_eq!(run.error.unwrap().code, "contract_changed");
    let fbo = |products: &[Listed]| products.iter().map(|p| p.figures.fbo_stock).collect::<Vec<_>>();
    assert_eq!(fbo(&before), fbo(&product.products(&tenant).await));
}

async fn a_page_cut_short_changes_nothing(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = (stock_of(&product.products(&tenant).await), product.ledger(&tenant).await.len());
    product.clock.advance(TimeDelta::hours(2));
    product.sandbox.inject(Fault::new("/", Times::Every(1), FaultKind::Truncated));
    let run = product.sync(&tenant).await;
    assert_eq!(run.state, SyncState::Failed);
    let after = (stock_of(&product.products(&tenant).await), product.ledger(&tenant).await.len());
    assert_eq!(before, after);
}

async fn a_revoked_token_stops_the_account(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = stock_of(&product.products(&tenant).await);
    product.sandbox.revoke_token(&product.sandbox.sellers()[0].token);
    let run = product.sync(&tenant).await;
    assert_eq!(run.state, SyncState::Failed);
    let account = product.app.accounts().get(&tenant.caller, tenant.account).await.unwrap();
    assert_eq!((account.state, account.next_sync_at), (AccountState::AuthFailed, None));
    assert_eq!(stock_of(&product.products(&tenant).await), before, "a refusal is not an empty catalogue");
    assert_ledger(&product, &tenant, &product.stocks(&tenant).await).await;
}

async fn an_older_run_writes_nothing_any_more(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    let old = product.claim().await.unwrap();
    // The process of the first run froze, and its job went to another one, which finished it.
    product.settle(&old, Settlement::Park { after: Duration::ZERO }).await;
    product.carry_all().await;
    let ledger = product.ledger(&tenant).await.len();
    let carried = product.run(&old, false).await;
    assert_eq!((carried.outcome, carried.report), (Outcome::Done, None));
    assert_eq!(product.ledger(&tenant).await.len(), ledger);
}

async fn a_cancelled_sync_stops(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    let job = product.claim().await.unwrap();
    product.sandbox.inject(Fault::new(FBO, Times::Every(1), FaultKind::Status { status: 500 }));
    assert!(matches!(product.run(&job, false).await.outcome, Outcome::Retry { .. }));
    product.settle(&job, Settlement::Park { after: Duration::ZERO }).await;
    let asked = product.app.syncs().request(&tenant.caller, tenant.account).await.unwrap();
    assert_eq!(asked.state, SyncState::Running, "the sync that waits for its retry is the one there is");
    product.app.syncs().cancel(&tenant.caller, asked.sync_id).await.unwrap();
    product.sandbox.clear_faults();
    product.carry_all().await;
    let run = product.get(&tenant, asked.sync_id).await;
    assert_eq!(run.state, SyncState::Cancelled);
    let again = product.app.syncs().cancel(&tenant.caller, asked.sync_id).await;
    assert!(matches!(again, Err(app::Error::Conflict(app::Conflict::SyncEnded))));
    assert_eq!(product.sync(&tenant).await.state, SyncState::Completed, "another can begin");
}

async fn a_paused_account_is_skipped(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    let change = app::AccountChange { paused: Some(true), ..app::AccountChange::default() };
    let account = product.app.accounts().change(&tenant.caller, tenant.account, change).await.unwrap();
    assert_eq!((account.state, account.next_sync_at), (AccountState::Paused, None));
    product.carry_all().await;
    let page = PageRequest { limit: 10, cursor: None };
    let runs = product.app.syncs().list(&tenant.caller, &app::SyncFilter::default(), &page).await.unwrap();
    assert_eq!(runs.items[0].state, SyncState::Skipped);
    assert!(product.products(&tenant).await.is_empty());
}

async fn a_lost_capability_makes_its_figures_unknown(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = product.products(&tenant).await;
    product.sandbox.inject(Fault::new(FBO, Times::Every(1), FaultKind::Status { status: 403 }));
    let run = product.sync(&tenant).await;
    assert_eq!(run.state, SyncState::Completed, "what the credential grants was read");
    let account = product.app.accounts().get(&tenant.caller, tenant.account).await.unwrap();
    assert_eq!(account.state, AccountState::Limited);
    let after = product.products(&tenant).await;
    for (old, new) in before.iter().zip(&after) {
        assert_eq!((new.figures.fbo_stock, new.figures.in_transit_to_customer), (None, None));
        assert_eq!(new.figures.total_stock(), old.figures.fbs_stock, "the sum of the known sides");
        assert!(new.figures.incomplete);
        assert_eq!(new.figures.ordered_units, old.figures.ordered_units);
    }
    product.sandbox.clear_faults();
    product.app.accounts().verify(&tenant.caller, tenant.account).await.unwrap();
    assert_eq!(product.sync(&tenant).await.state, SyncState::Completed);
    assert_truth(&product, &tenant, true).await;
}

async fn a_token_without_marketplace_reads_own_stock_by_the_report(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = product.products(&tenant).await;
    product.sandbox.inject(Fault::new("/api/v3/", Times::Every(1), FaultKind::Status { status: 403 }));
    for _ in 0..2 {
        assert_eq!(
            product.sync(&tenant).await.state,
            SyncState::Completed,
            "what the credential grants was read"
        );
        let account = product.app.accounts().get(&tenant.caller, tenant.account).await.unwrap();
        assert_eq!(account.state, AccountState::Limited);
        assert!(!account.capabilities.contains(&Capability::Locations));
        assert!(account.capabilities.contains(&Capability::StockSeller), "the report is open");
        let after = product.products(&tenant).await;
        assert_eq!(stock_of(&after), stock_of(&before));
        let ordered =
            |products: &[Listed]| products.iter().map(|p| p.figures.ordered_units).collect::<Vec<_>>();
        assert_eq!(ordered(&after), ordered(&before));
    }
}

async fn a_token_that_may_not_see_assemblies_keeps_its_orders(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.sandbox.inject(Fault::new("/api/v3/orders", Times::Every(1), FaultKind::Status { status: 403 }));
    product.carry_all().await;
    let products = product.products(&tenant).await;
    assert!(products.iter().any(|p| p.figures.fbs_stock > Some(0)));
    assert!(products.iter().any(|p| p.figures.ordered_units > Some(0)));
    let asked = product.sandbox.requests().into_iter().any(|request| request.path == "/api/v3/orders");
    assert!(asked, "two warehouses of one name had to be told apart");
}

async fn a_row_that_comes_twice_counts_once(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let level =
        product.stocks(&tenant).await.into_iter().find(|s| s.warehouse_kind == WarehouseKind::Aggregate);
    let level = level.expect("a level of the marketplace");
    let row = fbo_row(&level, 7);
    let twice = FaultKind::Rewrite { pointer: "/data/items".into(), value: serde_json::json!([row, row]) };
    product.sandbox.inject(Fault::new(FBO, Times::Every(1), twice));
    assert_eq!(product.sync(&tenant).await.state, SyncState::Completed);
    let now = product.products(&tenant).await.into_iter().find(|p| p.id == level.product_id).unwrap();
    assert_eq!((now.figures.fbo_stock, now.figures.in_transit_to_customer), (Some(7), Some(1)));
}

/// Rows as the report has them, of one size in the place that stands for all.
fn fbo_row(level: &Stock, quantity: u32) -> serde_json::Value {
    serde_json::json!({
        "nmId": level.external_product_id, "chrtId": level.external_variant_id, "warehouseId": -999_999,
        "warehouseName": level.warehouse_name, "quantity": quantity, "inWayToClient": 1, "inWayFromClient": 0,
    })
}

async fn rows_that_contradict_each_other_are_not_believed(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = stock_of(&product.products(&tenant).await);
    let level =
        product.stocks(&tenant).await.into_iter().find(|s| s.warehouse_kind == WarehouseKind::Aggregate);
    let level = level.expect("a level of the marketplace");
    let rows = serde_json::json!([fbo_row(&level, 7), fbo_row(&level, 9)]);
    let contradiction = FaultKind::Rewrite { pointer: "/data/items".into(), value: rows };
    product.sandbox.inject(Fault::new(FBO, Times::Every(1), contradiction));
    assert_eq!(product.sync(&tenant).await.error.unwrap().code, "contract_changed");
    assert_eq!(stock_of(&product.products(&tenant).await), before);
}

async fn unreadable_warehouses_are_a_changed_contract(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let before = product.products(&tenant).await;
    assert!(before.iter().all(|p| !p.figures.stale));
    let renamed = FaultKind::RenameField { field: "name".into(), to: "title".into() };
    product.sandbox.inject(Fault::new("/api/v3/warehouses", Times::Every(1), renamed));
    let run = product.sync(&tenant).await;
    assert_eq!((run.state, run.error.unwrap().code.as_str()), (SyncState::Partial, "contract_changed"));
    let after = product.products(&tenant).await;
    assert_eq!(stock_of(&after), stock_of(&before));
    assert!(after.iter().all(|p| p.figures.stale), "the seller's side cannot be read without them");
}

async fn an_answer_of_which_half_is_unreadable_is_not_counted(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    let today = |products: &[Listed]| products.iter().map(|p| p.figures.ordered_today).collect::<Vec<_>>();
    let before = product.products(&tenant).await;
    // The marketplace does not name its own warehouses.
    let is_known = |level: &Stock| level.warehouse_kind == WarehouseKind::Seller && level.available > Some(5);
    let level = product.stocks(&tenant).await.into_iter().find(is_known).expect("stock of the seller");
    let place = level.warehouse_external_id.and_then(|id| id.parse().ok()).expect("a number");
    let variant = level.external_variant_id.parse().expect("a number");
    product.sandbox.place_order(tenant.seller, variant, place, 3).expect("a known place");
    product.clock.advance(TimeDelta::hours(1));
    let lost = FaultKind::Rewrite { pointer: "/0/nmId".into(), value: serde_json::json!(0) };
    product.sandbox.inject(Fault::new("/api/v1/supplier/orders", Times::Every(1), lost));
    let run = product.sync(&tenant).await;
    assert_eq!(run.error.unwrap().code, "contract_changed");
    let after = product.products(&tenant).await;
    assert_eq!(today(&after), today(&before));
    product.sandbox.clear_faults();
    assert_eq!(product.sync(&tenant).await.state, SyncState::Completed);
    assert_ne!(
        today(&product.products(&tenant).await),
        today(&before),
        "what was left out comes when it can"
    );
}

async fn an_unpaid_service_is_not_the_account_s_fault(database: TestDatabase) {
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.sandbox.inject(Fault::new(FBO, Times::Every(1), FaultKind::Status { status: 402 }));
    let run = product.sync(&tenant).await;
    assert_eq!(run.error.unwrap().code, "credentials_plan");
    assert_eq!(run.state, SyncState::Partial, "all else was read");
    let account = product.app.accounts().get(&tenant.caller, tenant.account).await.unwrap();
    assert_eq!(account.state, AccountState::Active);
}
