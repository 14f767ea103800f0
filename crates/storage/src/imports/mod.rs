//! What imports ask of the store: what is known of the things a file names, and what the file leaves out. What they
//! write goes the way of every reading: through [`crate::catalogue`] and [`crate::stock`].

mod known;
mod left_out;
mod places;
mod units;

use domain::ids::AccountId;
use sea_orm::{DbBackend, FromQueryResult};

pub use self::{
    known::known,
    left_out::{LeftOut, left_out, stage_zeros},
    places::{SellerWarehouse, seller_warehouses},
    units::{Found, find_units},
};
use crate::{db::WriteTx, error::Error};

/// Keeps other imports of the account waiting until the transaction ends: of two that saw the same level, both would
/// write a change from it. Says whether the account is there.
pub async fn hold_account(tx: &WriteTx, account: AccountId) -> Result<bool, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        found: i64,
    }
    // SQLite has one writer at a time as it is.
    let lock = if tx.backend() == DbBackend::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!(
        "SELECT CAST(1 AS BIGINT) AS found FROM marketplace_account WHERE tenant_id = $1 AND id = $2{lock}"
    );
    let row = tx.row::<Row>(&sql, [tx.tenant().into(), account.as_uuid().into()]).await?;
    Ok(row.is_some_and(|row| row.found == 1))
}

/// A query whose rows are the texts of a JSON list in `$3`: one statement for any number of them.
const fn listed(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "SELECT jsonb_array_elements_text(CAST($3 AS jsonb))",
        _ => "SELECT value FROM json_each($3)",
    }
}
