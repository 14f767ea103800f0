//! On PostgreSQL a page of a list reads about as many rows as it gives, however long the list. Told by the counters
//! of the server, after the repositories' own statements.

use std::time::{Duration, Instant};

use domain::{
    analytics::Population,
    page::{Cursor, Page, PageRequest},
    picture::{
        MovementFilter, OrderFilter, ProductFilter, ProductSort, ProductStatus, SortOrder, StockFilter,
    },
    tenant::LowStockRule,
};
use sea_orm::{ConnectionTrait as _, FromQueryResult};
use storage::{
    Db, PoolSettings, ReadTx, accounts, analytics, explain, orders, products, readings, stock, syncs,
};

use crate::fixture::{Database, Member, Store, at, moment};

/// A page of twenty, two rows from each joined table for each, and some to spare; a tenant has a thousand products.
const FEW: i64 = 300;

/// Twenty tenants with a thousand products each; the tenant to ask for.
pub(crate) async fn crowded() -> (Store, Member) {
    let store = Store::postgres().await;
    let mut members = Vec::new();
    for _ in 0..20 {
        members.push(store.tenant().await);
    }
    let Database::Postgres(database) = &store.database else { unreachable!("it is PostgreSQL") };
    let filler = PoolSettings::new(database.admin_url(), 1).open().await.unwrap();
    for sql in [
        "INSERT INTO marketplace_account SELECT id, id, 'wildberries', 'A', 'active', 's', 's', '[]', '', '', NULL, '[]', \
           NULL, NULL, NULL, now(), now() FROM tenant",
        "INSERT INTO account_schedule SELECT id, id, now() + interval '1 day', NULL FROM tenant",
        "INSERT INTO product (tenant_id, id, account_id, marketplace, external_id, name, active, search_text, \
           total_stock, ordered_units, cover_rank, created_at, updated_at) \
           SELECT t.id, gen_random_uuid(), t.id, 'wildberries', n::text, md5(n::text), true, md5(n::text), n % 500, \
           n % 7, n, now(), now() FROM tenant t, generate_series(1, 1000) n",
        "INSERT INTO variant (tenant_id, id, account_id, product_id, external_id, barcodes, active, first_seen_at) \
           SELECT tenant_id, id, account_id, id, external_id, '[]', true, now() FROM product",
        "INSERT INTO warehouse SELECT t.id, gen_random_uuid(), t.id, 'marketplace', n::text, n::text, now() \
           FROM tenant t, generate_series(1, 5) n",
        "INSERT INTO stock_level (tenant_id, variant_id, warehouse_id, account_id, product_id, available) \
           SELECT v.tenant_id, v.id, w.id, v.account_id, v.product_id, 5 FROM variant v JOIN warehouse w USING (tenant_id)",
        "INSERT INTO stock_movement SELECT tenant_id, gen_random_uuid(), account_id, product_id, variant_id, \
           warehouse_id, now(), NULL, 5, 'sync', NULL FROM stock_level",
        "INSERT INTO order_line (tenant_id, id, account_id, marketplace, external_id, product_id, variant_id, quantity, \
           price_minor, currency, ordered_at, ordered_on, changed_at, status) \
           SELECT tenant_id, gen_random_uuid(), account_id, 'wildberries', external_id, id, id, 1, 100, 'RUB', \
           now() - external_id::int * interval '1 minute', current_date, now(), 'ordered' FROM product",
        "INSERT INTO sync_run (tenant_id, id, account_id, marketplace, state, cause, requested_at, finished_at) \
           SELECT t.id, gen_random_uuid(), t.id, 'wildberries', 'completed', 'schedule', now(), \
           now() - n * interval '1 minute' FROM tenant t, generate_series(1, 1000) n",
        "ANALYZE",
        // What this session has read it tells now, and not in the middle of a count.
        "SELECT pg_stat_force_next_flush()",
    ] {
        filler.execute_unprepared(sql).await.unwrap();
    }
    filler.close().await.unwrap();
    let seventh = members.swap_remove(7);
    (store, seventh)
}

