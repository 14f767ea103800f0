//! On PostgreSQL a narrow list reads about as many rows as it gives, whether the planner knows the company or not.

use domain::{
    picture::{ProductFilter, ProductSort, ProductStatus, SortOrder},
    tenant::LowStockRule,
};
use sea_orm::ConnectionTrait as _;
use storage::{PoolSettings, ReadTx, products};

use crate::{
    fixture::{Database, Member, Store, at},
    plans::{cost, crowded, is_cheap, page},
};

const RULE: LowStockRule = LowStockRule { units: 3, days_of_cover: None };

fn active() -> ProductFilter {
    ProductFilter { status: Some(ProductStatus::Active), ..ProductFilter::default() }
}

fn searched(text: &str) -> ProductFilter {
    ProductFilter { search: Some(text.to_owned()), ..active() }
}

/// The cost of a page by key, which is to give so many products.
async fn by_key(
    (store, member): (&Store, &Member),
    filter: ProductFilter,
    sort: ProductSort,
    gives: usize,
) -> (String, i64) {
    let tx = store.read(&member.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    let work = async |tx: &ReadTx| {
        let (order, page) = (SortOrder::Ascending, page(None));
        let found = products::list(tx, &filter, RULE, sort, order, &page, &freshness).await.unwrap();
        assert_eq!(found.items.len(), gives);
    };
    (format!("by key, {sort:?}, {filter:?}"), cost(store, member, work).await)
}

/// The cost of the first page by number of a list, which has so many products.
async fn by_number((store, member): (&Store, &Member), filter: ProductFilter, has: u64) -> (String, i64) {
    let tx = store.read(&member.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    let work = async |tx: &ReadTx| {
        let order = (ProductSort::Name, SortOrder::Ascending);
        let found = products::numbered(tx, &filter, RULE, order, (1, 20), &freshness).await.unwrap();
        assert_eq!(found.total, has);
    };
    (format!("by number, {filter:?}"), cost(store, member, work).await)
}

#[tokio::test]
async fn a_narrow_list_reads_about_what_it_gives() {
    let (store, member) = crowded().await;
    let there = (&store, &member);
    let of_stock = |least, most| ProductFilter { min_stock: least, max_stock: most, ..active() };
    let low = ProductFilter { low_stock_only: true, ..active() };
    let mut costs = Vec::new();
    for sort in ProductSort::ALL {
        costs.push(by_key(there, of_stock(Some(499), None), sort, 2).await);
        costs.push(by_key(there, low.clone(), sort, 6).await);
    }
    costs.push(
        by_key(there, ProductFilter { status: None, ..of_stock(Some(499), None) }, ProductSort::Name, 2)
            .await,
    );
    costs.push(by_key(there, of_stock(Some(0), None), ProductSort::Name, 20).await);
    costs.push(by_key(there, of_stock(None, Some(400)), ProductSort::TotalStock, 20).await);
    // One letter is in nearly every text, and nothing is looked for in vain before that is found.
    costs.push(by_key(there, searched("a"), ProductSort::Name, 20).await);
    costs.push(by_number(there, of_stock(Some(499), None), 2).await);
    // The digest of 7, which is its name.
    costs.push(by_number(there, searched("8f14e45fceea167a5a36dedd4bea2543"), 1).await);
    is_cheap(&costs);
}

/// PostgreSQL expects one product of a company that came after its last look at the tables. What is searched for must
/// still be found by its trigrams, not by going through the company.
#[tokio::test]
async fn a_text_of_a_new_company_is_found_by_its_trigrams() {
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
            "INSERT INTO product (tenant_id, id, account_id, marketplace, external_id, active, search_text, created_at, \
               updated_at) \
             SELECT '{id}', gen_random_uuid(), '{id}', 'wildberries', n::text, true, md5(n::text), now(), now() \
             FROM generate_series(1, 3000) n"
        ),
        "SELECT pg_stat_force_next_flush()".to_owned(),
    ] {
        filler.execute_unprepared(&sql).await.unwrap();
    }
    filler.close().await.unwrap();
    let (_, rows) = by_number((&store, &newcomer), searched("8f14e45fceea167a5a36dedd4bea2543"), 1).await;
    // The text, and a few rows beside it.
    assert!((1..300).contains(&rows), "{rows} rows");
}
