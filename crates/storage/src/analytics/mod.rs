//! Figures over many products, warehouses and syncs at once: the one place where they are summed up. Active products
//! only; the sums are of the figures that lists and details show.

mod dashboard;
mod distribution;
mod products;
mod sums;
mod sync_history;
mod warehouses;

use domain::analytics::Population;
use sea_orm::Value;

pub(crate) use self::warehouses::Shelves;
pub use self::{
    dashboard::dashboard,
    distribution::distribution,
    products::{low_stock, top_products, turnover},
    sync_history::sync_history,
    warehouses::warehouses,
};
use crate::db::TenantTx;

/// A population as a condition on a table that has these columns, with its values; further ones can follow. What is
/// not asked for is not in it: an index that tells the rest would not tell that.
fn of_population<M>(tx: &TenantTx<M>, of: Population) -> (String, Vec<Value>) {
    let mut conditions = vec!["tenant_id = $1".to_owned()];
    let mut values = vec![tx.tenant().into()];
    if let Some(id) = of.account_id {
        values.push(id.as_uuid().into());
        conditions.push(format!("account_id = ${}", values.len()));
    }
    if let Some(code) = of.marketplace {
        values.push(code.name().into());
        conditions.push(format!("marketplace = ${}", values.len()));
    }
    (conditions.join(" AND "), values)
}
