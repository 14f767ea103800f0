//! The order lines of one account, kept to one transaction.

use domain::{calendar::Zone, ids::AccountId, marketplace::MarketplaceCode};
use sea_orm::{DbBackend, FromQueryResult};

use crate::{codec, db::WriteTx, error::Error};

/// The account whose order lines are written.
#[derive(Debug, Clone, Copy)]
pub struct Book {
    /// The account.
    pub account: AccountId,
    /// Its marketplace.
    pub marketplace: MarketplaceCode,
    /// The zone in which its days are counted.
    pub zone: Zone,
}

impl Book {
    /// Opens the order lines of an account; none if it is gone. Until the transaction ends, no other one has them open,
    /// and their zone does not change.
    pub async fn open(tx: &WriteTx, account: AccountId) -> Result<Option<Self>, Error> {
        #[derive(FromQueryResult)]
        struct Row {
            marketplace: String,
            zone: String,
        }
        // On SQLite there is one writer at a time. On PostgreSQL the account is held against others that open it, and
        // the tenant against `tenants::hold` alone, not against those that only note a new version of its catalogue.
        let hold = match tx.backend() {
            DbBackend::Postgres => " FOR NO KEY UPDATE OF a FOR KEY SHARE OF t",
            _ => "",
        };
        let sql = format!(
            "SELECT a.marketplace, t.zone FROM marketplace_account a JOIN tenant t ON t.id = a.tenant_id \
             WHERE a.tenant_id = $1 AND a.id = $2{hold}"
        );
        let row = tx.row::<Row>(&sql, [tx.tenant().into(), account.as_uuid().into()]).await?;
        row.map(|row| {
            let marketplace = codec::marketplace(&row.marketplace)?;
            let tenants = Zone::parse(&row.zone).map_err(|e| Error::damaged("zone", &e))?;
            Ok(Self { account, marketplace, zone: marketplace.own_zone().unwrap_or(tenants) })
        })
        .transpose()
    }
}
