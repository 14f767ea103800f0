//! Two tenants, and every repository function called by one with what is the other's: nothing is seen, nothing is
//! changed. On SQLite, which has no row-level security, the repositories alone see to that.

use std::collections::{BTreeMap, HashMap};

use domain::{
    calendar::{Window, Zone},
    event::Event,
    ids::{JobId, PassId, SessionId},
    import::Unit,
    job::Job,
    marketplace::{AccountInfo, AccountState, Capability, CredentialFacts, Seller, Side},
    matching::Clue,
    picture::{Cause, MovementFilter, OrderFilter, ProductFilter, ProductSort, SortOrder, StockFilter},
    reading::Assembly,
    sync::{Phase, SyncError, SyncState, SyncTrigger},
    tenant::LowStockRule,
};
use sea_orm::FromQueryResult;
use storage::{
    WriteTx, accounts, analytics, catalogue,
    catalogue::Reader,
    events, figures, idempotency, imports, jobs, orders, products, readings,
    readings::Subject,
    schedule, sessions, stock,
    stock::Reading,
    syncs::{self, Advance, Fence, NewSync, Step},
    tenants, warehouses,
};

use crate::fixture::{Filled, Shop, Store, WB, at, card, first, on_both_databases, order, own, wholly};

on_both_databases!(
    what_is_anothers_is_not_seen,
    what_is_anothers_is_not_changed,
    a_row_cannot_refer_to_what_is_anothers,
    sums_and_lists_count_ones_own,
);

/// Anna's shop is full; Boris has one of the same names, and asks.
async fn two(store: &Store) -> (Shop<'_>, Filled, Shop<'_>) {
    let anna = Shop::new(store).await;
    let filled = anna.fill().await;
    let boris = Shop::new(store).await;
    boris.cards(&[card("q1", &[("w1", "", &["c1"])])]).await;
    (anna, filled, boris)
}

