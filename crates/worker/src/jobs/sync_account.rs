//! Carrying a sync of a marketplace account.

use std::time::Duration;

use app::{JobContext, SyncReport};
use domain::{ids::SyncId, job::Outcome, sync::SyncState};
use monitoring::metrics::labels::SyncOutcome;

use super::{Jobs, failed};
use crate::handler::{Run, Signals};

/// Carries the sync as far as it goes now. When the process stops, it is left where its last page was committed, and
/// goes on from there in another process.
pub(super) async fn run(jobs: &Jobs, run: &Run, sync: SyncId, signals: &Signals) -> Outcome {
    let context = JobContext {
        scope: run.scope.clone(),
        run: run.number,
        attempt: run.attempt,
        last_attempt: run.last_attempt,
        pause: run.pause,
    };
    let carried = signals.draining.run_until_cancelled(jobs.app.sync_engine().run(&context, sync)).await;
    match carried {
        None => Outcome::Park { after: Duration::ZERO },
        Some(Err(error)) => failed(&error),
        Some(Ok(carried)) => {
            if let Some(report) = carried.report {
                count(jobs, run, report);
            }
            carried.outcome
        }
    }
}

fn count(jobs: &Jobs, run: &Run, report: SyncReport) {
    let outcome = match report.state {
        SyncState::Completed => SyncOutcome::Completed,
        SyncState::Partial => SyncOutcome::Partial,
        SyncState::Skipped => SyncOutcome::Skipped,
        SyncState::Cancelled => SyncOutcome::Cancelled,
        SyncState::Failed | SyncState::Pending | SyncState::Running => SyncOutcome::Failed,
    };
    jobs.metrics.sync().finished(
        run.scope.tenant_id().as_uuid(),
        report.marketplace.name(),
        outcome,
        report.duration,
        report.products,
        report.failed,
    );
}
