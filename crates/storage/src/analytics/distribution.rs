//! How many products have how much stock.

use domain::{
    analytics::{Population, StockDistribution},
    figures::StockState,
};
use sea_orm::FromQueryResult;

use super::of_population;
use crate::{db::TenantTx, error::Error};

/// Active products by how much stock they have.
pub async fn distribution<M>(tx: &TenantTx<M>, of: Population) -> Result<StockDistribution, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        step: Option<i64>,
        products: i64,
    }
    let (population, values) = of_population(tx, of);
    let sql = format!(
        "SELECT CAST({} AS BIGINT) AS step, COUNT(*) AS products FROM product \
         WHERE {population} AND active = TRUE GROUP BY 1",
        step()
    );
    let mut distribution = StockDistribution::default();
    for row in tx.rows::<Row>(&sql, values).await? {
        match row.step.and_then(|step| usize::try_from(step).ok()) {
            Some(step) => distribution.steps[step] += row.products,
            None => distribution.unknown += row.products,
        }
    }
    Ok(distribution)
}

/// The place of a product's step in [`StockState::ALL`], as an expression made of the rule itself; null where its stock
/// is not known.
fn step() -> String {
    let reaches = StockState::ALL
        .into_iter()
        .enumerate()
        .filter_map(|(place, step)| Some(format!("WHEN total_stock <= {} THEN {place}", step.most_units()?)));
    let reaches: Vec<String> = reaches.collect();
    format!(
        "CASE WHEN total_stock < 0 THEN NULL {} ELSE {} END",
        reaches.join(" "),
        StockState::ALL.len() - 1
    )
}
