//! Reading order lines.

use std::collections::{HashMap, HashSet};

use domain::{
    ids::AccountId,
    page::{Page, PageRequest},
    picture::{OrderFilter, OrderLine},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    prelude::DateTimeUtc, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    codec,
    db::TenantTx,
    entity::{order_line, warehouse},
    error::Error,
    keyset,
};

/// The currency of an account's latest priced order line.
pub async fn currency<M>(tx: &TenantTx<M>, account: AccountId) -> Result<Option<String>, Error> {
    let row = order_line::Entity::find()
        .filter(order_line::Column::TenantId.eq(tx.tenant()))
        .filter(order_line::Column::AccountId.eq(account.as_uuid()))
        .filter(order_line::Column::Currency.is_not_null())
        .order_by_desc(order_line::Column::OrderedAt)
        .order_by_desc(order_line::Column::Id)
        .limit(1)
        .one(tx.inner())
        .await?;
    Ok(row.and_then(|row| row.currency))
}

const LIST: &str = "orders";

/// Order lines, newest first.
pub async fn list<M>(
    tx: &TenantTx<M>,
    filter: &OrderFilter,
    page: &PageRequest,
) -> Result<Page<OrderLine>, Error> {
    use order_line::Column;
    let mut query = order_line::Entity::find().filter(Column::TenantId.eq(tx.tenant()));
    if let Some(id) = filter.account_id {
        query = query.filter(Column::AccountId.eq(id.as_uuid()));
    }
    if let Some(id) = filter.product_id {
        query = query.filter(Column::ProductId.eq(id.as_uuid()));
    }
    if let Some(from) = filter.from {
        query = query.filter(Column::OrderedAt.gte(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(Column::OrderedAt.lt(to));
    }
    if let Some(status) = &filter.status {
        query = query.filter(Column::Status.eq(status.as_str()));
    }
    if let Some((at, id)) = keyset::after::<(DateTimeUtc, Uuid)>(LIST, page)? {
        let here = Expr::tuple([Expr::col(Column::OrderedAt), Expr::col(Column::Id)]);
        query = query.filter(here.lt(Expr::tuple([Expr::value(at), Expr::value(id)])));
    }
    let rows = query
        .order_by_desc(Column::OrderedAt)
        .order_by_desc(Column::Id)
        .limit(page.limit + 1)
        .all(tx.inner())
        .await?;
    let places: HashMap<Uuid, String> = warehouse::Entity::find()
        .filter(warehouse::Column::TenantId.eq(tx.tenant()))
        .filter(
            warehouse::Column::Id.is_in(rows.iter().filter_map(|r| r.warehouse_id).collect::<HashSet<_>>()),
        )
        .all(tx.inner())
        .await?
        .into_iter()
        .map(|w| (w.id, w.name))
        .collect();
    keyset::page(
        LIST,
        page,
        rows,
        |row| (row.ordered_at, row.id),
        |row| {
            let currency = row.currency.as_deref();
            Ok(OrderLine {
                id: row.id.into(),
                account_id: row.account_id.into(),
                marketplace: codec::marketplace(&row.marketplace)?,
                price: codec::money(row.price_minor, currency)?,
                list_price: codec::money(row.list_price_minor, currency)?,
                paid_price: codec::money(row.paid_price_minor, currency)?,
                external_id: row.external_id,
                basket_id: row.basket_id,
                variant_id: row.variant_id.map(Into::into),
                external_variant_id: row.variant_external_id,
                warehouse_name: row.warehouse_id.and_then(|id| places.get(&id).cloned()),
                warehouse_id: row.warehouse_id.map(Into::into),
                quantity: row.quantity,
                ordered_at: row.ordered_at,
                changed_at: row.changed_at,
                cancelled_at: row.cancelled_at,
                status: row.status,
            })
        },
    )
}
