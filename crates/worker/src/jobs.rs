//! What each job does: one file for each kind, over the use cases of `app`.

mod move_days;
mod sync_account;
mod turn_day;

use std::error::Error;

use app::App;
use async_trait::async_trait;
use domain::job::{Job, Outcome};
use monitoring::metrics::Metrics;

use crate::{
    handler::{Handler, Run, Signals},
    schedule::Tick,
};

/// The product's jobs.
#[derive(Clone)]
pub struct Jobs {
    app: App,
    metrics: Metrics,
}

impl Jobs {
    /// Jobs that call these use cases.
    pub const fn new(app: App, metrics: Metrics) -> Self {
        Self { app, metrics }
    }
}

#[async_trait]
impl Handler for Jobs {
    async fn handle(&self, run: Run, signals: Signals) -> Outcome {
        let account = match run.job {
            Job::SyncAccount { account_id, .. }
            | Job::TurnDay { account_id, .. }
            | Job::MoveDays { account_id, .. } => account_id,
        };
        tracing::Span::current().record("account_id", tracing::field::display(account));
        match run.job {
            Job::SyncAccount { sync_id, .. } => sync_account::run(self, &run, sync_id, &signals).await,
            Job::TurnDay { account_id, .. } => turn_day::run(self, &run, account_id).await,
            Job::MoveDays { account_id, .. } => move_days::run(self, &run, account_id, &signals).await,
        }
    }
}

/// Makes jobs of the accounts that are due.
#[async_trait]
impl Tick for Jobs {
    async fn tick(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let ticked = self.app.scheduler().tick().await?;
        if ticked.syncs + ticked.days > 0 {
            tracing::info!(syncs = ticked.syncs, days = ticked.days, "accounts were due");
        }
        Ok(())
    }
}

/// What becomes of a job whose use case did not work: it is tried again, whatever it was. A defect that stays shows in
/// the job's last attempt.
fn failed(error: &app::Error) -> Outcome {
    Outcome::Retry { after: None, error: error.to_string() }
}
