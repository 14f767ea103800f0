//! Putting the orders of an account on the days of another zone.

use std::time::Duration;

use domain::{ids::AccountId, job::Outcome};

use super::{Jobs, failed};
use crate::handler::{Run, Signals};

/// When the process stops, what has been moved is kept, and another process looks at all of them again.
pub(super) async fn run(jobs: &Jobs, run: &Run, account: AccountId, signals: &Signals) -> Outcome {
    let moved = jobs.app.sync_engine().move_days(&run.scope, account);
    match signals.draining.run_until_cancelled(moved).await {
        None => Outcome::Park { after: Duration::ZERO },
        Some(Ok(())) => Outcome::Done,
        Some(Err(error)) => failed(&error),
    }
}
