//! Asking for syncs and watching them.

use domain::{
    ids::{AccountId, JobId, SyncId},
    marketplace::AccountState,
    page::{Page, PageRequest},
    role::Permission,
    sync::{SyncRun, SyncState, SyncTrigger},
};
use storage::{accounts, syncs};

use crate::{
    Parts,
    caller::Caller,
    error::{Conflict, Error},
    sync::request,
};

/// A sync that has been asked for, now or earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedSync {
    /// The sync.
    pub sync_id: SyncId,
    /// The job that carries it through.
    pub task_id: JobId,
    /// Of which account.
    pub account_id: AccountId,
    /// How far it is.
    pub state: SyncState,
}

/// What syncs a list wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncFilter {
    /// Of one account.
    pub account_id: Option<AccountId>,
    /// In one state.
    pub state: Option<SyncState>,
}

/// Syncs.
#[derive(Clone, Copy)]
pub struct Syncs<'a>(pub(crate) &'a Parts);

impl Syncs<'_> {
    /// Asks for a sync of an account. One that is pending or running is given instead of a second.
    pub async fn request(self, caller: &Caller, id: AccountId) -> Result<RequestedSync, Error> {
        let tx = self.0.db.write(caller.require(Permission::RunSyncs)?).await?;
        let account = accounts::get(&tx, id).await?.ok_or(Error::NotFound)?.account;
        if !account.marketplace.is_synced() {
            return Err(Error::Conflict(Conflict::NotSynced));
        }
        let now = self.0.clock.now();
        let requested = request::sync(&tx, id, account.marketplace, SyncTrigger::Manual, now).await?;
        tx.commit().await?;
        Ok(requested)
    }

    /// The same for every account that can be synced and is not paused, oldest account first.
    pub async fn request_all(self, caller: &Caller) -> Result<Vec<RequestedSync>, Error> {
        let tx = self.0.db.write(caller.require(Permission::RunSyncs)?).await?;
        let mut requested = Vec::new();
        for account in accounts::all(&tx).await? {
            if account.marketplace.is_synced() && account.state != AccountState::Paused {
                let now = self.0.clock.now();
                requested.push(
                    request::sync(&tx, account.id, account.marketplace, SyncTrigger::Manual, now).await?,
                );
            }
        }
        tx.commit().await?;
        if requested.is_empty() { Err(Error::Conflict(Conflict::NoAccount)) } else { Ok(requested) }
    }

    /// Syncs, newest first.
    pub async fn list(
        self,
        caller: &Caller,
        filter: &SyncFilter,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>, Error> {
        let tx = self.0.db.read(caller.require(Permission::Read)?).await?;
        let found = syncs::list(&tx, filter.account_id, filter.state, page).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// One sync.
    pub async fn get(self, caller: &Caller, id: SyncId) -> Result<SyncRun, Error> {
        let tx = self.0.db.read(caller.require(Permission::Read)?).await?;
        let found = syncs::get(&tx, id).await?;
        tx.commit().await?;
        Ok(found.ok_or(Error::NotFound)?.run)
    }

    /// Asks a sync to stop. One that has not begun, or that waits, stops at once; one that reads, after its page. What is
    /// committed stays.
    pub async fn cancel(self, caller: &Caller, id: SyncId) -> Result<SyncRun, Error> {
        let tx = self.0.db.write(caller.require(Permission::RunSyncs)?).await?;
        let found = syncs::get(&tx, id).await?.ok_or(Error::NotFound)?;
        if found.run.state.is_final() {
            return Err(Error::Conflict(Conflict::SyncEnded));
        }
        let now = self.0.clock.now();
        if syncs::cancel_idle(&tx, id, now).await? {
            accounts::note_sync(&tx, found.run.account_id, SyncState::Cancelled, now).await?;
        } else {
            syncs::request_cancel(&tx, id).await?;
        }
        let run = syncs::get(&tx, id).await?.ok_or(Error::NotFound)?.run;
        tx.commit().await?;
        Ok(run)
    }
}
