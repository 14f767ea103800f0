//! The levels of an account that a staged file says nothing of.

use domain::{
    ids::{AccountId, PassId, WarehouseId},
    marketplace::Side,
};
use sea_orm::{FromQueryResult, Value};

use crate::{db::WriteTx, error::Error};

/// What a staged reading of the seller's side leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Levels that are known.
    pub levels: u64,
    /// Those of them that are not zero.
    pub stocked: u64,
}

/// Levels in the seller's warehouses that the reading does not carry.
const LEFT_OUT: &str = "l.tenant_id = $1 AND l.account_id = $2 AND l.available IS NOT NULL \
    AND l.warehouse_id IN (SELECT w.id FROM warehouse w WHERE w.tenant_id = $1 AND w.account_id = $2 \
      AND w.kind = 'seller') \
    AND NOT EXISTS (SELECT 1 FROM stock_reading r WHERE r.tenant_id = l.tenant_id AND r.pass_id = $3 \
      AND r.variant_id = l.variant_id AND r.warehouse_id = l.warehouse_id)";

/// Counts what a staged reading leaves out.
pub async fn left_out(tx: &WriteTx, account: AccountId, pass: PassId) -> Result<LeftOut, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        levels: i64,
        stocked: i64,
    }
    tx.join_as_sets().await?;
    let sql = format!(
        "SELECT COUNT(*) AS levels, COUNT(CASE WHEN l.available <> 0 THEN 1 END) AS stocked \
         FROM stock_level l WHERE {LEFT_OUT}"
    );
    let values = [tx.tenant().into(), account.as_uuid().into(), pass.as_uuid().into()];
    let row = tx.row::<Row>(&sql, values).await?.unwrap_or(Row { levels: 0, stocked: 0 });
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(LeftOut { levels: count(row.levels), stocked: count(row.stocked) })
}

/// Adds to a reading that some warehouses have nothing else than what it carries. Says how many levels become zero.
pub async fn stage_zeros(
    tx: &WriteTx,
    account: AccountId,
    pass: PassId,
    warehouses: &[WarehouseId],
) -> Result<u64, Error> {
    let mut values: Vec<Value> =
        vec![tx.tenant().into(), account.as_uuid().into(), pass.as_uuid().into(), Side::Fbs.name().into()];
    let mut names = Vec::with_capacity(warehouses.len());
    for warehouse in warehouses {
        values.push(warehouse.as_uuid().into());
        names.push(format!("${}", values.len()));
    }
    let sql = format!(
        "INSERT INTO stock_reading (tenant_id, pass_id, variant_id, warehouse_id, account_id, product_id, side, \
         available, reserved, on_hand) \
         SELECT l.tenant_id, $3, l.variant_id, l.warehouse_id, l.account_id, l.product_id, $4, 0, \
                CASE WHEN l.reserved IS NOT NULL THEN 0 END, CASE WHEN l.on_hand IS NOT NULL THEN 0 END \
         FROM stock_level l WHERE {LEFT_OUT} AND l.available <> 0 AND l.warehouse_id IN ({})",
        names.join(", ")
    );
    tx.execute(&sql, values).await
}
