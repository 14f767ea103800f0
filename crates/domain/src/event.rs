//! What happened in a tenant that others may want to hear of. Events are written in the transaction that causes them.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, SyncId},
    marketplace::MarketplaceCode,
    sync::{SyncCounts, SyncError, SyncState},
};

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// A sync began.
    #[serde(rename = "sync.started")]
    SyncStarted {
        /// Which sync.
        sync_id: SyncId,
        /// Of which account.
        account_id: AccountId,
        /// Of which marketplace.
        marketplace: MarketplaceCode,
    },
    /// A sync ended wholly or in part.
    #[serde(rename = "sync.completed")]
    SyncCompleted {
        /// Which sync.
        sync_id: SyncId,
        /// Of which account.
        account_id: AccountId,
        /// Of which marketplace.
        marketplace: MarketplaceCode,
        /// `completed` or `partial`.
        state: SyncState,
        /// What it did.
        counts: SyncCounts,
    },
    /// A sync ended without anything.
    #[serde(rename = "sync.failed")]
    SyncFailed {
        /// Which sync.
        sync_id: SyncId,
        /// Of which account.
        account_id: AccountId,
        /// Of which marketplace.
        marketplace: MarketplaceCode,
        /// Why.
        error: SyncError,
    },
    /// A marketplace refused an account's credential.
    #[serde(rename = "account.auth_failed")]
    AccountAuthFailed {
        /// Which account.
        account_id: AccountId,
        /// Of which marketplace.
        marketplace: MarketplaceCode,
        /// Why.
        error: SyncError,
    },
    /// A marketplace answers in a shape that is not its contract.
    #[serde(rename = "account.contract_changed")]
    AccountContractChanged {
        /// Which account noticed it.
        account_id: AccountId,
        /// Of which marketplace.
        marketplace: MarketplaceCode,
        /// What was unexpected.
        error: SyncError,
    },
}

impl Event {
    /// The published name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SyncStarted { .. } => "sync.started",
            Self::SyncCompleted { .. } => "sync.completed",
            Self::SyncFailed { .. } => "sync.failed",
            Self::AccountAuthFailed { .. } => "account.auth_failed",
            Self::AccountContractChanged { .. } => "account.contract_changed",
        }
    }
}
