//! Bringing a catalogue or stock in files, for accounts that have no marketplace behind them.
//!
//! A file is taken as a whole or not at all, in one transaction. A rehearsal does the same work and takes it back, so
//! what it reports is what would happen. Lines are held in memory, so a few imports run at a time.

mod products;
mod stock;

use std::{sync::Arc, time::Duration};

use domain::{
    ids::AccountId,
    import::{Mode, Problems},
    marketplace::Account,
    role::Permission,
};
use storage::{TenantScope, WriteTx, accounts, imports};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::{products::ProductsImported, stock::StockImported};
use crate::{
    Parts,
    caller::Caller,
    error::{Conflict, Error},
};

/// Imports that run at a time in a process.
const PLACES: usize = 2;

/// How long a client is let wait for a place, and when to come again if none becomes free.
const PATIENCE: Duration = Duration::from_secs(10);

/// What readings by imports say of where they come from.
const SOURCE: &str = "import";

/// Places for imports.
pub(crate) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(PLACES))
}

/// How a file is to be taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// What becomes of what the file does not name.
    pub mode: Mode,
    /// Whether to report what would happen and change nothing.
    pub dry_run: bool,
}

/// The right to import a file into an account, and a place to do it.
#[derive(Debug)]
pub struct OpenedImport {
    scope: TenantScope,
    account: Account,
    _place: OwnedSemaphorePermit,
}

/// Imports.
#[derive(Clone, Copy)]
pub struct Imports<'a>(pub(crate) &'a Parts);

impl Imports<'_> {
    /// Begins an import: refuses who may not, and accounts whose figures are what a marketplace says. To be called
    /// before a file is looked at.
    pub async fn open(self, caller: &Caller, id: AccountId) -> Result<OpenedImport, Error> {
        let scope = caller.require(Permission::ImportFiles)?;
        let tx = self.0.db.read(scope).await?;
        let found = accounts::get(&tx, id).await?;
        tx.commit().await?;
        let account = found.ok_or(Error::NotFound)?.account;
        if account.marketplace.is_synced() {
            return Err(Error::Conflict(Conflict::NotImportable));
        }
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.0.imports).acquire_owned()).await;
        let place =
            place.map_err(|_| Error::Overloaded { retry_after: PATIENCE })?.map_err(Error::internal)?;
        Ok(OpenedImport { scope: scope.clone(), account, _place: place })
    }

    /// Begins the transaction of an import.
    async fn begin(self, opened: &OpenedImport) -> Result<WriteTx, Error> {
        let tx = self.0.db.write(&opened.scope).await?;
        // It may have been removed while the file was read.
        if imports::hold_account(&tx, opened.account.id).await? { Ok(tx) } else { Err(Error::NotFound) }
    }
}

/// Ends the transaction of an import: a rehearsal leaves nothing.
async fn end(tx: WriteTx, options: ImportOptions) -> Result<(), Error> {
    if options.dry_run {
        drop(tx);
        return Ok(());
    }
    storage::tenants::bump_catalogue_version(&tx).await?;
    Ok(tx.commit().await?)
}

/// A file with something wrong in it: told in a rehearsal, refused otherwise.
fn refuse<T>(
    options: ImportOptions,
    problems: Problems,
    report: impl FnOnce(Problems) -> T,
) -> Result<T, Error> {
    if options.dry_run { Ok(report(problems)) } else { Err(Error::ImportRefused(problems)) }
}
