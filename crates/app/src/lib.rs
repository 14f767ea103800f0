//! The use cases of the product.
//!
//! Each takes a [`Caller`] (somebody with a live session) or a job's scope and its input, checks the permission, opens
//! the unit of work, calls `storage` and `marketplaces`, and returns domain types. No HTTP words, no queues.

mod accounts;
mod analytics;
mod auth;
mod caller;
mod catalogue;
mod error;
mod explain;
mod exports;
mod figures;
mod idempotency;
mod imports;
mod schedule;
mod sync;
mod syncs;
mod tenants;

use std::sync::Arc;

use domain::clock::Clock;
use marketplaces::Factory;
use storage::{Db, vault::Vault};
use tokio::sync::Semaphore;

pub use accounts::{AccountChange, Accounts, NewAccount};
pub use analytics::Analytics;
pub use auth::{Auth, Registration, SignedIn, TokenSettings, VerifiedToken};
pub use caller::{Caller, Client};
pub use catalogue::{Catalogue, ProductQuery};
pub use error::{Conflict, CredentialRefusal, Error, FieldProblem, RefusalKind, Unauthenticated};
pub use exports::{Exports, ProductExport, ProductSummary, StockExport};
pub use idempotency::{Answer, Attempt, Idempotency, Ticket};
pub use imports::{ImportOptions, Imports, OpenedImport, ProductsImported, StockImported};
pub use schedule::{Scheduler, Ticked};
pub use sync::{Carried, JobContext, SyncEngine, SyncReport};
pub use syncs::{RequestedSync, SyncFilter, Syncs};
pub use tenants::{TenantChange, Tenants};

/// Everything the use cases work with.
pub(crate) struct Parts {
    pub(crate) db: Db,
    pub(crate) vault: Vault,
    pub(crate) marketplaces: Factory,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tokens: auth::TokenKeys,
    pub(crate) passwords: auth::Passwords,
    /// Places for exports.
    pub(crate) exports: Arc<Semaphore>,
    /// Places for imports.
    pub(crate) imports: Arc<Semaphore>,
}

/// The product: its use cases, grouped by what they are about. Cheap to clone.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

impl App {
    /// Puts the product together.
    pub fn new(
        db: Db,
        vault: Vault,
        marketplaces: Factory,
        clock: Arc<dyn Clock>,
        tokens: &TokenSettings,
    ) -> Self {
        let tokens = auth::TokenKeys::new(tokens);
        let passwords = auth::Passwords::new();
        let (exports, imports) = (exports::places(&db), imports::places());
        Self {
            parts: Arc::new(Parts { db, vault, marketplaces, clock, tokens, passwords, exports, imports }),
        }
    }

    /// The clock everything here goes by.
    pub fn clock(&self) -> &dyn Clock {
        self.parts.clock.as_ref()
    }

    /// Registering, signing in and out.
    pub fn auth(&self) -> Auth<'_> {
        Auth(&self.parts)
    }

    /// The caller's own company.
    pub fn tenants(&self) -> Tenants<'_> {
        Tenants(&self.parts)
    }

    /// Marketplace accounts.
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts(&self.parts)
    }

    /// Asking for syncs and watching them.
    pub fn syncs(&self) -> Syncs<'_> {
        Syncs(&self.parts)
    }

    /// The stock picture.
    pub fn catalogue(&self) -> Catalogue<'_> {
        Catalogue(&self.parts)
    }

    /// Figures over many products, warehouses and syncs at once.
    pub fn analytics(&self) -> Analytics<'_> {
        Analytics(&self.parts)
    }

    /// Taking the picture out as files.
    pub fn exports(&self) -> Exports<'_> {
        Exports(&self.parts)
    }

    /// Bringing a catalogue or stock in files.
    pub fn imports(&self) -> Imports<'_> {
        Imports(&self.parts)
    }

    /// Requests that must not happen twice.
    pub fn idempotency(&self) -> Idempotency<'_> {
        Idempotency(&self.parts)
    }

    /// Turning what is due into jobs.
    pub fn scheduler(&self) -> Scheduler<'_> {
        Scheduler(&self.parts)
    }

    /// Carrying out syncs and counting figures; called by jobs.
    pub fn sync_engine(&self) -> SyncEngine<'_> {
        SyncEngine(&self.parts)
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}
