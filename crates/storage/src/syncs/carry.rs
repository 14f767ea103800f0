//! Carrying a sync through, and ending it.

use domain::{
    clock::Timestamp,
    ids::SyncId,
    sync::{Phase, SyncCounts, SyncError, SyncState},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, Value, sea_query::Expr};

use super::{Carried, change, get};
use crate::{
    db::WriteTx,
    entity::{stock_reading, sync_run},
    error::Error,
};

/// The run of a job that carries a sync; what it writes, an earlier run may not write any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The sync.
    pub sync: SyncId,
    /// The number of the job's run.
    pub run: i64,
}

/// Begins or resumes a sync. None if it is over, or a later run has begun.
pub async fn begin(tx: &WriteTx, fence: Fence, at: Timestamp) -> Result<Option<Carried>, Error> {
    let begun = tx
        .execute(
            "UPDATE sync_run SET state = 'running', fence = $3, waiting_until = NULL, \
             started_at = COALESCE(started_at, $4) \
             WHERE tenant_id = $1 AND id = $2 AND fence <= $3 AND state IN ('pending', 'running')",
            [tx.tenant().into(), fence.sync.as_uuid().into(), fence.run.into(), at.into()],
        )
        .await?;
    if begun == 0 { Ok(None) } else { get(tx, fence.sync).await }
}

/// What a page added to a sync.
#[derive(Debug, Clone, Copy, Default)]
pub struct Advance {
    /// The phase the sync is in.
    pub phase: Option<Phase>,
    /// Rows read.
    pub rows: i64,
    /// What it did.
    pub counts: SyncCounts,
    /// Rows expected in all, where that is known.
    pub expected: Option<i64>,
}

/// Adds to a sync what a page brought. [`Error::Overtaken`] if another run has taken the sync over: then nothing of
/// the transaction may stand.
pub async fn advance(tx: &WriteTx, fence: Fence, advance: Advance) -> Result<(), Error> {
    let counts = advance.counts;
    let values: [Value; 13] = [
        tx.tenant().into(),
        fence.sync.as_uuid().into(),
        fence.run.into(),
        advance.phase.map(Phase::name).into(),
        advance.rows.into(),
        counts.products.into(),
        counts.variants.into(),
        counts.stock_rows.into(),
        counts.movements.into(),
        counts.order_lines.into(),
        counts.failed.into(),
        counts.unmatched_units.into(),
        advance.expected.into(),
    ];
    let changed = tx
        .execute(
            "UPDATE sync_run SET phase = COALESCE($4, phase), waiting_until = NULL, rows_done = rows_done + $5, \
             products = products + $6, variants = variants + $7, stock_rows = stock_rows + $8, \
             movements = movements + $9, order_lines = order_lines + $10, failed = failed + $11, \
             unmatched_units = unmatched_units + $12, rows_total = COALESCE($13, rows_total) \
             WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND state = 'running'",
            values,
        )
        .await?;
    if changed == 0 { Err(Error::Overtaken) } else { Ok(()) }
}

/// Notes in which phase and until when a sync waits.
pub async fn wait(tx: &WriteTx, fence: Fence, phase: Phase, until: Timestamp) -> Result<(), Error> {
    let changed = change(tx, fence.sync)
        .col_expr(sync_run::Column::Phase, Expr::value(phase.name()))
        .col_expr(sync_run::Column::WaitingUntil, Expr::value(until))
        .filter(sync_run::Column::Fence.eq(fence.run))
        .filter(sync_run::Column::State.eq(SyncState::Running.name()))
        .exec(tx.inner())
        .await?;
    if changed.rows_affected == 0 { Err(Error::Overtaken) } else { Ok(()) }
}

/// Ends a sync. [`Error::Overtaken`] if it is not this run's to end.
pub async fn finish(
    tx: &WriteTx,
    fence: Fence,
    state: SyncState,
    error: Option<&SyncError>,
    at: Timestamp,
) -> Result<(), Error> {
    let changed = end(tx, fence.sync, state, error, at)
        .filter(sync_run::Column::Fence.eq(fence.run))
        .exec(tx.inner())
        .await?;
    if changed.rows_affected == 0 {
        return Err(Error::Overtaken);
    }
    forget_stock(tx, fence.sync).await
}

/// Ends a live sync whose job is dead, whoever began it.
pub async fn give_up(tx: &WriteTx, id: SyncId, error: &SyncError, at: Timestamp) -> Result<(), Error> {
    let ended = end(tx, id, SyncState::Failed, Some(error), at).exec(tx.inner()).await?;
    if ended.rows_affected == 0 { Ok(()) } else { forget_stock(tx, id).await }
}

/// Stock that was read and never became the picture is of no use once its sync is over.
async fn forget_stock(tx: &WriteTx, id: SyncId) -> Result<(), Error> {
    stock_reading::Entity::delete_many()
        .filter(stock_reading::Column::TenantId.eq(tx.tenant()))
        .filter(stock_reading::Column::PassId.eq(id.as_uuid()))
        .exec(tx.inner())
        .await?;
    Ok(())
}

/// Cancels a sync that is doing nothing: one that has not begun, or that waits. A run of its job that wakes up later
/// finds it over. Says whether it was so.
pub async fn cancel_idle(tx: &WriteTx, id: SyncId, at: Timestamp) -> Result<bool, Error> {
    let pending = sync_run::Column::State.eq(SyncState::Pending.name());
    let ended = end(tx, id, SyncState::Cancelled, None, at)
        .filter(pending.or(sync_run::Column::WaitingUntil.is_not_null()))
        .exec(tx.inner())
        .await?;
    if ended.rows_affected == 0 {
        return Ok(false);
    }
    forget_stock(tx, id).await?;
    Ok(true)
}

fn end(
    tx: &WriteTx,
    id: SyncId,
    state: SyncState,
    error: Option<&SyncError>,
    at: Timestamp,
) -> sea_orm::UpdateMany<sync_run::Entity> {
    change(tx, id)
        .col_expr(sync_run::Column::State, Expr::value(state.name()))
        .col_expr(sync_run::Column::Phase, Expr::value(None::<String>))
        .col_expr(sync_run::Column::WaitingUntil, Expr::value(None::<Timestamp>))
        .col_expr(sync_run::Column::FinishedAt, Expr::value(at))
        .col_expr(sync_run::Column::ErrorCode, Expr::value(error.map(|e| e.code.clone())))
        .col_expr(sync_run::Column::ErrorMessage, Expr::value(error.map(|e| e.message.clone())))
        .filter(sync_run::Column::State.is_in([SyncState::Pending.name(), SyncState::Running.name()]))
}
