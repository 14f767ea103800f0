//! How syncs have ended.

use chrono::NaiveDate;
use domain::analytics::{SyncDay, SyncHistory, SyncOutcomes};
use serde::Serialize;
use utoipa::ToSchema;

/// How syncs have ended, day by day.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncHistory)]
pub(in crate::resources::analytics) struct SyncHistoryView {
    /// The zone whose days these are.
    #[schema(example = "Europe/Moscow")]
    time_zone: &'static str,
    /// Every day, oldest first; today, so far, is the last.
    items: Vec<SyncDayView>,
    /// All days together.
    totals: SyncOutcomesView,
    /// Syncs that are pending or running, and so on no day yet.
    #[schema(example = 1)]
    pending_or_running: i64,
}

/// How the syncs of a day have ended.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncDay)]
struct SyncDayView {
    /// The day.
    #[schema(example = "2026-11-20")]
    date: NaiveDate,
    #[serde(flatten)]
    outcomes: SyncOutcomesView,
}

/// How many syncs have ended how, and how long they took.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncOutcomes)]
struct SyncOutcomesView {
    /// All that ended.
    #[schema(example = 48)]
    syncs: i64,
    /// That read everything.
    #[schema(example = 46)]
    completed: i64,
    /// That read a part.
    #[schema(example = 1)]
    partial: i64,
    /// That committed nothing.
    #[schema(example = 1)]
    failed: i64,
    /// Of paused accounts.
    #[schema(example = 0)]
    skipped: i64,
    /// That were stopped.
    #[schema(example = 0)]
    cancelled: i64,
    /// Milliseconds from beginning to end on average, half up, of those that had begun; null if none had.
    #[schema(example = 41_250)]
    average_duration_ms: Option<i64>,
    /// Milliseconds of the longest; null if none had begun.
    #[schema(example = 95_000)]
    longest_duration_ms: Option<i64>,
}

impl From<SyncHistory> for SyncHistoryView {
    fn from(history: SyncHistory) -> Self {
        Self {
            time_zone: history.zone.name(),
            totals: history.totals().into(),
            pending_or_running: history.alive,
            items: history.days.into_iter().map(SyncDayView::from).collect(),
        }
    }
}

impl From<SyncDay> for SyncDayView {
    fn from(day: SyncDay) -> Self {
        Self { date: day.day, outcomes: day.outcomes.into() }
    }
}

impl From<SyncOutcomes> for SyncOutcomesView {
    fn from(outcomes: SyncOutcomes) -> Self {
        Self {
            syncs: outcomes.syncs(),
            completed: outcomes.completed,
            partial: outcomes.partial,
            failed: outcomes.failed,
            skipped: outcomes.skipped,
            cancelled: outcomes.cancelled,
            average_duration_ms: outcomes.average_ms(),
            longest_duration_ms: outcomes.longest_ms,
        }
    }
}
