//! The stored figures of products: sums over their variants, and the keys that lists are ordered by.

use domain::{clock::Timestamp, ids::AccountId, marketplace::Side};

use crate::{db::WriteTx, error::Error, readings::Subject};

/// Above every number of days of cover: nothing was ordered.
const NO_SALES_RANK: i64 = i64::MAX;

/// Sums the variants of an account into its products. Products whose figures stay the same are left alone. Says how
/// many changed.
pub async fn write(tx: &WriteTx, account: AccountId, at: Timestamp) -> Result<u64, Error> {
    tx.join_as_sets().await?;
    // -1 stands for unknown; a sum over variants of which none is known is unknown.
    let sum = |column: &str| format!("CAST(COALESCE(SUM(x.{column}), -1) AS BIGINT) AS {column}");
    let sums: Vec<String> = FIGURES.iter().map(|column| sum(column)).collect();
    let total = "CASE WHEN v.fbo_stock < 0 AND v.fbs_stock < 0 THEN -1 \
                 ELSE CASE WHEN v.fbo_stock > 0 THEN v.fbo_stock ELSE 0 END \
                    + CASE WHEN v.fbs_stock > 0 THEN v.fbs_stock ELSE 0 END END";
    // Any order that agrees with days of cover will do; thousandths agree with the exact fraction closely enough to
    // keep rows in the order of what is shown.
    let rank = format!(
        "CASE WHEN v.total_stock < 0 OR v.ordered_units < 0 THEN -1 \
         WHEN v.total_stock = 0 THEN 0 WHEN v.ordered_units = 0 THEN {NO_SALES_RANK} \
         ELSE v.total_stock * 7000 / v.ordered_units END"
    );
    let set: Vec<String> = FIGURES.iter().map(|column| format!("{column} = f.{column}")).collect();
    let differs: Vec<String> =
        FIGURES.iter().map(|column| format!("product.{column} <> f.{column}")).collect();
    let sql = format!(
        "UPDATE product SET {set}, total_stock = f.total_stock, cover_rank = f.cover_rank, currency = f.currency, \
           partly_measured = f.partly_measured, updated_at = $3 \
         FROM (SELECT v.*, {rank} AS cover_rank FROM ( \
             SELECT v.*, {total} AS total_stock FROM ( \
               SELECT p.id AS product_id, MAX(x.currency) AS currency, {PARTLY_MEASURED} AS partly_measured, {sums} \
               FROM product p \
               LEFT JOIN variant x ON x.tenant_id = p.tenant_id AND x.product_id = p.id \
               WHERE p.tenant_id = $1 AND p.account_id = $2 GROUP BY p.id) v) v) f \
         WHERE product.tenant_id = $1 AND product.id = f.product_id \
           AND ({differs} OR product.currency IS DISTINCT FROM f.currency OR product.total_stock <> f.total_stock \
             OR product.partly_measured <> f.partly_measured)",
        set = set.join(", "),
        sums = sums.join(", "),
        differs = differs.join(" OR "),
    );
    tx.execute(&sql, [tx.tenant().into(), account.as_uuid().into(), at.into()]).await
}

/// Whether a side tells the stock of some variants of a product and not of others that are in the catalogue too.
const PARTLY_MEASURED: &str = "\
    COALESCE(MAX(CASE WHEN x.active AND x.fbo_stock IS NULL THEN 1 ELSE 0 END), 0) = 1 AND MAX(x.fbo_stock) IS NOT NULL \
    OR COALESCE(MAX(CASE WHEN x.active AND x.fbs_stock IS NULL THEN 1 ELSE 0 END), 0) = 1 \
       AND MAX(x.fbs_stock) IS NOT NULL";

/// Figures of a product that are plain sums over its variants.
const FIGURES: [&str; 8] = [
    "fbo_stock",
    "fbs_stock",
    "in_transit_to_customer",
    "in_transit_returns",
    "ordered_units",
    "cancelled_units",
    "ordered_today",
    "revenue_minor",
];

/// Makes the figures of a subject unknown, because nobody may read it any more: an old number would never change
/// again and look true. What was measured stays in the levels and in the ledger, with its age.
pub async fn forget(tx: &WriteTx, account: AccountId, subject: Subject, at: Timestamp) -> Result<(), Error> {
    let (tables, columns): (&[&str], &[&str]) = match subject {
        Subject::Products => return Ok(()),
        Subject::Stock(Side::Fbo) => {
            (&["variant"], &["fbo_stock", "in_transit_to_customer", "in_transit_returns"])
        }
        Subject::Stock(Side::Fbs) => (&["variant"], &["fbs_stock"]),
        Subject::Orders => (
            &["variant", "stock_level"],
            &["ordered_units", "cancelled_units", "ordered_today", "revenue_minor"],
        ),
    };
    let unknown: Vec<String> = columns.iter().map(|column| format!("{column} = NULL")).collect();
    for table in tables {
        let sql =
            format!("UPDATE {table} SET {} WHERE tenant_id = $1 AND account_id = $2", unknown.join(", "));
        tx.execute(&sql, [tx.tenant().into(), account.as_uuid().into()]).await?;
    }
    write(tx, account, at).await?;
    Ok(())
}
