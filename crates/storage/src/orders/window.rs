//! Counting order lines: by day, and over the window of the figures.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::{calendar::Window, ids::AccountId};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use crate::{db::WriteTx, error::Error};

/// Counts whole days anew from their lines: right whatever was there before.
pub(super) async fn recount(
    tx: &WriteTx,
    account: AccountId,
    days: &BTreeSet<NaiveDate>,
) -> Result<(), Error> {
    for day in days {
        let place: [Value; 3] = [tx.tenant().into(), account.as_uuid().into(), (*day).into()];
        tx.execute(
            "DELETE FROM order_day WHERE tenant_id = $1 AND account_id = $2 AND ordered_on = $3",
            place.clone(),
        )
        .await?;
        let mut values = place.to_vec();
        values.push(Uuid::nil().into());
        tx.execute(
            "INSERT INTO order_day (tenant_id, account_id, ordered_on, variant_id, warehouse_id, ordered_units, \
             cancelled_units, revenue_minor) \
             SELECT tenant_id, account_id, ordered_on, COALESCE(variant_id, $4), COALESCE(warehouse_id, $4), \
                    CAST(SUM(CASE WHEN cancelled_at IS NULL THEN quantity ELSE 0 END) AS BIGINT), \
                    CAST(SUM(CASE WHEN cancelled_at IS NULL THEN 0 ELSE quantity END) AS BIGINT), \
                    CAST(SUM(CASE WHEN cancelled_at IS NULL THEN COALESCE(price_minor, 0) * quantity ELSE 0 END) \
                         AS BIGINT) \
             FROM order_line WHERE tenant_id = $1 AND account_id = $2 AND ordered_on = $3 \
             GROUP BY tenant_id, account_id, ordered_on, COALESCE(variant_id, $4), COALESCE(warehouse_id, $4)",
            values,
        )
        .await?;
    }
    Ok(())
}

/// The sums over a window that figures are made of; `today` beside them.
const WINDOW_SUMS: &str = "\
    CAST(SUM(CASE WHEN d.ordered_on <= $4 THEN d.ordered_units ELSE 0 END) AS BIGINT) AS ordered, \
    CAST(SUM(CASE WHEN d.ordered_on <= $4 THEN d.cancelled_units ELSE 0 END) AS BIGINT) AS cancelled, \
    CAST(SUM(CASE WHEN d.ordered_on = $5 THEN d.ordered_units ELSE 0 END) AS BIGINT) AS today, \
    CAST(SUM(CASE WHEN d.ordered_on <= $4 THEN d.revenue_minor ELSE 0 END) AS BIGINT) AS revenue";

/// Writes the window into the order figures of levels and variants. Says how many ordered units belong to no variant.
pub async fn write_window(
    tx: &WriteTx,
    account: AccountId,
    window: Window,
    currency: Option<&str>,
) -> Result<i64, Error> {
    #[derive(FromQueryResult)]
    struct Unmatched {
        units: Option<i64>,
    }
    tx.join_as_sets().await?;
    let place: [Value; 2] = [tx.tenant().into(), account.as_uuid().into()];
    let span: Vec<Value> = [
        place.to_vec(),
        vec![window.first.into(), window.last.into(), window.today.into(), Uuid::nil().into()],
    ]
    .concat();
    for table in ["stock_level", "variant"] {
        let reset = format!(
            "UPDATE {table} SET ordered_units = 0, cancelled_units = 0, ordered_today = 0, revenue_minor = 0 \
             WHERE tenant_id = $1 AND account_id = $2 AND (ordered_units IS NULL OR ordered_units <> 0 \
             OR cancelled_units <> 0 OR ordered_today <> 0)"
        );
        tx.execute(&reset, place.clone()).await?;
    }
    let levels = format!(
        "INSERT INTO stock_level (tenant_id, variant_id, warehouse_id, account_id, product_id, ordered_units, \
         cancelled_units, ordered_today, revenue_minor) \
         SELECT $1, s.variant_id, s.warehouse_id, $2, v.product_id, s.ordered, s.cancelled, s.today, s.revenue \
         FROM (SELECT d.variant_id, d.warehouse_id, {WINDOW_SUMS} FROM order_day d \
               WHERE d.tenant_id = $1 AND d.account_id = $2 AND d.ordered_on >= $3 AND d.ordered_on <= $5 \
                 AND d.variant_id <> $6 AND d.warehouse_id <> $6 GROUP BY d.variant_id, d.warehouse_id) s \
         JOIN variant v ON v.tenant_id = $1 AND v.id = s.variant_id \
         JOIN warehouse w ON w.tenant_id = $1 AND w.id = s.warehouse_id \
         WHERE s.ordered <> 0 OR s.cancelled <> 0 OR s.today <> 0 \
         ON CONFLICT (tenant_id, variant_id, warehouse_id) DO UPDATE SET ordered_units = excluded.ordered_units, \
           cancelled_units = excluded.cancelled_units, ordered_today = excluded.ordered_today, \
           revenue_minor = excluded.revenue_minor"
    );
    tx.execute(&levels, span.clone()).await?;
    // Rows that a reading of stock has written stay, counted or not: the ledger tells of them.
    tx.execute(
        "DELETE FROM stock_level WHERE tenant_id = $1 AND account_id = $2 AND available IS NULL AND written_by IS NULL \
         AND ordered_units = 0 AND cancelled_units = 0 AND ordered_today = 0",
        place.clone(),
    )
    .await?;
    let variants = format!(
        "UPDATE variant SET ordered_units = s.ordered, cancelled_units = s.cancelled, ordered_today = s.today, \
         revenue_minor = s.revenue FROM ( \
           SELECT d.variant_id, {WINDOW_SUMS} FROM order_day d \
           WHERE d.tenant_id = $1 AND d.account_id = $2 AND d.ordered_on >= $3 AND d.ordered_on <= $5 \
             AND d.variant_id <> $6 GROUP BY d.variant_id) s \
         WHERE variant.tenant_id = $1 AND variant.id = s.variant_id"
    );
    tx.execute(&variants, span.clone()).await?;
    if let Some(currency) = currency {
        let values = [place[0].clone(), place[1].clone(), currency.into()];
        let sql = "UPDATE variant SET currency = $3 WHERE tenant_id = $1 AND account_id = $2 \
                   AND currency IS DISTINCT FROM $3";
        tx.execute(sql, values).await?;
    }
    let sql = "SELECT CAST(SUM(ordered_units) AS BIGINT) AS units FROM order_day WHERE tenant_id = $1 \
               AND account_id = $2 AND ordered_on >= $3 AND ordered_on <= $4 AND variant_id = $5";
    let values =
        [place[0].clone(), place[1].clone(), window.first.into(), window.last.into(), Uuid::nil().into()];
    Ok(tx.row::<Unmatched>(sql, values).await?.and_then(|row| row.units).unwrap_or(0))
}
