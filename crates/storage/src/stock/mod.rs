//! Stock: staged as it is read, and made the picture of a side at once.
//!
//! A page of a reading changes nothing that anybody sees. When the side has been read, one transaction compares the
//! reading with the levels, writes every difference to the ledger, and replaces the levels.

mod apply;
mod around;
mod as_of;
mod ledger;
mod list;

use domain::{
    ids::{AccountId, PassId, VariantId, WarehouseId},
    marketplace::Side,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    sea_query::{Expr, ExprTrait as _, Func, Iden as _, OnConflict, SimpleExpr},
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

impl Staged {
    /// The place in a reading: no two rows that are kept have one.
    pub const fn key(&self) -> (VariantId, Option<WarehouseId>) {
        (self.placed.variant, self.warehouse)
    }

    /// The units of both rows, which are for one place. What neither knows stays unknown.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let sum = |one: Option<i64>, other: Option<i64>| {
            one.map_or(other, |units| Some(units + other.unwrap_or(0)))
        };
        Self {
            available: sum(self.available, other.available),
            reserved: sum(self.reserved, other.reserved),
            on_hand: sum(self.on_hand, other.on_hand),
            in_transit_to_customer: sum(self.in_transit_to_customer, other.in_transit_to_customer),
            in_transit_returns: sum(self.in_transit_returns, other.in_transit_returns),
            ..*self
        }
    }
}

/// What a row means whose place has been read already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The same row once more: it replaces the one before.
    Repeats,
    /// Another part of what is there: it is added.
    Adds,
}

/// Keeps rows of a reading, no two of one place. Of rows that [repeat](Again::Repeats) others only [`staged`] tells that
/// they did.
pub async fn stage(
    tx: &WriteTx,
    account: AccountId,
    pass: impl Into<PassId>,
    side: Side,
    rows: &[Staged],
    again: Again,
) -> Result<(), Error> {
    use stock_reading::Column;
    let pass = pass.into();
    for chunk in rows.chunks(CHUNK) {
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
        let units = [
            Column::Available,
            Column::Reserved,
            Column::OnHand,
            Column::InTransitToCustomer,
            Column::InTransitReturns,
        ];
        let mut on_conflict =
            OnConflict::columns([Column::TenantId, Column::PassId, Column::VariantId, Column::WarehouseId]);
        match again {
            Again::Repeats => on_conflict.update_columns(units),
            Again::Adds => on_conflict.values(units.map(|column| (column, sum_with_the_new(column)))),
        };
        stock_reading::Entity::insert_many(models)
            .on_conflict(on_conflict)
            .exec_without_returning(tx.inner())
            .await?;
    }
    Ok(())
}

/// The units of the row that is there and of the one that comes, in the words of [`Staged::with`].
fn sum_with_the_new(column: stock_reading::Column) -> SimpleExpr {
    let there = || Expr::col((stock_reading::Entity, column));
    let new = || Expr::cust(format!("excluded.{}", column.to_string()));
    Func::coalesce([there().add(new()), there(), new()]).into()
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
