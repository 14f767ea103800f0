//! Tokens that allow some calls once in hours: the worker is freed while a sync waits, and what has been read is there.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    clock::Clock as _,
    job::Outcome,
    marketplace::Capability,
    sync::{Phase, SyncState},
};
use sandbox::{AccountType, Fault, FaultKind, Operation, ReportEnd, Times, TokenSpec};
use serde_json::json;
use storage::jobs::Settlement;
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    product::{Product, Tenant},
    sync::assert_true_figures,
};

on_each_database!(
    a_basic_token_reads_everything_by_one_report,
    rows_of_a_report_that_lead_to_one_place_are_added,
    a_killed_worker_goes_on_waiting_for_the_same_report,
    a_report_that_was_purged_is_asked_for_again_when_the_limit_allows,
    a_sync_that_waits_for_hours_is_cancelled_at_once,
);

async fn basic_tenant(product: &Product) -> Tenant {
    let spec = TokenSpec { account_type: AccountType::Basic, ..TokenSpec::default() };
    let token = product.sandbox.issue_token(0, spec).unwrap();
    product.tenant_with(0, &token).await
}

fn reports(product: &Product) -> usize {
    product.sandbox.reports(0).unwrap().len()
}

async fn a_basic_token_reads_everything_by_one_report(database: TestDatabase) {
    let product = Product::start_running(database).await;
    let tenant = basic_tenant(&product).await;
    let account = product.app.accounts().get(&tenant.caller, tenant.account).await.unwrap();
    assert_eq!(account.credential.kind.as_deref(), Some("basic"));
    assert!(account.credential.expires_at.is_some());
    assert!(!account.credential.notes.is_empty(), "the seller is told what the token allows");
    assert_eq!(account.sync_interval_minutes, 180, "a sync more often would only wait");
    let run = product.sync(&tenant).await;
    assert_eq!((run.state, run.error), (SyncState::Completed, None));
    assert_eq!(reports(&product), 1);
    assert_true_figures(&product, &tenant).await;
}

async fn rows_of_a_report_that_lead_to_one_place_are_added(database: TestDatabase) {
    let product = Product::start_running(database).await;
    let tenant = basic_tenant(&product).await;
    let nm = *product
        .sandbox
        .truth(0, product.clock.now())
        .unwrap()
        .variants
        .values()
        .map(|v| &v.nm_id)
        .min()
        .unwrap();
    // Of a barcode that no card has, only the barcode tells what it is of.
    let row = |size: &str, units: u32| {
        let shelves = [("Всего находится на складах", units), ("Тула", units), ("В пути до получателей", 1)];
        let shelves = shelves.map(|(name, units)| json!({ "warehouseName": name, "quantity": units }));
        json!({ "nmId": nm, "techSize": size, "barcode": "4699999999999", "warehouses": shelves })
    };
    let report = FaultKind::Rewrite { pointer: String::new(), value: json!([row("one", 3), row("two", 4)]) };
    product.sandbox.inject(Fault::on(Operation::RemainsDownload, Times::Every(1), report));
    assert_eq!(product.sync(&tenant).await.state, SyncState::Completed);
    let levels = product.stocks(&tenant).await;
    let level =
        levels.iter().find(|level| level.external_variant_id.starts_with("barcode:")).expect("a level");
    assert_eq!(level.available, Some(7));
    let whole =
        product.products(&tenant).await.into_iter().find(|p| p.external_id == nm.to_string()).unwrap();
    assert_eq!((whole.figures.fbo_stock, whole.figures.in_transit_to_customer), (Some(7), Some(2)));
}

async fn a_killed_worker_goes_on_waiting_for_the_same_report(database: TestDatabase) {
    let product = Product::start_with_real_limits(database).await;
    let tenant = basic_tenant(&product).await;
    let waiting = async || {
        let page = domain::page::PageRequest { limit: 1, cursor: None };
        let found =
            product.app.syncs().list(&tenant.caller, &app::SyncFilter::default(), &page).await.unwrap();
        let run = found.items.into_iter().next().unwrap();
        assert_eq!(run.state, SyncState::Running);
        (run.phase, run.waiting_until.map(|until| until - product.clock.now()))
    };
    let fbo_known = async || {
        let products = product.products(&tenant).await;
        products.iter().all(|product| product.figures.fbo_stock.is_some())
    };
    // Whoever takes the job takes it from a worker that is gone: nothing is kept but what is in the database.
    for waits in [60, 40] {
        let job = product.claim().await.expect("the job waits until it is done");
        let carried = product.run(&job, false).await;
        assert_eq!(carried.outcome, Outcome::Park { after: Duration::from_secs(waits) });
        let left = Some(TimeDelta::seconds(waits.try_into().unwrap()));
        assert_eq!(waiting().await, (Some(Phase::StockMarketplace), left));
        let looked = product.sandbox.requests().iter().any(|request| request.path.ends_with("/status"));
        assert_eq!((reports(&product), looked), (1, false), "early is too early to look");
        assert!(!fbo_known().await);
        product.settle(&job, Settlement::Park { after: Duration::ZERO }).await;
        product.clock.advance(TimeDelta::seconds(20));
    }
    product.clock.advance(TimeDelta::seconds(20));
    let job = product.claim().await.expect("the job waits until it is done");
    assert_eq!(product.run(&job, false).await.outcome, Outcome::Done, "one answer of orders is enough");
    product.settle(&job, Settlement::Done).await;
    assert_eq!(reports(&product), 1);
    assert_true_figures(&product, &tenant).await;
}

async fn a_report_that_was_purged_is_asked_for_again_when_the_limit_allows(database: TestDatabase) {
    let product = Product::start_with_real_limits(database).await;
    let tenant = basic_tenant(&product).await;
    let job = product.claim().await.unwrap();
    product.run(&job, false).await;
    let report = product.sandbox.reports(0).unwrap()[0].task_id;
    assert!(product.sandbox.end_report(0, report, ReportEnd::Purged));
    product.settle(&job, Settlement::Park { after: Duration::ZERO }).await;
    product.clock.advance(TimeDelta::seconds(60));
    let job = product.claim().await.unwrap();
    let Outcome::Park { after } = product.run(&job, false).await.outcome else {
        panic!("four reports an hour may be asked for");
    };
    assert!((890..=900).contains(&after.as_secs()), "{after:?}");
    let account = product.app.accounts().get(&tenant.caller, tenant.account).await.unwrap();
    assert!(account.capabilities.contains(&Capability::StockMarketplace), "a lost report is no lost right");
}

async fn a_sync_that_waits_for_hours_is_cancelled_at_once(database: TestDatabase) {
    let product = Product::start_with_real_limits(database).await;
    let tenant = basic_tenant(&product).await;
    let job = product.claim().await.unwrap();
    product.run(&job, false).await;
    product.settle(&job, Settlement::Park { after: Duration::from_hours(3) }).await;
    let live = product.app.syncs().request(&tenant.caller, tenant.account).await.unwrap();
    let cancelled = product.app.syncs().cancel(&tenant.caller, live.sync_id).await.unwrap();
    assert_eq!((cancelled.state, cancelled.waiting_until), (SyncState::Cancelled, None));
    let next = product.app.syncs().request(&tenant.caller, tenant.account).await.unwrap();
    assert_ne!(next.sync_id, live.sync_id, "another one can begin");
}
