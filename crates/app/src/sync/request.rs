//! Asking for a sync, within the transaction that makes it necessary.

use std::time::Duration;

use domain::{
    clock::Timestamp,
    ids::{AccountId, SyncId},
    job::Job,
    marketplace::MarketplaceCode,
    sync::{SyncState, SyncTrigger},
};
use storage::{
    WriteTx, jobs,
    jobs::Enqueued,
    syncs::{self, Carried, NewSync},
};

use super::ending;
use crate::{error::Error, syncs::RequestedSync};

/// Asks for a sync, or gives the one that is pending or running. One whose job has died is ended first: nobody else
/// would, and no other could begin.
pub(crate) async fn sync(
    tx: &WriteTx,
    account: AccountId,
    marketplace: MarketplaceCode,
    trigger: SyncTrigger,
    now: Timestamp,
) -> Result<RequestedSync, Error> {
    if let Some(live) = syncs::live(tx, account).await? {
        if let Some(alive) = still_carried(tx, &live).await? {
            return Ok(alive);
        }
        syncs::give_up(tx, live.run.id, &ending::internal(), now).await?;
    }
    let id = SyncId::generate();
    match syncs::insert(tx, NewSync { id, account, marketplace, trigger, at: now }).await {
        // Somebody asked at this very moment, and was first: theirs is the sync there is.
        Err(storage::Error::Duplicate) => return asked_by_another(tx, account).await,
        inserted => inserted?,
    }
    let job = Job::SyncAccount { sync_id: id, account_id: account };
    let Enqueued::New(task_id) = jobs::enqueue(tx, &job, Duration::ZERO).await? else {
        unreachable!("the job of a sync that has just been made is new");
    };
    syncs::set_job(tx, id, task_id).await?;
    Ok(RequestedSync { sync_id: id, task_id, account_id: account, state: SyncState::Pending })
}

async fn asked_by_another(tx: &WriteTx, account: AccountId) -> Result<RequestedSync, Error> {
    let live = syncs::live(tx, account).await?;
    let found = match &live {
        Some(live) => still_carried(tx, live).await?,
        None => None,
    };
    // Between the two looks it has ended already; whoever asks again gets a new one.
    found.ok_or(Error::Unavailable(storage::Error::Overtaken))
}

async fn still_carried(tx: &WriteTx, live: &Carried) -> Result<Option<RequestedSync>, Error> {
    let Some(task_id) = live.job_id else { return Ok(None) };
    let carried = syncs::job_is_live(tx, task_id).await?;
    Ok(carried.then_some(RequestedSync {
        sync_id: live.run.id,
        task_id,
        account_id: live.run.account_id,
        state: live.run.state,
    }))
}
