//! Carrying syncs through.
//!
//! A sync reads a marketplace account phase by phase, page by page. Each page is committed with the position after it,
//! so a killed process goes on where it stopped. No transaction is open while the marketplace is asked. Retries and
//! resumes carry on the same sync.

mod catalogue;
mod ending;
pub(crate) mod request;
mod run;
mod step;
mod stock;

mod orders;

use std::time::Duration;

use domain::{
    ids::SyncId,
    job::Outcome,
    marketplace::{AccountState, MarketplaceCode},
    sync::SyncState,
};
use marketplaces::{Marketplace, Proven};
use storage::{
    TenantScope,
    accounts::{self, SealedAccount},
    syncs::{self, Fence},
};

use crate::{Parts, error::Error};

/// Attempts after which a phase that a marketplace does not answer is left for the next sync. A job has more of them,
/// since a process may also die with it.
const TRIES: i32 = 4;

/// The run of the job that carries a sync.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// The tenant.
    pub scope: TenantScope,
    /// Counts the runs of the job; a later run has a higher number.
    pub run: i64,
    /// Counts the attempts, from 1.
    pub attempt: i32,
    /// Whether the job is given up if this attempt fails.
    pub last_attempt: bool,
    /// How long the job rests before the next attempt.
    pub pause: Duration,
}

/// How far a run of a job carried a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// What is to become of the job.
    pub outcome: Outcome,
    /// What the sync did, if it has ended.
    pub report: Option<SyncReport>,
}

impl JobContext {
    /// Whether a marketplace that does not answer is not to be tried again in this sync.
    fn out_of_tries(&self) -> bool {
        self.last_attempt || self.attempt >= TRIES
    }
}

impl Carried {
    const fn nothing_to_do() -> Self {
        Self { outcome: Outcome::Done, report: None }
    }
}

/// What a sync did, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncReport {
    /// The marketplace.
    pub marketplace: MarketplaceCode,
    /// How it ended.
    pub state: SyncState,
    /// From its start to its end.
    pub duration: Duration,
    /// Products read.
    pub products: u64,
    /// Rows that could not be read.
    pub failed: u64,
}

/// Carries syncs through and counts figures.
#[derive(Clone, Copy)]
pub struct SyncEngine<'a>(pub(crate) &'a Parts);

impl SyncEngine<'_> {
    /// Carries a sync as far as it goes now. A sync that is over, or that a later run has taken, is left alone.
    pub async fn run(self, job: &JobContext, sync: SyncId) -> Result<Carried, Error> {
        match self.carry(job, sync).await {
            // Another run of the job has taken the sync: whatever this one was doing has not happened.
            Err(Error::Overtaken) => Ok(Carried::nothing_to_do()),
            Err(error) if job.last_attempt => {
                // The job is done, so that nobody else tells of it.
                tracing::error!(%sync, %error, "a sync is given up");
                self.give_up(job, sync).await
            }
            carried => carried,
        }
    }

    async fn carry(self, job: &JobContext, sync: SyncId) -> Result<Carried, Error> {
        let fence = Fence { sync, run: job.run };
        let now = self.0.clock.now();
        let tx = self.0.db.write(&job.scope).await?;
        let Some(begun) = syncs::begin(&tx, fence, now).await? else { return Ok(Carried::nothing_to_do()) };
        let Some(account) = accounts::get(&tx, begun.run.account_id).await? else {
            return Ok(Carried::nothing_to_do());
        };
        tracing::Span::current().record("marketplace", account.account.marketplace.name());
        if account.account.state == AccountState::Paused {
            return ending::skip(tx, fence, &begun.run, now).await;
        }
        if begun.run.started_at == Some(now) {
            ending::note_start(&tx, &begun.run, now).await?;
        }
        let steps = syncs::steps(&tx, sync).await?;
        tx.commit().await?;
        let connector = self.connect(job, &account)?;
        run::Run::new(self.0, job, fence, account.account, connector, steps).carry().await
    }

    /// Opens an account with what its credential is known to grant.
    fn connect(self, job: &JobContext, stored: &SealedAccount) -> Result<Box<dyn Marketplace>, Error> {
        let account = &stored.account;
        let credential = self.0.open_credential(job.scope.tenant_id(), stored)?;
        let proven = Proven { seller: &account.seller, capabilities: &account.capabilities };
        self.0.marketplaces.connect(account.marketplace, &credential, Some(proven)).map_err(Error::internal)
    }

    /// Ends a sync that cannot be carried on because of something on our side.
    async fn give_up(self, job: &JobContext, sync: SyncId) -> Result<Carried, Error> {
        let now = self.0.clock.now();
        let tx = self.0.db.write(&job.scope).await?;
        let Some(found) = syncs::get(&tx, sync).await? else { return Ok(Carried::nothing_to_do()) };
        let error = ending::internal();
        ending::give_up(tx, &found.run, &error, now).await
    }
}
