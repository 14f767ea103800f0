//! One product with everything known of it.

use domain::{
    figures::Figures,
    ids::{AccountId, ProductId},
    marketplace::{MarketplaceCode, WarehouseKind},
    picture::{Product, ProductDetail, ProductWarehouse, Variant},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, FromQueryResult, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use uuid::Uuid;

use super::{Freshness, is_incomplete, list::product};
use crate::{
    codec,
    db::TenantTx,
    entity::{product, variant},
    error::Error,
};

/// One product with everything known of it.
pub async fn get<M>(
    tx: &TenantTx<M>,
    id: ProductId,
    freshness: &Freshness,
) -> Result<Option<ProductDetail>, Error> {
    let Some(product) = find(tx, id, freshness).await? else { return Ok(None) };
    let variants = variant::Entity::find()
        .filter(variant::Column::TenantId.eq(tx.tenant()))
        .filter(variant::Column::ProductId.eq(id.as_uuid()))
        .order_by_asc(variant::Column::Id)
        .all(tx.inner())
        .await?
        .into_iter()
        .map(|row| self::variant(row, product.marketplace, freshness))
        .collect::<Result<_, _>>()?;
    let warehouses = warehouses_of(tx, product.account_id, id, freshness).await?;
    Ok(Some(ProductDetail { product, variants, warehouses, marketplace_total: None }))
}

/// One product as lists show it.
pub async fn find<M>(
    tx: &TenantTx<M>,
    id: ProductId,
    freshness: &Freshness,
) -> Result<Option<Product>, Error> {
    let row = product::Entity::find_by_id((tx.tenant(), id.as_uuid())).one(tx.inner()).await?;
    row.map(|row| product(row, freshness)).transpose()
}

fn variant(
    row: variant::Model,
    marketplace: MarketplaceCode,
    freshness: &Freshness,
) -> Result<Variant, Error> {
    let (as_of, stale) = freshness.of(row.account_id.into(), row.fbo_stock, row.fbs_stock);
    Ok(Variant {
        id: row.id.into(),
        external_id: row.external_id,
        sku: row.sku,
        barcodes: codec::from_json("barcodes", &row.barcodes)?,
        name: row.name,
        figures: Figures {
            fbo_stock: row.fbo_stock,
            fbs_stock: row.fbs_stock,
            incomplete: is_incomplete(marketplace, row.fbo_stock, row.fbs_stock),
            in_transit_to_customer: row.in_transit_to_customer,
            in_transit_returns: row.in_transit_returns,
            ordered_units: row.ordered_units,
            cancelled_units: row.cancelled_units,
            ordered_today: row.ordered_today,
            revenue: codec::money(row.revenue_minor, row.currency.as_deref())?,
            as_of,
            stale,
        },
    })
}

async fn warehouses_of<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    id: ProductId,
    freshness: &Freshness,
) -> Result<Vec<ProductWarehouse>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        external_id: Option<String>,
        name: String,
        kind: String,
        available: Option<i64>,
        reserved: Option<i64>,
        on_hand: Option<i64>,
        ordered_units: Option<i64>,
    }
    let sql = "SELECT w.id, w.external_id, w.name, w.kind, CAST(SUM(l.available) AS BIGINT) AS available, \
               CAST(SUM(l.reserved) AS BIGINT) AS reserved, CAST(SUM(l.on_hand) AS BIGINT) AS on_hand, \
               CAST(SUM(l.ordered_units) AS BIGINT) AS ordered_units \
               FROM stock_level l JOIN warehouse w ON w.tenant_id = l.tenant_id AND w.id = l.warehouse_id \
               WHERE l.tenant_id = $1 AND l.product_id = $2 AND (l.available IS NOT NULL OR l.ordered_units > 0) \
               GROUP BY w.id, w.external_id, w.name, w.kind ORDER BY w.name, w.id";
    let rows = tx.rows::<Row>(sql, [tx.tenant().into(), id.as_uuid().into()]).await?;
    rows.into_iter()
        .map(|row| {
            let kind: WarehouseKind = codec::word("kind of warehouse", &row.kind)?;
            Ok(ProductWarehouse {
                warehouse_id: row.id.into(),
                external_id: row.external_id,
                name: row.name,
                kind,
                available: row.available,
                reserved: row.reserved,
                on_hand: row.on_hand,
                ordered_units: row.ordered_units,
                as_of: row.available.and_then(|_| freshness.ages.stock(account, kind.side())),
            })
        })
        .collect()
}

/// Whether the tenant has this product.
pub async fn exists<M>(tx: &TenantTx<M>, id: ProductId) -> Result<bool, Error> {
    let found = product::Entity::find_by_id((tx.tenant(), id.as_uuid())).count(tx.inner()).await?;
    Ok(found > 0)
}
