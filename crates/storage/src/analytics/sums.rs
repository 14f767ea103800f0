//! Sums over products.

use domain::analytics::Population;
use sea_orm::FromQueryResult;

use super::of_population;
use crate::{db::TenantTx, error::Error};

/// Sums over active products; none where no figure is known.
#[derive(Debug, Default, FromQueryResult)]
pub(super) struct Sums {
    /// All of them.
    pub(super) products: i64,
    /// Stock of those whose stock is known.
    pub(super) stock: Option<i64>,
    /// Ordered units of those whose orders are known.
    pub(super) orders: Option<i64>,
    /// Those that are out.
    pub(super) out: i64,
    /// Stock of those of which both are known.
    pub(super) measured_stock: Option<i64>,
    /// Ordered units of the same.
    pub(super) measured_orders: Option<i64>,
}

/// Sums over the active products of a population.
pub(super) async fn sums<M>(tx: &TenantTx<M>, of: Population) -> Result<Sums, Error> {
    let (population, values) = of_population(tx, of);
    let sum = |column: &str, known: &str, name: &str| {
        format!("CAST(SUM(CASE WHEN {known} THEN {column} END) AS BIGINT) AS {name}")
    };
    let both = "total_stock >= 0 AND ordered_units >= 0";
    let sql = format!(
        "SELECT COUNT(*) AS products, {}, {}, {}, {}, COUNT(CASE WHEN total_stock = 0 THEN 1 END) AS out \
         FROM product WHERE {population} AND active = TRUE",
        sum("total_stock", "total_stock >= 0", "stock"),
        sum("ordered_units", "ordered_units >= 0", "orders"),
        sum("total_stock", both, "measured_stock"),
        sum("ordered_units", both, "measured_orders"),
    );
    Ok(tx.row(&sql, values).await?.unwrap_or_default())
}