/// Rows read from tables so far, by sessions that have ended.
async fn rows_read(store: &Store) -> i64 {
    let sql =
        "SELECT CAST(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS bigint) AS n FROM pg_stat_user_tables";
    store.number(sql, []).await
}

const SESSIONS: &str =
    "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND usename = 'st_app'";

/// Ends a session of the application, which then tells what it has read.
async fn leave(store: &Store, db: Db, others: i64) {
    db.close().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while store.number(SESSIONS, []).await > others {
        assert!(Instant::now() < deadline, "a session does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How many rows some reading within a tenant takes from tables.
pub(crate) async fn cost(store: &Store, member: &Member, work: impl AsyncFnOnce(&ReadTx)) -> i64 {
    let (before, others) = (rows_read(store).await, store.number(SESSIONS, []).await);
    let db = Db::connect(&PoolSettings::new(&store.url, 1)).await.unwrap();
    let tx = db.read(&member.scope).await.unwrap();
    work(&tx).await;
    tx.commit().await.unwrap();
    leave(store, db, others).await;
    rows_read(store).await - before
}

pub(crate) fn page(cursor: Option<Cursor>) -> PageRequest {
    PageRequest { limit: 20, cursor }
}

/// A page in the middle of a list: what `list` gives after half of it.
async fn middle<T>(list: impl AsyncFn(PageRequest) -> Page<T>) -> PageRequest {
    let half = list(PageRequest { limit: 500, cursor: None }).await;
    page(Some(half.next.expect("the list goes on")))
}

/// No work reads more than a few rows.
pub(crate) fn is_cheap(costs: &[(String, i64)]) {
    let dear: Vec<_> = costs.iter().filter(|(_, rows)| *rows >= FEW).collect();
    assert!(dear.is_empty(), "{dear:#?}");
    assert!(costs.iter().any(|(_, rows)| *rows >= 20), "the server counts: {costs:?}");
}

#[tokio::test]
async fn a_page_reads_about_what_it_gives() {
    let (store, member) = crowded().await;
    let tx = store.read(&member.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let account = accounts::all(&tx).await.unwrap().remove(0).id;
    let rule = LowStockRule::default();
    let active = ProductFilter { status: Some(ProductStatus::Active), ..ProductFilter::default() };
    let (stocks, lines) = (StockFilter::default(), OrderFilter::default());

    let mut costs: Vec<(String, i64)> = Vec::new();
    let list_products = async |tx: &ReadTx, sort, order, page: &PageRequest| {
        products::list(tx, &active, rule, sort, order, page, &freshness).await.unwrap()
    };
    for sort in ProductSort::ALL {
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            let page = middle(async |page| list_products(&tx, sort, order, &page).await).await;
            let work =
                async |tx: &ReadTx| assert_eq!(list_products(tx, sort, order, &page).await.items.len(), 20);
            costs.push((format!("products by {sort:?} {order:?}"), cost(&store, &member, work).await));
        }
    }
    let product = list_products(&tx, ProductSort::Name, SortOrder::Ascending, &page(None)).await.items[0].id;

    for filter in [
        lines.clone(),
        OrderFilter { account_id: Some(account), ..lines.clone() },
        OrderFilter { product_id: Some(product), ..lines.clone() },
    ] {
        let list = async |tx: &ReadTx, page: PageRequest| orders::list(tx, &filter, &page).await.unwrap();
        let page = if filter.product_id.is_some() {
            page(None)
        } else {
            middle(async |page| list(&tx, page).await).await
        };
        let work = async |tx: &ReadTx| assert!(!list(tx, page).await.items.is_empty());
        costs.push((format!("orders {filter:?}"), cost(&store, &member, work).await));
    }
    for filter in [
        stocks.clone(),
        StockFilter { account_id: Some(account), ..stocks.clone() },
        StockFilter { product_id: Some(product), ..stocks.clone() },
    ] {
        let list = async |tx: &ReadTx, page: PageRequest| {
            stock::list(tx, &filter, &page, &freshness.ages).await.unwrap()
        };
        let page = if filter.product_id.is_some() {
            page(None)
        } else {
            middle(async |page| list(&tx, page).await).await
        };
        let work = async |tx: &ReadTx| assert!(!list(tx, page).await.items.is_empty());
        costs.push((format!("stock {filter:?}"), cost(&store, &member, work).await));
    }
    // The movements are of the moment in which the database was filled, by its clock.
    let then = moment("2100-01-01T00:00:00Z");
    for filter in [
        stocks.clone(),
        StockFilter { account_id: Some(account), ..stocks.clone() },
        StockFilter { product_id: Some(product), ..stocks.clone() },
    ] {
        let list =
            async |tx: &ReadTx, page: PageRequest| stock::as_of(tx, &filter, then, &page).await.unwrap();
        let page = if filter.product_id.is_some() {
            page(None)
        } else {
            middle(async |page| list(&tx, page).await).await
        };
        let work = async |tx: &ReadTx| assert!(!list(tx, page).await.items.is_empty());
        costs.push((format!("stock as of a moment {filter:?}"), cost(&store, &member, work).await));
    }
    let work = async |tx: &ReadTx| drop(explain::evidence(tx, product, then).await.unwrap().unwrap());
    costs.push(("an explanation".to_owned(), cost(&store, &member, work).await));
    for account in [None, Some(account)] {
        let list =
            async |tx: &ReadTx, page: PageRequest| syncs::list(tx, account, None, &page).await.unwrap();
        let page = middle(async |page| list(&tx, page).await).await;
        let work = async |tx: &ReadTx| assert_eq!(list(tx, page).await.items.len(), 20);
        costs.push((format!("syncs of {account:?}"), cost(&store, &member, work).await));
    }
    let work = async |tx: &ReadTx| drop(products::get(tx, product, &freshness).await.unwrap().unwrap());
    costs.push(("a product".to_owned(), cost(&store, &member, work).await));
    let work = async |tx: &ReadTx| {
        drop(stock::ledger(tx, product, &MovementFilter::default(), &page(None)).await.unwrap());
    };
    costs.push(("its ledger".to_owned(), cost(&store, &member, work).await));
    let work = async |tx: &ReadTx| drop(orders::currency(tx, account).await.unwrap().unwrap());
    costs.push(("the currency".to_owned(), cost(&store, &member, work).await));
    let work = async |tx: &ReadTx| drop(readings::ages(tx).await.unwrap());
    costs.push(("ages".to_owned(), cost(&store, &member, work).await));
    tx.commit().await.unwrap();

    is_cheap(&costs);
}

#[tokio::test]
async fn a_ranking_reads_about_what_it_gives() {
    let (store, member) = crowded().await;
    let tx = store.read(&member.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    tx.commit().await.unwrap();

    let mut costs: Vec<(String, i64)> = Vec::new();
    let everything = Population::default();
    let work = async |tx: &ReadTx| {
        let (page, units) = (page(None), LowStockRule { units: 4, days_of_cover: None });
        let low = analytics::low_stock(tx, everything, units, true, &page, &freshness).await.unwrap();
        assert_eq!(low.products.items.len(), 8);
    };
    costs.push(("low stock".to_owned(), cost(&store, &member, work).await));
    let work = async |tx: &ReadTx| {
        let top = analytics::top_products(tx, everything, &page(None), &freshness).await.unwrap();
        assert_eq!(top.items.len(), 20);
    };
    costs.push(("top products".to_owned(), cost(&store, &member, work).await));
    is_cheap(&costs);
}

/// PostgreSQL has no figures yet of a tenant that came after its last look at the tables, and expects one row of each.
/// What is summed up must still be read once, not once for every row of something else.
#[tokio::test]
async fn sums_of_a_new_company_read_each_row_about_once() {
    let (store, _) = crowded().await;
    let newcomer = store.tenant().await;
    let Database::Postgres(database) = &store.database else { unreachable!("it is PostgreSQL") };
    let filler = PoolSettings::new(database.admin_url(), 1).open().await.unwrap();
    let id = newcomer.id;
    for sql in [
        format!(
            "INSERT INTO marketplace_account (tenant_id, id, marketplace, name, state, seller_external_id, seller_name, \
               capabilities, credential_sealed, credential_masked, credential_scopes, created_at, updated_at) \
             VALUES ('{id}', '{id}', 'wildberries', 'A', 'active', 's', 's', '[]', '', '', '[]', now(), now())"
        ),
        format!(
            "INSERT INTO product (tenant_id, id, account_id, marketplace, external_id, active, search_text, fbo_stock, \
               total_stock, created_at, updated_at) \
             SELECT '{id}', gen_random_uuid(), '{id}', 'wildberries', n::text, true, '', 5, 5, now(), now() \
             FROM generate_series(1, 400) n"
        ),
        format!(
            "INSERT INTO variant (tenant_id, id, account_id, product_id, external_id, barcodes, active, first_seen_at, \
               fbo_stock) \
             SELECT tenant_id, id, account_id, id, external_id, '[]', true, now(), 5 FROM product \
             WHERE tenant_id = '{id}'"
        ),
        format!(
            "INSERT INTO warehouse VALUES ('{id}', gen_random_uuid(), '{id}', 'marketplace', 'A', 'A', now())"
        ),
        format!(
            "INSERT INTO stock_level (tenant_id, variant_id, warehouse_id, account_id, product_id, available) \
             SELECT v.tenant_id, v.id, w.id, v.account_id, v.product_id, 5 \
             FROM variant v JOIN warehouse w USING (tenant_id) WHERE tenant_id = '{id}'"
        ),
        "SELECT pg_stat_force_next_flush()".to_owned(),
    ] {
        filler.execute_unprepared(&sql).await.unwrap();
    }
    filler.close().await.unwrap();
    let everything = async |tx: &ReadTx| {
        let ages = readings::ages(tx).await.unwrap();
        let places = analytics::warehouses(tx, Population::default(), &page(None), &ages).await.unwrap();
        assert_eq!(places.items[0].total_stock, Some(2_000));
    };
    // Four hundred products, variants and levels each, and the other tenants' at most about once; what an index alone
    // tells is not counted.
    let rows = cost(&store, &newcomer, everything).await;
    let all = store.number("SELECT count(*) AS n FROM stock_level", []).await;
    assert!((400..2 * all).contains(&rows), "{rows} rows of {all}");
}

/// An account goes with everything read from it: each row that refers to a row must be found by an index.
#[tokio::test]
async fn what_refers_to_a_row_is_found_by_an_index() {
    #[derive(FromQueryResult)]
    struct Key {
        name: String,
    }
    let store = Store::postgres().await;
    // Foreign keys whose columns no index begins with, in any order. Nothing removes tenants in a hurry.
    let sql = "SELECT c.conrelid::regclass || ' ' || c.conname AS name FROM pg_constraint c \
               WHERE c.contype = 'f' AND c.confrelid <> 'tenant'::regclass AND NOT EXISTS ( \
                 SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL \
                   AND (SELECT array_agg(k ORDER BY k) FROM unnest((i.indkey::int2[])[0:array_length(c.conkey, 1) - 1]) k) \
                     = (SELECT array_agg(k ORDER BY k) FROM unnest(c.conkey) k)) ORDER BY 1";
    let bare: Vec<String> = store.rows::<Key>(sql, []).await.into_iter().map(|key| key.name).collect();
    assert_eq!(bare, Vec::<String>::new());
}
