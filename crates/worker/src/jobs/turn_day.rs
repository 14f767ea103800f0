//! Counting the window of an account anew because its day has turned.

use domain::{ids::AccountId, job::Outcome};

use super::{Jobs, failed};
use crate::handler::Run;

pub(super) async fn run(jobs: &Jobs, run: &Run, account: AccountId) -> Outcome {
    match jobs.app.sync_engine().turn_day(&run.scope, account).await {
        Ok(()) => Outcome::Done,
        Err(error) => failed(&error),
    }
}
