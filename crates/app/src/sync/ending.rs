//! How syncs end, and what is told of it.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    event::Event,
    job::Outcome,
    marketplace::{Account, AccountState, Side},
    sync::{Phase, SyncError, SyncRun, SyncState},
};
use storage::{
    WriteTx, accounts, events,
    readings::{self, Subject},
    schedule,
    syncs::{self, Fence, StepState},
    tenants,
};

use super::{Carried, SyncReport, run::Run};
use crate::error::Error;

/// Why a run ends its sync.
#[derive(Debug)]
pub(super) enum How {
    /// Every phase has been tried.
    ByItself,
    /// The credential is refused altogether.
    Refused(SyncError),
    /// The tenant wants it.
    Cancelled,
}

/// Ends a sync with what its phases have come to.
pub(super) async fn end(run: Run<'_>, how: How) -> Result<Carried, Error> {
    let (state, error) = match &how {
        How::Cancelled => (SyncState::Cancelled, None),
        How::ByItself | How::Refused(_) => verdict(&run),
    };
    let now = run.now();
    let tx = run.begin().await?;
    syncs::finish(&tx, run.fence, state, error.as_ref(), now).await?;
    accounts::note_sync(&tx, run.account.id, state, now).await?;
    let standing = standing(&run, &how);
    let stored = accounts::get(&tx, run.account.id).await?.ok_or(Error::Overtaken)?.account;
    // Whoever paused the account while it was read is not overruled.
    if stored.state != AccountState::Paused && stored.state != standing {
        accounts::set_state(&tx, run.account.id, standing, now).await?;
        if standing.is_scheduled() && stored.next_sync_at.is_none() {
            let interval = TimeDelta::minutes(stored.sync_interval_minutes.into());
            schedule::set_next_sync(&tx, run.account.id, Some(now + interval)).await?;
        }
    }
    if let How::Refused(error) = &how {
        schedule::set_next_sync(&tx, run.account.id, None).await?;
        let refused = Event::AccountAuthFailed {
            account_id: run.account.id,
            marketplace: run.account.marketplace,
            error: error.clone(),
        };
        events::record(&tx, &refused, now).await?;
    }
    conclude(tx, run.fence.sync, now).await
}

/// `completed` if every granted phase was read wholly, `failed` if none was, else `partial`.
fn verdict(run: &Run<'_>) -> (SyncState, Option<SyncError>) {
    let readings = Phase::ALL.into_iter().filter(|phase| *phase != Phase::Figures);
    let states: Vec<Option<StepState>> = readings.clone().map(|phase| run.state_of(phase)).collect();
    let whole =
        |state: &Option<StepState>| matches!(state, Some(StepState::Complete | StepState::NotGranted));
    let something =
        states.iter().any(|state| matches!(state, Some(StepState::Complete | StepState::Partial)));
    let error = readings
        .filter(|phase| run.state_of(*phase) != Some(StepState::NotGranted))
        .find_map(|phase| run.steps.get(&phase).and_then(|step| step.error.clone()));
    match (states.iter().all(whole), something) {
        (true, _) => (SyncState::Completed, None),
        (false, true) => (SyncState::Partial, error),
        (false, false) => (SyncState::Failed, error),
    }
}

/// How the account stands after the sync.
fn standing(run: &Run<'_>, how: &How) -> AccountState {
    let limited =
        run.connector.descriptor().capabilities.iter().any(|c| !run.account.capabilities.contains(c));
    match how {
        How::Refused(_) => AccountState::AuthFailed,
        How::Cancelled => run.account.state,
        How::ByItself if limited => AccountState::Limited,
        How::ByItself => AccountState::Active,
    }
}

/// Tells that a sync has begun.
pub(super) async fn note_start(tx: &WriteTx, run: &SyncRun, now: Timestamp) -> Result<(), Error> {
    let started =
        Event::SyncStarted { sync_id: run.id, account_id: run.account_id, marketplace: run.marketplace };
    events::record(tx, &started, now).await?;
    Ok(())
}

/// Tells that a marketplace answers something other than its contract, and marks what can no longer be read.
pub(super) async fn note_drift(
    tx: &WriteTx,
    account: &Account,
    phase: Phase,
    error: &SyncError,
    now: Timestamp,
) -> Result<(), Error> {
    let changed = Event::AccountContractChanged {
        account_id: account.id,
        marketplace: account.marketplace,
        error: error.clone(),
    };
    events::record(tx, &changed, now).await?;
    let subject = match phase {
        Phase::Products => Subject::Products,
        // The seller's side cannot be asked for without its warehouses.
        Phase::StockSeller | Phase::Locations => Subject::Stock(Side::Fbs),
        Phase::StockMarketplace => Subject::Stock(Side::Fbo),
        Phase::Orders => Subject::Orders,
        Phase::Figures => return Ok(()),
    };
    readings::note_drift(tx, account.id, subject, now).await?;
    tenants::bump_catalogue_version(tx).await?;
    Ok(())
}

/// Ends the sync of a paused account before it begins.
pub(super) async fn skip(tx: WriteTx, fence: Fence, run: &SyncRun, now: Timestamp) -> Result<Carried, Error> {
    syncs::finish(&tx, fence, SyncState::Skipped, None, now).await?;
    accounts::note_sync(&tx, run.account_id, SyncState::Skipped, now).await?;
    conclude(tx, fence.sync, now).await
}

/// Ends a sync that nobody can carry on.
pub(super) async fn give_up(
    tx: WriteTx,
    run: &SyncRun,
    error: &SyncError,
    now: Timestamp,
) -> Result<Carried, Error> {
    if run.state.is_final() {
        return Ok(Carried::nothing_to_do());
    }
    syncs::give_up(&tx, run.id, error, now).await?;
    accounts::note_sync(&tx, run.account_id, SyncState::Failed, now).await?;
    conclude(tx, run.id, now).await
}

/// What a seller is told when the fault is ours.
pub(super) fn internal() -> SyncError {
    SyncError {
        code: "internal".into(),
        message: "Something went wrong on our side. Your last figures are kept, and we have been told."
            .into(),
    }
}

/// Tells that a sync has ended, commits, and reports.
async fn conclude(tx: WriteTx, sync: domain::ids::SyncId, now: Timestamp) -> Result<Carried, Error> {
    let run = syncs::get(&tx, sync).await?.ok_or(Error::NotFound)?.run;
    if let Some(event) = ended(&run) {
        events::record(&tx, &event, now).await?;
    }
    tx.commit().await?;
    let since = run.started_at.unwrap_or(now);
    let report = SyncReport {
        marketplace: run.marketplace,
        state: run.state,
        duration: (now - since).to_std().unwrap_or(Duration::ZERO),
        products: u64::try_from(run.counts.products).unwrap_or(0),
        failed: u64::try_from(run.counts.failed).unwrap_or(0),
    };
    Ok(Carried { outcome: Outcome::Done, report: Some(report) })
}

fn ended(run: &SyncRun) -> Option<Event> {
    let (sync_id, account_id, marketplace) = (run.id, run.account_id, run.marketplace);
    match run.state {
        SyncState::Completed | SyncState::Partial => Some(Event::SyncCompleted {
            sync_id,
            account_id,
            marketplace,
            state: run.state,
            counts: run.counts,
        }),
        SyncState::Failed => Some(Event::SyncFailed {
            sync_id,
            account_id,
            marketplace,
            error: run.error.clone().unwrap_or_else(internal),
        }),
        SyncState::Pending | SyncState::Running | SyncState::Skipped | SyncState::Cancelled => None,
    }
}
