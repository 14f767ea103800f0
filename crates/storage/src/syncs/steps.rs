//! How far each phase of a sync is.

use std::str::FromStr;

use domain::{
    clock::Timestamp,
    ids::SyncId,
    reading::Position,
    sync::{Phase, SyncError, UnknownWord},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::OnConflict,
};

use crate::{
    codec,
    db::{TenantTx, WriteTx},
    entity::sync_step,
    error::Error,
};

/// How a phase of a sync stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Being read.
    Running,
    /// Read wholly.
    Complete,
    /// Read, but for a few rows.
    Partial,
    /// Not read.
    Failed,
    /// The credential does not grant it.
    NotGranted,
}

impl StepState {
    const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::NotGranted => "not_granted",
        }
    }
}

impl FromStr for StepState {
    type Err = UnknownWord;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Running, Self::Complete, Self::Partial, Self::Failed, Self::NotGranted]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or(UnknownWord)
    }
}

/// A phase of a sync and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which phase.
    pub phase: Phase,
    /// How it stands.
    pub state: StepState,
    /// Where the reading began: the watermark of the one before; none for the beginning.
    pub since: Option<Position>,
    /// Where it goes on.
    pub position: Option<Position>,
    /// From where the next sync can start.
    pub watermark: Option<Position>,
    /// Rows read.
    pub rows: u64,
    /// Rows that could not be read.
    pub failed: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// Why it is not complete.
    pub error: Option<SyncError>,
}

impl Step {
    /// A phase that begins.
    pub const fn beginning(phase: Phase, since: Option<Position>, at: Timestamp) -> Self {
        Self {
            phase,
            state: StepState::Running,
            since,
            position: None,
            watermark: None,
            rows: 0,
            failed: 0,
            started_at: at,
            error: None,
        }
    }
}

/// The phases of a sync that have begun, in the order in which they run.
pub async fn steps<M>(tx: &TenantTx<M>, sync: SyncId) -> Result<Vec<Step>, Error> {
    let rows = sync_step::Entity::find()
        .filter(sync_step::Column::TenantId.eq(tx.tenant()))
        .filter(sync_step::Column::SyncId.eq(sync.as_uuid()))
        .all(tx.inner())
        .await?;
    let mut steps = rows
        .into_iter()
        .map(|row| {
            Ok(Step {
                phase: codec::word("phase", &row.phase)?,
                state: codec::word("state of a phase", &row.state)?,
                since: row.since.map(Position),
                position: row.position.map(Position),
                watermark: row.watermark.map(Position),
                rows: u64::try_from(row.rows_read).map_err(|e| Error::damaged("rows of a phase", &e))?,
                failed: u64::try_from(row.rows_failed).map_err(|e| Error::damaged("rows of a phase", &e))?,
                started_at: row.started_at,
                error: row
                    .error_code
                    .map(|code| SyncError { code, message: row.error_message.unwrap_or_default() }),
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    steps.sort_by_key(|step| step.phase);
    Ok(steps)
}

/// Writes how far a phase is.
pub async fn save_step(tx: &WriteTx, sync: SyncId, step: &Step) -> Result<(), Error> {
    use sync_step::Column;
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let row = sync_step::ActiveModel {
        tenant_id: Set(tx.tenant()),
        sync_id: Set(sync.into()),
        phase: Set(step.phase.name().to_owned()),
        state: Set(step.state.name().to_owned()),
        since: Set(step.since.as_ref().map(|p| p.0.clone())),
        position: Set(step.position.as_ref().map(|p| p.0.clone())),
        watermark: Set(step.watermark.as_ref().map(|p| p.0.clone())),
        rows_read: Set(number(step.rows)),
        rows_failed: Set(number(step.failed)),
        started_at: Set(step.started_at),
        error_code: Set(step.error.as_ref().map(|e| e.code.clone())),
        error_message: Set(step.error.as_ref().map(|e| e.message.clone())),
    };
    let written = [
        Column::State,
        Column::Since,
        Column::Position,
        Column::Watermark,
        Column::RowsRead,
        Column::RowsFailed,
        Column::StartedAt,
        Column::ErrorCode,
        Column::ErrorMessage,
    ];
    sync_step::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([Column::TenantId, Column::SyncId, Column::Phase])
                .update_columns(written)
                .to_owned(),
        )
        .exec_without_returning(tx.inner())
        .await?;
    Ok(())
}
