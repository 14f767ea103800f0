//! Reading the levels of today.

use domain::{
    clock::Timestamp,
    ids::{AccountId, ProductId, WarehouseId},
    page::{Page, PageRequest},
    picture::{Stock, StockFilter},
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::around::{Around, Place, Told};
use crate::{db::TenantTx, entity::stock_level, error::Error, keyset, readings::Ages};

/// The name of a list of stock rows, for its cursors: a cursor of other rows, or of another moment, is none of this.
pub(super) fn name(filter: &StockFilter, at: Option<Timestamp>) -> String {
    let StockFilter { account_id, product_id, warehouse_id } = *filter;
    let ids = [
        account_id.map(AccountId::as_uuid),
        product_id.map(ProductId::as_uuid),
        warehouse_id.map(WarehouseId::as_uuid),
    ];
    let ids = ids.map(|id| id.map(|id| id.simple().to_string()).unwrap_or_default());
    let at = at.map(|at| at.timestamp_micros().to_string()).unwrap_or_default();
    format!("stocks:{at}:{}", ids.join(":"))
}

/// Stock rows, variant by variant.
pub async fn list<M>(
    tx: &TenantTx<M>,
    filter: &StockFilter,
    page: &PageRequest,
    ages: &Ages,
) -> Result<Page<Stock>, Error> {
    use stock_level::Column;
    let list = name(filter, None);
    let measured_or_ordered =
        Condition::any().add(Column::Available.is_not_null()).add(Column::OrderedUnits.gt(0));
    let mut query =
        stock_level::Entity::find().filter(Column::TenantId.eq(tx.tenant())).filter(measured_or_ordered);
    if let Some(id) = filter.account_id {
        query = query.filter(Column::AccountId.eq(id.as_uuid()));
    }
    if let Some(id) = filter.product_id {
        query = query.filter(Column::ProductId.eq(id.as_uuid()));
    }
    if let Some(id) = filter.warehouse_id {
        query = query.filter(Column::WarehouseId.eq(id.as_uuid()));
    }
    if let Some((variant, warehouse)) = keyset::after::<(Uuid, Uuid)>(&list, page)? {
        let here = Expr::tuple([Expr::col(Column::VariantId), Expr::col(Column::WarehouseId)]);
        query = query.filter(here.gt(Expr::tuple([Expr::value(variant), Expr::value(warehouse)])));
    }
    let rows = query
        .order_by_asc(Column::VariantId)
        .order_by_asc(Column::WarehouseId)
        .limit(page.limit + 1)
        .all(tx.inner())
        .await?;
    let around = Around::load(tx, rows.iter().map(Place::from)).await?;
    keyset::page(
        &list,
        page,
        rows,
        |row| (row.variant_id, row.warehouse_id),
        |row| {
            let told = Told {
                available: row.available,
                reserved: row.reserved,
                on_hand: row.on_hand,
                ordered_units: row.ordered_units,
            };
            around.stock((&row).into(), told, |kind| ages.stock(row.account_id.into(), kind.side()))
        },
    )
}
