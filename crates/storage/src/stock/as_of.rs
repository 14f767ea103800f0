//! Stock as it was at a moment, from the ledger.

use std::fmt::Write as _;

use domain::{
    clock::Timestamp,
    ids::{AccountId, ProductId, WarehouseId},
    page::{Page, PageRequest},
    picture::{Stock, StockFilter},
};
use sea_orm::{FromQueryResult, Value, prelude::DateTimeUtc};
use uuid::Uuid;

use super::{
    around::{Around, Place, Told},
    ledger, list,
};
use crate::{db::TenantTx, error::Error, keyset};

/// A column of the last movement of a level `l` until the moment `$2`. Of movements of one moment the one with the
/// highest id is the last; asked for in two steps, so that the index by moment answers without reading the ones before.
/// The order is by an expression: by the bare id, SQLite would walk the key, which is the whole ledger.
fn last(column: &str) -> String {
    let of_level = |m| {
        format!(
            "{m}.tenant_id = l.tenant_id AND {m}.variant_id = l.variant_id AND {m}.warehouse_id = l.warehouse_id"
        )
    };
    format!(
        "(SELECT m.{column} FROM stock_movement m WHERE {of_m} AND m.at = ( \
            SELECT x.at FROM stock_movement x WHERE {of_x} AND x.at <= $2 ORDER BY x.at DESC LIMIT 1) \
          ORDER BY COALESCE(m.id, m.id) DESC LIMIT 1)",
        of_m = of_level("m"),
        of_x = of_level("x"),
    )
}

/// Stock rows as they were at a moment, variant by variant: what each level was after its last movement until then, and
/// when that was. What had not been measured by then, or was not counted any more, has no row. What the ledger does
/// not hold is unknown: reserved units, units on the shelf, orders.
pub async fn as_of<M>(
    tx: &TenantTx<M>,
    filter: &StockFilter,
    at: Timestamp,
    page: &PageRequest,
) -> Result<Page<Stock>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        #[sea_orm(nested)]
        place: Place,
        available: Option<i64>,
        moved_at: Option<DateTimeUtc>,
    }
    let list = list::name(filter, Some(at));
    let after = keyset::after::<(Uuid, Uuid)>(&list, page)?;
    // Before the ledger began there is nothing, and every level would be looked up to find that.
    if ledger::begin(tx).await?.is_none_or(|begin| at.timestamp_millis() < begin.timestamp_millis()) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let mut values: Vec<Value> = vec![tx.tenant().into(), at.into()];
    let mut wanted = String::new();
    for (column, id) in [
        ("account_id", filter.account_id.map(AccountId::as_uuid)),
        ("product_id", filter.product_id.map(ProductId::as_uuid)),
        ("warehouse_id", filter.warehouse_id.map(WarehouseId::as_uuid)),
    ] {
        if let Some(id) = id {
            values.push(id.into());
            let _written = write!(wanted, " AND l.{column} = ${}", values.len());
        }
    }
    if let Some((variant, warehouse)) = after {
        values.extend([variant.into(), warehouse.into()]);
        let (v, w) = (values.len() - 1, values.len());
        let _written = write!(wanted, " AND (l.variant_id, l.warehouse_id) > (${v}, ${w})");
    }
    values.push(i64::try_from(page.limit + 1).unwrap_or(i64::MAX).into());
    // Every level that has a movement has its row among those of today, so these are walked by key, and each is looked up.
    let sql = format!(
        "SELECT l.variant_id, l.warehouse_id, l.account_id, l.product_id, {after} AS available, {moved_at} AS moved_at \
         FROM stock_level l WHERE l.tenant_id = $1{wanted} AND {after} IS NOT NULL \
         ORDER BY l.variant_id, l.warehouse_id LIMIT ${limit}",
        after = last("after"),
        moved_at = last("at"),
        limit = values.len(),
    );
    let rows = tx.rows::<Row>(&sql, values).await?;
    let around = Around::load(tx, rows.iter().map(|row| row.place)).await?;
    keyset::page(
        &list,
        page,
        rows,
        |row| (row.place.variant_id, row.place.warehouse_id),
        |row| {
            let told = Told { available: row.available, ..Told::default() };
            around.stock(row.place, told, |_| row.moved_at)
        },
    )
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
    use test_support::database::TestDatabase;

    use super::*;
    use crate::PoolSettings;

    #[tokio::test]
    async fn sqlite_looks_a_level_up_without_walking_the_ledger() {
        let database = TestDatabase::sqlite().await;
        let pool = PoolSettings::new(database.url(), 1).open().await.unwrap();
        let sql =
            format!("EXPLAIN QUERY PLAN SELECT {} FROM stock_level l WHERE l.tenant_id = $1", last("after"));
        let values = [Uuid::nil().into(), Timestamp::UNIX_EPOCH.into()];
        let plan = pool.query_all_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)).await;
        let plan: Vec<String> = plan.unwrap().iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        for table in ["m", "x"] {
            let way = plan.iter().find(|step| step.starts_with(&format!("SEARCH {table} ")));
            let by_moment = |step: &&String| {
                step.contains(
                    "stock_movement_by_level (tenant_id=? AND variant_id=? AND warehouse_id=? AND at",
                )
            };
            assert!(way.is_some_and(|step| by_moment(&step)), "{plan:#?}");
        }
    }
}