/// Every row that belongs to a tenant, table by table, as text.
async fn everything_of(store: &Store, shop: &Shop<'_>) -> BTreeMap<&'static str, Vec<String>> {
    #[derive(FromQueryResult)]
    struct Row {
        text: String,
    }
    let mut all = BTreeMap::new();
    for (table, columns) in [
        ("tenant", "name, catalogue_version, sync_interval_minutes"),
        ("session", "id, revoked_at, expires_at"),
        ("membership", "identity_id, role"),
        (
            "marketplace_account",
            "id, name, state, seller_name, capabilities, credential_sealed, last_sync_state",
        ),
        ("account_schedule", "account_id, next_sync_at, next_turn_at"),
        ("account_reading", "subject, watermark, completed_at, full_completed_at"),
        ("warehouse", "id, name, external_id"),
        ("product", "id, name, active, total_stock, ordered_units, updated_at, seen_by"),
        ("variant", "id, name, active, fbo_stock, fbs_stock, ordered_units, seen_by, barcodes, currency"),
        ("variant_barcode", "barcode, variant_id"),
        ("sync_run", "id, state, fence, cancel_requested, job_id, rows_done, waiting_until, error_code"),
        ("sync_step", "sync_id, phase, state, rows_read"),
        ("stock_reading", "pass_id, variant_id, warehouse_id, available"),
        ("stock_level", "variant_id, warehouse_id, available, ordered_units, written_by"),
        ("stock_movement", "id, variant_id, before, after"),
        ("order_line", "id, external_id, status, variant_id, warehouse_id, changed_at"),
        ("order_day", "ordered_on, variant_id, warehouse_id, ordered_units"),
        ("job", "id, state"),
        ("event", "id, name"),
        ("idempotent_request", "operation, key, request_hash, answer"),
    ] {
        let parts: Vec<String> = columns
            .split(", ")
            .map(|column| {
                let value =
                    if store.is_postgres() { format!("{column}::text") } else { format!("quote({column})") };
                format!("COALESCE({value}, '-')")
            })
            .collect();
        let key = if table == "tenant" { "id" } else { "tenant_id" };
        let sql =
            format!("SELECT {} AS text FROM {table} WHERE {key} = $1 ORDER BY 1", parts.join(" || '|' || "));
        let rows = store.rows::<Row>(&sql, [shop.owner.id.as_uuid().into()]).await;
        all.insert(table, rows.into_iter().map(|row| row.text).collect());
    }
    all
}

async fn what_is_anothers_is_not_seen(store: &Store) {
    let (anna, filled, boris) = two(store).await;
    let tx = store.read(&boris.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let ages = readings::ages(&tx).await.unwrap();

    assert!(accounts::get(&tx, anna.account).await.unwrap().is_none());
    assert!(tenants::member(&tx, anna.owner.user).await.unwrap().is_none());
    assert!(tenants::member(&tx, boris.owner.user).await.unwrap().is_some());
    assert!(products::get(&tx, filled.product, &freshness).await.unwrap().is_none());
    assert!(!products::exists(&tx, filled.product).await.unwrap());
    assert!(
        stock::ledger(&tx, filled.product, &MovementFilter::default(), &first(10))
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert_eq!(stock::staged(&tx, filled.sync, Side::Fbo).await.unwrap(), 0);
    assert!(syncs::get(&tx, filled.sync).await.unwrap().is_none());
    assert!(syncs::live(&tx, anna.account).await.unwrap().is_none());
    assert!(syncs::steps(&tx, filled.sync).await.unwrap().is_empty());
    assert!(syncs::list(&tx, Some(anna.account), None, &first(10)).await.unwrap().items.is_empty());
    assert_eq!(
        readings::last(&tx, anna.account, Subject::Orders).await.unwrap(),
        readings::Reading::default()
    );
    assert_eq!(ages.stock(anna.account, Side::Fbo), None);
    let clue = Clue {
        variant_external_id: Some("v1"),
        product_external_id: Some("p1"),
        barcode: Some("b1"),
        size: None,
    };
    assert_eq!(catalogue::count_active(&tx, anna.account).await.unwrap(), 0);
    assert!(catalogue::variant_external_ids(&tx, anna.account, None, 10).await.unwrap().is_empty());
    let matcher = catalogue::Matcher::load(&tx, anna.account, &[clue]).await.unwrap();
    assert!(matcher.find(clue).is_none());
    assert!(products::by_warehouse(&tx, &[filled.product], &freshness).await.unwrap().is_empty());
    let known = imports::known(&tx, anna.account, &["p1"], &["v1"]).await.unwrap();
    assert!(known.products.is_empty() && known.variants.is_empty());
    let units = [
        Unit::VariantId("v1".into()),
        Unit::Sku("b1".into()),
        Unit::Barcode("b1".into()),
        Unit::Article("article-p1".into()),
    ];
    assert!(imports::find_units(&tx, anna.account, &units.iter().collect()).await.unwrap().is_empty());
    assert!(imports::seller_warehouses(&tx, anna.account).await.unwrap().is_empty());
    assert_eq!(orders::currency(&tx, anna.account).await.unwrap(), None);
    assert!(warehouses::seller_locations(&tx, anna.account).await.unwrap().is_empty());
    assert!(warehouses::shared_seller_names(&tx, anna.account).await.unwrap().is_empty());
    let places = warehouses::list(&tx, Some(anna.account), &first(10), &ages).await.unwrap();
    assert!(places.items.is_empty());
    let stocks = StockFilter { account_id: Some(anna.account), ..StockFilter::default() };
    assert!(stock::list(&tx, &stocks, &first(10), &ages).await.unwrap().items.is_empty());
    let stocks = StockFilter { product_id: Some(filled.product), ..StockFilter::default() };
    assert!(stock::list(&tx, &stocks, &first(10), &ages).await.unwrap().items.is_empty());
    let lines = OrderFilter { account_id: Some(anna.account), ..OrderFilter::default() };
    assert!(orders::list(&tx, &lines, &first(10)).await.unwrap().items.is_empty());
    let filter = ProductFilter { account_id: Some(anna.account), ..ProductFilter::default() };
    let (sort, order) = (ProductSort::Name, SortOrder::Ascending);
    let rule = LowStockRule::default();
    let found = products::list(&tx, &filter, rule, sort, order, &first(10), &freshness).await.unwrap();
    assert!(found.items.is_empty());
}

async fn sums_and_lists_count_ones_own(store: &Store) {
    let (anna, _, boris) = two(store).await;
    let tx = store.read(&boris.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    assert_eq!(freshness.intervals.keys().collect::<Vec<_>>(), [&boris.account]);
    let ages = readings::ages(&tx).await.unwrap();
    let rule = LowStockRule::default();
    let all = ProductFilter::default();
    let (sort, order) = (ProductSort::Name, SortOrder::Ascending);
    let seen = products::list(&tx, &all, rule, sort, order, &first(10), &freshness).await.unwrap();
    assert_eq!(seen.items.iter().map(|p| p.external_id.as_str()).collect::<Vec<_>>(), ["q1"]);
    let numbered = products::numbered(&tx, &all, rule, (sort, order), (1, 10), &freshness).await.unwrap();
    assert_eq!((numbered.total, numbered.items), (1, seen.items));
    let dashboard = analytics::dashboard(&tx, rule).await.unwrap();
    assert_eq!((dashboard.total_products, dashboard.total_stock, dashboard.total_orders), (1, 0, 0));
    assert_eq!(dashboard.last_sync.unwrap().account_id, boris.account);
    assert!(orders::list(&tx, &OrderFilter::default(), &first(10)).await.unwrap().items.is_empty());
    assert!(stock::list(&tx, &StockFilter::default(), &first(10), &ages).await.unwrap().items.is_empty());
    assert!(warehouses::list(&tx, None, &first(10), &ages).await.unwrap().items.is_empty());
    assert_eq!(syncs::list(&tx, None, None, &first(10)).await.unwrap().items.len(), 1);
    let accounts = accounts::list(&tx, &first(10)).await.unwrap();
    assert_eq!(accounts.items.iter().map(|a| a.id).collect::<Vec<_>>(), [boris.account]);
    assert_eq!(accounts::all(&tx).await.unwrap().len(), 1);
    assert_eq!(products::count(&tx, &all, rule).await.unwrap(), 1);
    assert!(products::warehouses(&tx, &all, rule).await.unwrap().is_empty());
    // A warehouse of another's as a filter is no warehouse.
    tx.commit().await.unwrap();
    let theirs = store.rows::<Id>("SELECT id FROM warehouse", []).await;
    assert!(!theirs.is_empty());
    let tx = store.read(&boris.owner.scope).await;
    for place in theirs {
        let filter = ProductFilter { warehouse_id: Some(place.id.into()), ..ProductFilter::default() };
        let found = products::list(&tx, &filter, rule, sort, order, &first(10), &freshness).await.unwrap();
        assert!(found.items.is_empty());
        let filter = StockFilter { warehouse_id: Some(place.id.into()), ..StockFilter::default() };
        assert!(stock::list(&tx, &filter, &first(10), &ages).await.unwrap().items.is_empty());
    }
    assert_eq!(anna.products().await.len(), 1);
}

#[derive(FromQueryResult)]
struct Id {
    id: uuid::Uuid,
}

async fn what_is_anothers_is_not_changed(store: &Store) {
    let (anna, filled, boris) = two(store).await;
    let session = SessionId::generate();
    let tx = anna.write().await;
    let new = sessions::NewSession {
        id: session,
        user_id: anna.owner.user,
        user_agent: None,
        address: None,
        token_hash: "anna's".to_owned(),
        at: at(0),
        expires_at: at(60),
    };
    sessions::open(&tx, &new).await.unwrap();
    let job = Job::SyncAccount { sync_id: filled.sync, account_id: anna.account };
    jobs::enqueue(&tx, &job, std::time::Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();

    let before = everything_of(store, &anna).await;
    assert!(before.values().all(|rows| !rows.is_empty()), "something is in every table: {before:?}");
    let tx = boris.write().await;
    meddle(&tx, &anna, &filled, &boris).await;
    sessions::revoke(&tx, session, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let after = everything_of(store, &anna).await;
    for (table, rows) in before {
        assert_eq!(after[table], rows, "{table}");
    }
}

/// Calls everything that writes, with ids of Anna's.
async fn meddle(tx: &WriteTx, anna: &Shop<'_>, filled: &Filled, boris: &Shop<'_>) {
    let (account, sync) = (anna.account, filled.sync);
    let fence = Fence { sync, run: 1 };
    let info = AccountInfo {
        seller: Seller { external_id: "seller".into(), name: "x".into() },
        facts: CredentialFacts {
            masked: "x".into(),
            expires_at: None,
            scopes: Vec::new(),
            kind: None,
            notes: Vec::new(),
        },
        capabilities: [Capability::Products].into(),
        slowest_interval_minutes: None,
    };
    accounts::update_settings(tx, account, "x", Some(1), at(9)).await.unwrap();
    accounts::update_credential(tx, account, &info, "x", at(9)).await.unwrap();
    accounts::set_state(tx, account, AccountState::Paused, at(9)).await.unwrap();
    accounts::set_capabilities(tx, account, &info.capabilities).await.unwrap();
    accounts::note_sync(tx, account, SyncState::Failed, at(9)).await.unwrap();
    assert!(!accounts::remove(tx, account).await.unwrap());
    schedule::set_next_sync(tx, account, Some(at(9))).await.unwrap();
    schedule::set_next_turn(tx, account, Some(at(9))).await.unwrap();
    tenants::bump_catalogue_version(tx).await.unwrap();

    assert!(syncs::begin(tx, fence, at(9)).await.unwrap().is_none());
    let later = Fence { sync, run: 9 };
    assert!(syncs::begin(tx, later, at(9)).await.unwrap().is_none());
    assert!(syncs::advance(tx, fence, Advance { rows: 1, ..Advance::default() }).await.is_err());
    assert!(syncs::wait(tx, fence, Phase::Orders, at(9)).await.is_err());
    assert!(syncs::finish(tx, fence, SyncState::Failed, None, at(9)).await.is_err());
    let error = SyncError { code: "x".into(), message: "x".into() };
    syncs::give_up(tx, sync, &error, at(9)).await.unwrap();
    assert!(!syncs::cancel_idle(tx, sync, at(9)).await.unwrap());
    assert!(!syncs::request_cancel(tx, sync).await.unwrap());
    syncs::set_job(tx, sync, JobId::generate()).await.unwrap();

    catalogue::close_unseen(tx, account, sync, at(9)).await.unwrap();
    stock::discard(tx, sync, Side::Fbo).await.unwrap();
    for side in [Side::Fbo, Side::Fbs] {
        let (pass, cause) = (sync.into(), Cause::Sync);
        let reading = Reading { account, pass, cause, side, complete: true, began_at: at(9), at: at(9) };
        assert_eq!(stock::apply(tx, reading).await.unwrap(), 0);
    }
    assert!(!imports::hold_account(tx, account).await.unwrap());
    let nothing = imports::LeftOut { levels: 0, stocked: 0 };
    assert_eq!(imports::left_out(tx, account, sync.into()).await.unwrap(), nothing);
    let places = filled.places.as_slice();
    assert_eq!(imports::stage_zeros(tx, account, PassId::generate(), places).await.unwrap(), 0);
    assert_eq!(figures::write(tx, account, at(9)).await.unwrap(), 0);
    orders::match_again(tx, account).await.unwrap();
    let assembly = Assembly { line_external_id: "o2".into(), warehouse_external_id: "Дом".into() };
    orders::assign_warehouses(tx, account, &[assembly]).await.unwrap();
    let window = Window::ending_before(at(60 * 24 * 30), Zone::MOSCOW);
    assert_eq!(orders::write_window(tx, account, window, Some("EUR")).await.unwrap(), 0);
    events::record(tx, &Event::SyncStarted { sync_id: sync, account_id: account, marketplace: WB }, at(9))
        .await
        .unwrap();
    let request = idempotency::RequestKey { user: anna.owner.user, operation: "POST /x", key: "key" };
    idempotency::keep(tx, request, "x").await.unwrap();
    idempotency::give_back(tx, request).await.unwrap();
    let known = idempotency::take(tx, request, "x", at(900), (at(800), at(800))).await.unwrap();
    assert_eq!(known, idempotency::Known::Taken, "the key is Boris's own");

    // The same external ids in Boris's own account are his own things.
    let own_sync = domain::ids::SyncId::generate();
    let new = NewSync {
        id: own_sync,
        account: boris.account,
        marketplace: WB,
        trigger: SyncTrigger::Manual,
        at: at(9),
    };
    syncs::insert(tx, new).await.unwrap();
    let reader = Reader { account: boris.account, marketplace: WB, pass: own_sync.into(), at: at(9) };
    catalogue::write(tx, reader, &[card("p1", &[("v1", "44", &["b1"]), ("v2", "45", &["b2"])])])
        .await
        .unwrap();
    let wanted: HashMap<&str, Option<&str>> = [("v1", Some("p1"))].into();
    let placed = catalogue::ensure_variants(tx, reader, &wanted).await.unwrap();
    assert_ne!(placed["v1"].product, filled.product);
    let place = own("Дом");
    let places = warehouses::ensure(tx, boris.account, [&place], at(9)).await.unwrap();
    orders::write(tx, boris.book(), &[order("o1", "v1", at(0))], &places).await.unwrap();
    readings::complete(tx, boris.account, Subject::Orders, wholly(at(9))).await.unwrap();
}

/// The keys that rows refer by carry the tenant: what is another's is not there to be referred to.
async fn a_row_cannot_refer_to_what_is_anothers(store: &Store) {
    let (anna, filled, boris) = two(store).await;
    macro_rules! refused {
        ($call:expr) => {{
            let tx = boris.write().await;
            let result = $call(&tx).await;
            assert!(matches!(result, Err(storage::Error::MissingReference)), "{result:?}");
        }};
    }
    let new = NewSync {
        id: domain::ids::SyncId::generate(),
        account: anna.account,
        marketplace: WB,
        trigger: SyncTrigger::Manual,
        at: at(9),
    };
    refused!(async |tx: &WriteTx| syncs::insert(tx, new).await);
    let step = Step::beginning(Phase::Products, None, at(9));
    refused!(async |tx: &WriteTx| syncs::save_step(tx, filled.sync, &step).await);
    let (account, subject) = (anna.account, Subject::Products);
    refused!(async |tx: &WriteTx| readings::complete(tx, account, subject, wholly(at(9))).await);
    refused!(async |tx: &WriteTx| readings::note_drift(tx, account, subject, at(9)).await);
    let place = own("Чужой");
    refused!(async |tx: &WriteTx| warehouses::ensure(tx, account, [&place], at(9)).await.map(drop));
    let reader = Reader { account, marketplace: WB, pass: filled.sync.into(), at: at(9) };
    refused!(async |tx: &WriteTx| catalogue::write(tx, reader, &[card("p1", &[("v1", "", &[])])]).await);
    let book = anna.book();
    let lines = [order("o1", "v1", at(0))];
    refused!(async |tx: &WriteTx| orders::write(tx, book, &lines, &warehouses::Places::default()).await);
    let id = SessionId::generate();
    let strange = sessions::NewSession {
        id,
        user_id: anna.owner.user,
        user_agent: None,
        address: None,
        token_hash: "x".to_owned(),
        at: at(0),
        expires_at: at(60),
    };
    refused!(async |tx: &WriteTx| sessions::open(tx, &strange).await);
}
