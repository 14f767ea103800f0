//! The seller's own warehouses.

use domain::{
    ids::{AccountId, WarehouseId},
    marketplace::WarehouseKind,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::{db::TenantTx, entity::warehouse, error::Error};

/// A warehouse of the seller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SellerWarehouse {
    /// Identity.
    pub id: WarehouseId,
    /// The seller's id of it, where it has one.
    pub external_id: Option<String>,
    /// Its exact name.
    pub name: String,
}

/// Every warehouse of the seller's in an account.
pub async fn seller_warehouses<M>(
    tx: &TenantTx<M>,
    account: AccountId,
) -> Result<Vec<SellerWarehouse>, Error> {
    let rows = warehouse::Entity::find()
        .filter(warehouse::Column::TenantId.eq(tx.tenant()))
        .filter(warehouse::Column::AccountId.eq(account.as_uuid()))
        .filter(warehouse::Column::Kind.eq(WarehouseKind::Seller.name()))
        .all(tx.inner())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| SellerWarehouse { id: row.id.into(), external_id: row.external_id, name: row.name })
        .collect())
}
