//! The ledger: what changed, and in which order.

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    ids::ProductId,
    page::{Page, PageRequest},
    picture::{Cause, Movement, MovementFilter},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    prelude::DateTimeUtc,
};
use uuid::Uuid;

use crate::{
    codec,
    db::{TenantTx, WriteTx},
    entity::stock_movement,
    error::Error,
    keyset,
};

/// The ledger of a product, newest first.
pub async fn ledger<M>(
    tx: &TenantTx<M>,
    product: ProductId,
    filter: &MovementFilter,
    page: &PageRequest,
) -> Result<Page<Movement>, Error> {
    use stock_movement::Column;
    let list = name(product, filter);
    let mut query = stock_movement::Entity::find()
        .filter(Column::TenantId.eq(tx.tenant()))
        .filter(Column::ProductId.eq(product.as_uuid()));
    if let Some(id) = filter.variant_id {
        query = query.filter(Column::VariantId.eq(id.as_uuid()));
    }
    if let Some(id) = filter.warehouse_id {
        query = query.filter(Column::WarehouseId.eq(id.as_uuid()));
    }
    if let Some(cause) = filter.cause {
        query = query.filter(Column::Cause.eq(cause.name()));
    }
    // Ids begin with the moment, and the list is walked by id: what lies outside is not read at all.
    if let Some(from) = filter.from {
        query = query.filter(Column::At.gte(from)).filter(Column::Id.gte(first_id(from.timestamp_millis())));
    }
    if let Some(to) = filter.to {
        query = query.filter(Column::At.lt(to)).filter(Column::Id.lt(first_id(to.timestamp_millis() + 1)));
    }
    if let Some(before) = keyset::after::<Uuid>(&list, page)? {
        query = query.filter(Column::Id.lt(before));
    }
    let rows = query.order_by_desc(Column::Id).limit(page.limit + 1).all(tx.inner()).await?;
    keyset::page(
        &list,
        page,
        rows,
        |row| row.id,
        |row| {
            Ok(Movement {
                id: row.id.into(),
                at: row.at,
                variant_id: row.variant_id.into(),
                warehouse_id: row.warehouse_id.into(),
                from: row.before,
                to: row.after,
                cause: codec::word("cause", &row.cause)?,
                sync_id: row.sync_id.map(Into::into),
            })
        },
    )
}

/// The name of a ledger, for its cursors.
fn name(product: ProductId, filter: &MovementFilter) -> String {
    let MovementFilter { variant_id, warehouse_id, from, to, cause } = *filter;
    let ids = [Some(product.as_uuid()), variant_id.map(Into::into), warehouse_id.map(Into::into)];
    let ids = ids.map(|id: Option<Uuid>| id.map(|id| id.simple().to_string()).unwrap_or_default());
    let [from, to] = [from, to].map(|at| at.map(|at| at.timestamp_micros().to_string()).unwrap_or_default());
    format!("history:{}:{from}:{to}:{}", ids.join(":"), cause.map_or("", Cause::name))
}

/// Below the id of every movement of this millisecond since 1970, and above those of earlier ones.
fn first_id(milliseconds: i64) -> Uuid {
    Uuid::from_u128(u128::from(milliseconds.clamp(0, (1 << 48) - 1).unsigned_abs()) << 80)
}

/// The moment of the first movement, to the millisecond; none where nothing has been read.
pub(super) async fn begin<M>(tx: &TenantTx<M>) -> Result<Option<Timestamp>, Error> {
    edge(tx, "ASC").await
}

/// The moment of the movement with the lowest or the highest id.
async fn edge<M>(tx: &TenantTx<M>, order: &str) -> Result<Option<Timestamp>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        at: DateTimeUtc,
    }
    let sql = format!("SELECT at FROM stock_movement WHERE tenant_id = $1 ORDER BY id {order} LIMIT 1");
    Ok(tx.row::<Row>(&sql, [tx.tenant().into()]).await?.map(|row| row.at))
}

/// The moment at which a reading that ends now goes into the ledger: now, but after all that is there. Clocks of several
/// processes differ, and one that runs behind must not tell of a later reading as the earlier one. Ids of one
/// millisecond do not say which came first, so readings of the same levels never share one.
pub(super) async fn next_moment(tx: &WriteTx, now: Timestamp) -> Result<Timestamp, Error> {
    Ok(match edge(tx, "DESC").await? {
        Some(newest) if now.timestamp_millis() <= newest.timestamp_millis() => {
            let whole = Timestamp::from_timestamp_millis(newest.timestamp_millis()).unwrap_or(newest);
            whole + TimeDelta::milliseconds(1)
        }
        _ => now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_millisecond_lie_between_two_bounds() {
        let at = Timestamp::from_timestamp_millis(1_763_629_200_123).unwrap();
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_763_629_200, 123_000_000));
        assert!(first_id(at.timestamp_millis()) < id && id < first_id(at.timestamp_millis() + 1));
        assert_eq!(first_id(-5), Uuid::nil());
        assert!(first_id(i64::MAX) > id);
    }
}
