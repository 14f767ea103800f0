//! Where the products of a list lie: for tables that have a column for each warehouse.

use std::collections::HashMap;

use domain::{
    ids::ProductId,
    marketplace::WarehouseKind,
    picture::{ProductFilter, ProductWarehouse, Warehouse},
    tenant::LowStockRule,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, FromQueryResult, QueryFilter as _, QuerySelect as _,
    QueryTrait as _,
};
use uuid::Uuid;

use super::{Freshness, filter::filtered};
use crate::{
    codec,
    db::TenantTx,
    entity::{product, stock_level, warehouse},
    error::Error,
};

/// The warehouses in which products of a filter have stock or orders, by account, kind and name. Their figures are
/// not read: they are of all products.
pub async fn warehouses<M>(
    tx: &TenantTx<M>,
    filter: &ProductFilter,
    rule: LowStockRule,
) -> Result<Vec<Warehouse>, Error> {
    let products = filtered(tx, filter, rule).select_only().column(product::Column::Id).into_query();
    let mut there = stock_level::Entity::find()
        .select_only()
        .column(stock_level::Column::WarehouseId)
        .filter(stock_level::Column::TenantId.eq(tx.tenant()))
        .filter(is_told())
        .filter(stock_level::Column::ProductId.in_subquery(products));
    if let Some(id) = filter.warehouse_id {
        there = there.filter(stock_level::Column::WarehouseId.eq(id.as_uuid()));
    }
    let rows = warehouse::Entity::find()
        .filter(warehouse::Column::TenantId.eq(tx.tenant()))
        .filter(warehouse::Column::Id.in_subquery(there.into_query()))
        .all(tx.inner())
        .await?;
    let marketplaces: HashMap<_, _> = crate::accounts::all(tx)
        .await?
        .into_iter()
        .map(|account| (account.id, account.marketplace))
        .collect();
    let mut found = rows
        .into_iter()
        .map(|row| {
            let account_id = row.account_id.into();
            let marketplace = marketplaces.get(&account_id).copied();
            Ok(Warehouse {
                id: row.id.into(),
                account_id,
                marketplace: marketplace
                    .ok_or_else(|| Error::damaged("warehouse", &"its account is not there"))?,
                external_id: row.external_id,
                name: row.name,
                kind: codec::word("kind of warehouse", &row.kind)?,
                total_stock: None,
                ordered_units: None,
                product_count: 0,
                as_of: None,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    found.sort_by(|a, b| (a.account_id, a.kind, &a.name, a.id).cmp(&(b.account_id, b.kind, &b.name, b.id)));
    Ok(found)
}

/// What some products have in each warehouse, by product.
pub async fn by_warehouse<M>(
    tx: &TenantTx<M>,
    products: &[ProductId],
    freshness: &Freshness,
) -> Result<HashMap<ProductId, Vec<ProductWarehouse>>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        product_id: Uuid,
        account_id: Uuid,
        warehouse_id: Uuid,
        external_id: Option<String>,
        name: String,
        kind: String,
        available: Option<i64>,
        reserved: Option<i64>,
        on_hand: Option<i64>,
        ordered_units: Option<i64>,
    }
    if products.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<String> = (2..).take(products.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "SELECT s.*, w.external_id, w.name, w.kind FROM ( \
           SELECT l.product_id, l.account_id, l.warehouse_id, CAST(SUM(l.available) AS BIGINT) AS available, \
             CAST(SUM(l.reserved) AS BIGINT) AS reserved, CAST(SUM(l.on_hand) AS BIGINT) AS on_hand, \
             CAST(SUM(l.ordered_units) AS BIGINT) AS ordered_units \
           FROM stock_level l \
           WHERE l.tenant_id = $1 AND l.product_id IN ({}) AND (l.available IS NOT NULL OR l.ordered_units > 0) \
           GROUP BY l.product_id, l.account_id, l.warehouse_id) s \
         JOIN warehouse w ON w.tenant_id = $1 AND w.id = s.warehouse_id",
        names.join(", ")
    );
    let mut values = vec![tx.tenant().into()];
    values.extend(products.iter().map(|id| id.as_uuid().into()));
    let mut found: HashMap<ProductId, Vec<ProductWarehouse>> = HashMap::new();
    for row in tx.rows::<Row>(&sql, values).await? {
        let kind: WarehouseKind = codec::word("kind of warehouse", &row.kind)?;
        let age = freshness.ages.stock(row.account_id.into(), kind.side());
        found.entry(row.product_id.into()).or_default().push(ProductWarehouse {
            warehouse_id: row.warehouse_id.into(),
            external_id: row.external_id,
            name: row.name,
            kind,
            available: row.available,
            reserved: row.reserved,
            on_hand: row.on_hand,
            ordered_units: row.ordered_units,
            as_of: row.available.and(age),
        });
    }
    Ok(found)
}

/// Levels that tell something: of stock that was measured, or of orders.
fn is_told() -> sea_orm::sea_query::SimpleExpr {
    stock_level::Column::Available.is_not_null().or(stock_level::Column::OrderedUnits.gt(0))
}
