//! The readings behind the figures, and the syncs that wrote them.

use domain::{
    clock::Timestamp,
    explain::Reading,
    ids::{AccountId, SyncId},
    marketplace::Side,
    sync::Phase,
};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{
    db::TenantTx,
    error::Error,
    readings::{Subject, last},
};

/// Syncs of an account, newest first, among which the one that wrote a reading is looked for.
const SYNCS: u32 = 500;

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
}

/// The last complete reading of a subject.
pub(super) async fn of<M>(tx: &TenantTx<M>, account: AccountId, subject: Subject) -> Result<Reading, Error> {
    let reading = last(tx, account, subject).await?;
    let phase = match subject {
        Subject::Products => Phase::Products,
        Subject::Stock(Side::Fbo) => Phase::StockMarketplace,
        Subject::Stock(Side::Fbs) => Phase::StockSeller,
        Subject::Orders => Phase::Orders,
    };
    let sync_id = match reading.completed_at {
        Some(at) => sync_that_read(tx, account, phase, at).await?,
        None => None,
    };
    Ok(Reading {
        as_of: reading.completed_at,
        call: reading.source,
        sync_id,
        has_drifted: reading.drifted_at.is_some(),
    })
}

/// The sync whose phase began at a moment and was completed. A reading by something else has none.
async fn sync_that_read<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    phase: Phase,
    began_at: Timestamp,
) -> Result<Option<SyncId>, Error> {
    let sql = format!(
        "SELECT r.id FROM (SELECT x.tenant_id, x.id FROM sync_run x WHERE x.tenant_id = $1 AND x.account_id = $2 \
           ORDER BY x.id DESC LIMIT {SYNCS}) r \
         JOIN sync_step s ON s.tenant_id = r.tenant_id AND s.sync_id = r.id \
         WHERE s.phase = $3 AND s.state = 'complete' AND s.started_at = $4 ORDER BY r.id DESC LIMIT 1"
    );
    let values = [tx.tenant().into(), account.as_uuid().into(), phase.name().into(), began_at.into()];
    Ok(tx.row::<Row>(&sql, values).await?.map(|row| row.id.into()))
}

/// The sync of an account that is under way.
pub(super) async fn running_sync<M>(tx: &TenantTx<M>, account: AccountId) -> Result<Option<SyncId>, Error> {
    let sql = "SELECT id FROM sync_run WHERE tenant_id = $1 AND account_id = $2 AND state = 'running'";
    let values = [tx.tenant().into(), account.as_uuid().into()];
    Ok(tx.row::<Row>(sql, values).await?.map(|row| row.id.into()))
}
