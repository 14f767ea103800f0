//! Syncs on the wire.

use app::RequestedSync;
use chrono::{DateTime, Utc};
use domain::sync::{Progress, SyncCounts, SyncError, SyncRun};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::view::{Marketplace, Phase, SyncState, SyncTrigger};

/// A sync that has been asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestedSync)]
pub(super) struct RequestedSyncView {
    /// The sync.
    #[schema(example = "0199c0de-0000-7000-8000-000000000020")]
    pub(super) sync_id: Uuid,
    /// The job that carries it through.
    #[schema(example = "0199c0de-0000-7000-8000-000000000021")]
    task_id: Uuid,
    /// `pending`, or how far it is where it had been asked for before.
    status: SyncState,
}

impl From<RequestedSync> for RequestedSyncView {
    fn from(sync: RequestedSync) -> Self {
        Self { sync_id: sync.sync_id.into(), task_id: sync.task_id.into(), status: sync.state.into() }
    }
}

/// Syncs of every account.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestedSyncs)]
pub(super) struct RequestedSyncsView {
    /// The first sync.
    #[schema(example = "0199c0de-0000-7000-8000-000000000020")]
    sync_id: Uuid,
    /// The job that carries the first one through.
    #[schema(example = "0199c0de-0000-7000-8000-000000000021")]
    task_id: Uuid,
    /// How far the first one is.
    status: SyncState,
    /// Every sync, the first in front.
    syncs: Vec<AccountSyncView>,
}

/// The sync of one account.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountSync)]
struct AccountSyncView {
    sync_id: Uuid,
    account_id: Uuid,
    status: SyncState,
}

impl RequestedSyncsView {
    /// None where there is no sync at all.
    pub(super) fn of(syncs: &[RequestedSync]) -> Option<Self> {
        let first = syncs.first()?;
        Some(Self {
            sync_id: first.sync_id.into(),
            task_id: first.task_id.into(),
            status: first.state.into(),
            syncs: syncs
                .iter()
                .map(|sync| AccountSyncView {
                    sync_id: sync.sync_id.into(),
                    account_id: sync.account_id.into(),
                    status: sync.state.into(),
                })
                .collect(),
        })
    }

    pub(super) const fn sync_id(&self) -> Uuid {
        self.sync_id
    }
}

/// A sync.
#[derive(Serialize, ToSchema)]
#[schema(as = Sync)]
pub(super) struct SyncView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000020")]
    id: Uuid,
    account_id: Uuid,
    marketplace: Marketplace,
    state: SyncState,
    trigger: SyncTrigger,
    /// The stretch it is in; null before it begins and after it ends.
    phase: Option<Phase>,
    /// Until when it waits for a limit of the marketplace, or before it tries again.
    waiting_until: Option<DateTime<Utc>>,
    progress: ProgressView,
    counts: CountsView,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    /// From beginning to end; null while it runs.
    #[schema(example = 43_000)]
    duration_ms: Option<i64>,
    /// Why it is not complete.
    error: Option<SyncErrorView>,
}

/// How much of a sync is done, in rows.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncProgress)]
struct ProgressView {
    /// Rows read.
    #[schema(example = 120)]
    done: i64,
    /// Rows expected; an estimate until it is reached, null where there is none.
    #[schema(example = 400)]
    total: Option<i64>,
}

/// What a sync did.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncCounts)]
struct CountsView {
    /// Products read.
    products: i64,
    /// Variants read.
    variants: i64,
    /// Stock rows read.
    stock_rows: i64,
    /// Changes of stock levels.
    movements: i64,
    /// Order lines read.
    order_lines: i64,
    /// Rows that could not be read.
    failed: i64,
    /// Ordered units of the window that belong to no known variant.
    unmatched_units: i64,
}

/// Why a sync is not complete.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncError)]
struct SyncErrorView {
    /// Stable name.
    #[schema(example = "marketplace_unavailable")]
    code: String,
    /// In words.
    #[schema(example = "Wildberries did not answer in time.")]
    message: String,
}

impl From<SyncRun> for SyncView {
    fn from(sync: SyncRun) -> Self {
        Self {
            duration_ms: sync.duration_ms(),
            id: sync.id.into(),
            account_id: sync.account_id.into(),
            marketplace: sync.marketplace.into(),
            state: sync.state.into(),
            trigger: sync.trigger.into(),
            phase: sync.phase.map(Phase::from),
            waiting_until: sync.waiting_until,
            progress: sync.progress.into(),
            counts: sync.counts.into(),
            requested_at: sync.requested_at,
            started_at: sync.started_at,
            finished_at: sync.finished_at,
            error: sync.error.map(SyncErrorView::from),
        }
    }
}

impl From<Progress> for ProgressView {
    fn from(progress: Progress) -> Self {
        Self { done: progress.done, total: progress.total }
    }
}

impl From<SyncCounts> for CountsView {
    fn from(counts: SyncCounts) -> Self {
        let SyncCounts { products, variants, stock_rows, movements, order_lines, failed, unmatched_units } =
            counts;
        Self { products, variants, stock_rows, movements, order_lines, failed, unmatched_units }
    }
}

impl From<SyncError> for SyncErrorView {
    fn from(error: SyncError) -> Self {
        Self { code: error.code, message: error.message }
    }
}
