//! Stock: staged as it is read, and made the picture of a side at once.
//!
//! A page of a reading changes nothing that anybody sees. When the side has been read, one transaction compares the
//! reading with the levels, writes every difference to the ledger, and replaces the levels.

mod apply;
mod around;
mod as_of;
mod ledger;
mod list;

use std::collections::BTreeMap;

use domain::{
    ids::{AccountId, PassId, WarehouseId},
    marketplace::Side,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    sea_query::OnConflict,
};
use uuid::Uuid;

pub use self::{
    apply::{Reading, apply},
    as_of::as_of,
    ledger::ledger,
    list::list,
};
use crate::{
    catalogue::{CHUNK, Placed},
    db::{TenantTx, WriteTx},
    entity::stock_reading,
    error::Error,
};

/// A row of a reading, in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staged {
    /// The variant and its product.
    pub placed: Placed,
    /// The warehouse; none if the row tells of units on their way alone.
    pub warehouse: Option<WarehouseId>,
    /// Units that can be sold; none where nobody counts them.
    pub available: Option<i64>,
    /// Units sold and not yet gone.
    pub reserved: Option<i64>,
    /// Units on the shelf.
    pub on_hand: Option<i64>,
    /// Units on their way to customers.
    pub in_transit_to_customer: Option<i64>,
    /// Units on their way back.
    pub in_transit_returns: Option<i64>,
}

/// Keeps rows of a reading. A row that comes again replaces the one before: only [`staged`] tells that it did.
pub async fn stage(
    tx: &WriteTx,
    account: AccountId,
    pass: impl Into<PassId>,
    side: Side,
    rows: &[Staged],
) -> Result<(), Error> {
    use stock_reading::Column;
    let pass = pass.into();
    // One statement cannot write a row twice.
    let rows: BTreeMap<_, &Staged> =
        rows.iter().map(|row| ((row.placed.variant, row.warehouse), row)).collect();
    for chunk in rows.into_values().collect::<Vec<_>>().chunks(CHUNK) {
        let models = chunk.iter().map(|row| stock_reading::ActiveModel {
            tenant_id: Set(tx.tenant()),
            pass_id: Set(pass.into()),
            variant_id: Set(row.placed.variant.into()),
            warehouse_id: Set(row.warehouse.map_or(Uuid::nil(), Into::into)),
            account_id: Set(account.into()),
            product_id: Set(row.placed.product.into()),
            side: Set(side.name().to_owned()),
            available: Set(row.available),
            reserved: Set(row.reserved),
            on_hand: Set(row.on_hand),
            in_transit_to_customer: Set(row.in_transit_to_customer),
            in_transit_returns: Set(row.in_transit_returns),
        });
        let replaced = [
            Column::Available,
            Column::Reserved,
            Column::OnHand,
            Column::InTransitToCustomer,
            Column::InTransitReturns,
        ];
        stock_reading::Entity::insert_many(models)
            .on_conflict(
                OnConflict::columns([
                    Column::TenantId,
                    Column::PassId,
                    Column::VariantId,
                    Column::WarehouseId,
                ])
                .update_columns(replaced)
                .to_owned(),
            )
            .exec_without_returning(tx.inner())
            .await?;
    }
    Ok(())
}

/// How many different rows of a side a reading has.
pub async fn staged<M>(tx: &TenantTx<M>, pass: impl Into<PassId>, side: Side) -> Result<u64, Error> {
    Ok(stock_reading::Entity::find()
        .filter(stock_reading::Column::TenantId.eq(tx.tenant()))
        .filter(stock_reading::Column::PassId.eq(pass.into().as_uuid()))
        .filter(stock_reading::Column::Side.eq(side.name()))
        .count(tx.inner())
        .await?)
}

/// Throws the reading of a side away.
pub async fn discard(tx: &WriteTx, pass: impl Into<PassId>, side: Side) -> Result<(), Error> {
    stock_reading::Entity::delete_many()
        .filter(stock_reading::Column::TenantId.eq(tx.tenant()))
        .filter(stock_reading::Column::PassId.eq(pass.into().as_uuid()))
        .filter(stock_reading::Column::Side.eq(side.name()))
        .exec(tx.inner())
        .await?;
    Ok(())
}
