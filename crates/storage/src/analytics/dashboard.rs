//! The tenant at a glance.

use domain::{
    analytics::{Dashboard, DashboardSync, Population},
    tenant::LowStockRule,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::sums::sums;
use crate::{
    codec,
    db::TenantTx,
    entity::{product, sync_run},
    error::Error,
    products::low,
};

/// Sums over the active products of the tenant.
pub async fn dashboard<M>(tx: &TenantTx<M>, rule: LowStockRule) -> Result<Dashboard, Error> {
    let sums = sums(tx, Population::default()).await?;
    let low = product::Entity::find()
        .filter(product::Column::TenantId.eq(tx.tenant()))
        .filter(product::Column::Active.eq(true))
        .filter(low(rule))
        .count(tx.inner())
        .await?;
    Ok(Dashboard {
        total_products: sums.products,
        total_stock: sums.stock.unwrap_or(0),
        total_orders: sums.orders.unwrap_or(0),
        low_stock_count: i64::try_from(low).unwrap_or(i64::MAX),
        out_of_stock_count: sums.out,
        last_sync: last_sync(tx).await?,
    })
}

async fn last_sync<M>(tx: &TenantTx<M>) -> Result<Option<DashboardSync>, Error> {
    let row = sync_run::Entity::find()
        .filter(sync_run::Column::TenantId.eq(tx.tenant()))
        .filter(sync_run::Column::FinishedAt.is_not_null())
        .order_by_desc(sync_run::Column::FinishedAt)
        .order_by_desc(sync_run::Column::Id)
        .limit(1)
        .one(tx.inner())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let Some(finished_at) = row.finished_at else {
        return Ok(None);
    };
    Ok(Some(DashboardSync {
        id: row.id.into(),
        account_id: row.account_id.into(),
        state: codec::word("sync state", &row.state)?,
        finished_at,
    }))
}
