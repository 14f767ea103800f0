//! Reading stock rows and the ledger.

use std::collections::{HashMap, HashSet};

use domain::{
    ids::ProductId,
    marketplace::WarehouseKind,
    page::{Page, PageRequest},
    picture::{Movement, Stock, StockFilter},
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    codec,
    db::TenantTx,
    entity::{product, stock_level, stock_movement, variant, warehouse},
    error::Error,
    keyset,
    readings::Ages,
};

const LIST: &str = "stocks";

/// Stock rows, variant by variant.
pub async fn list<M>(
    tx: &TenantTx<M>,
    filter: &StockFilter,
    page: &PageRequest,
    ages: &Ages,
) -> Result<Page<Stock>, Error> {
    use stock_level::Column;
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
    if let Some((variant, warehouse)) = keyset::after::<(Uuid, Uuid)>(LIST, page)? {
        let here = Expr::tuple([Expr::col(Column::VariantId), Expr::col(Column::WarehouseId)]);
        query = query.filter(here.gt(Expr::tuple([Expr::value(variant), Expr::value(warehouse)])));
    }
    let rows = query
        .order_by_asc(Column::VariantId)
        .order_by_asc(Column::WarehouseId)
        .limit(page.limit + 1)
        .all(tx.inner())
        .await?;
    let around = Around::load(tx, &rows).await?;
    keyset::page(LIST, page, rows, |row| (row.variant_id, row.warehouse_id), |row| around.stock(&row, ages))
}

/// What stock rows belong to. Not joined: a planner that expects few rows of a tenant would read all of them for a
/// page.
struct Around {
    products: HashMap<Uuid, product::Model>,
    variants: HashMap<Uuid, variant::Model>,
    warehouses: HashMap<Uuid, warehouse::Model>,
}

impl Around {
    async fn load<M>(tx: &TenantTx<M>, rows: &[stock_level::Model]) -> Result<Self, Error> {
        let ids = |id: fn(&stock_level::Model) -> Uuid| rows.iter().map(id).collect::<HashSet<Uuid>>();
        let products = product::Entity::find()
            .filter(product::Column::TenantId.eq(tx.tenant()))
            .filter(product::Column::Id.is_in(ids(|row| row.product_id)))
            .all(tx.inner())
            .await?;
        let variants = variant::Entity::find()
            .filter(variant::Column::TenantId.eq(tx.tenant()))
            .filter(variant::Column::Id.is_in(ids(|row| row.variant_id)))
            .all(tx.inner())
            .await?;
        let warehouses = warehouse::Entity::find()
            .filter(warehouse::Column::TenantId.eq(tx.tenant()))
            .filter(warehouse::Column::Id.is_in(ids(|row| row.warehouse_id)))
            .all(tx.inner())
            .await?;
        Ok(Self {
            products: products.into_iter().map(|row| (row.id, row)).collect(),
            variants: variants.into_iter().map(|row| (row.id, row)).collect(),
            warehouses: warehouses.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    fn stock(&self, row: &stock_level::Model, ages: &Ages) -> Result<Stock, Error> {
        let (Some(product), Some(variant), Some(warehouse)) = (
            self.products.get(&row.product_id),
            self.variants.get(&row.variant_id),
            self.warehouses.get(&row.warehouse_id),
        ) else {
            return Err(Error::damaged("stock level", &"what it belongs to is not there"));
        };
        let account_id = row.account_id.into();
        let kind: WarehouseKind = codec::word("kind of warehouse", &warehouse.kind)?;
        Ok(Stock {
            account_id,
            marketplace: codec::marketplace(&product.marketplace)?,
            product_id: row.product_id.into(),
            variant_id: row.variant_id.into(),
            external_product_id: product.external_id.clone(),
            external_variant_id: variant.external_id.clone(),
            seller_article: codec::non_empty(product.seller_article.clone()),
            sku: variant.sku.clone(),
            name: codec::non_empty(product.name.clone()),
            warehouse_id: row.warehouse_id.into(),
            warehouse_external_id: warehouse.external_id.clone(),
            warehouse_name: warehouse.name.clone(),
            warehouse_kind: kind,
            available: row.available,
            reserved: row.reserved,
            on_hand: row.on_hand,
            ordered_units: row.ordered_units,
            as_of: row.available.and_then(|_| ages.stock(account_id, kind.side())),
        })
    }
}

const LEDGER: &str = "history";

/// The ledger of a product, newest first.
pub async fn ledger<M>(
    tx: &TenantTx<M>,
    product: ProductId,
    page: &PageRequest,
) -> Result<Page<Movement>, Error> {
    let mut query = stock_movement::Entity::find()
        .filter(stock_movement::Column::TenantId.eq(tx.tenant()))
        .filter(stock_movement::Column::ProductId.eq(product.as_uuid()))
        .order_by_desc(stock_movement::Column::Id)
        .limit(page.limit + 1);
    if let Some(before) = keyset::after::<Uuid>(LEDGER, page)? {
        query = query.filter(stock_movement::Column::Id.lt(before));
    }
    let rows = query.all(tx.inner()).await?;
    keyset::page(
        LEDGER,
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
