//! What stock rows belong to: the product, the variant and the warehouse by their names of today.

use std::collections::{HashMap, HashSet};

use domain::{clock::Timestamp, marketplace::WarehouseKind, picture::Stock};
use sea_orm::{ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _};
use uuid::Uuid;

use crate::{
    codec,
    db::TenantTx,
    entity::{product, stock_level, variant, warehouse},
    error::Error,
};

/// Where a level is, and whose.
#[expect(clippy::struct_field_names, reason = "they are named as the columns they are read from")]
#[derive(Debug, Clone, Copy, FromQueryResult)]
pub(super) struct Place {
    pub(super) variant_id: Uuid,
    pub(super) warehouse_id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) product_id: Uuid,
}

impl From<&stock_level::Model> for Place {
    fn from(row: &stock_level::Model) -> Self {
        let stock_level::Model { variant_id, warehouse_id, account_id, product_id, .. } = *row;
        Self { variant_id, warehouse_id, account_id, product_id }
    }
}

/// What is told of a level.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    pub(super) available: Option<i64>,
    pub(super) reserved: Option<i64>,
    pub(super) on_hand: Option<i64>,
    pub(super) ordered_units: Option<i64>,
}

/// What the rows of a page belong to. Not joined: a planner that expects few rows of a tenant would read all of them
/// for a page.
pub(super) struct Around {
    products: HashMap<Uuid, product::Model>,
    variants: HashMap<Uuid, variant::Model>,
    warehouses: HashMap<Uuid, warehouse::Model>,
}

impl Around {
    pub(super) async fn load<M>(
        tx: &TenantTx<M>,
        places: impl Iterator<Item = Place> + Clone,
    ) -> Result<Self, Error> {
        let ids = |id: fn(Place) -> Uuid| places.clone().map(id).collect::<HashSet<Uuid>>();
        let products = product::Entity::find()
            .filter(product::Column::TenantId.eq(tx.tenant()))
            .filter(product::Column::Id.is_in(ids(|place| place.product_id)))
            .all(tx.inner())
            .await?;
        let variants = variant::Entity::find()
            .filter(variant::Column::TenantId.eq(tx.tenant()))
            .filter(variant::Column::Id.is_in(ids(|place| place.variant_id)))
            .all(tx.inner())
            .await?;
        let warehouses = warehouse::Entity::find()
            .filter(warehouse::Column::TenantId.eq(tx.tenant()))
            .filter(warehouse::Column::Id.is_in(ids(|place| place.warehouse_id)))
            .all(tx.inner())
            .await?;
        Ok(Self {
            products: products.into_iter().map(|row| (row.id, row)).collect(),
            variants: variants.into_iter().map(|row| (row.id, row)).collect(),
            warehouses: warehouses.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    /// A row of the picture. `as_of` says how old a level in a warehouse of some kind is.
    pub(super) fn stock(
        &self,
        place: Place,
        told: Told,
        as_of: impl FnOnce(WarehouseKind) -> Option<Timestamp>,
    ) -> Result<Stock, Error> {
        let (Some(product), Some(variant), Some(warehouse)) = (
            self.products.get(&place.product_id),
            self.variants.get(&place.variant_id),
            self.warehouses.get(&place.warehouse_id),
        ) else {
            return Err(Error::damaged("stock level", &"what it belongs to is not there"));
        };
        let kind: WarehouseKind = codec::word("kind of warehouse", &warehouse.kind)?;
        Ok(Stock {
            account_id: place.account_id.into(),
            marketplace: codec::marketplace(&product.marketplace)?,
            product_id: place.product_id.into(),
            variant_id: place.variant_id.into(),
            external_product_id: product.external_id.clone(),
            external_variant_id: variant.external_id.clone(),
            seller_article: codec::non_empty(product.seller_article.clone()),
            sku: variant.sku.clone(),
            name: codec::non_empty(product.name.clone()),
            warehouse_id: place.warehouse_id.into(),
            warehouse_external_id: warehouse.external_id.clone(),
            warehouse_name: warehouse.name.clone(),
            warehouse_kind: kind,
            available: told.available,
            reserved: told.reserved,
            on_hand: told.on_hand,
            ordered_units: told.ordered_units,
            as_of: told.available.and_then(|_| as_of(kind)),
        })
    }
}
