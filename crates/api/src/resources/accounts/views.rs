//! Marketplace accounts on the wire.

use chrono::{DateTime, Utc};
use domain::marketplace::{Account, CredentialFacts, LastSync, Seller};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::view::{AccountState, Capability, Marketplace, SyncState};

/// A marketplace account.
#[derive(Serialize, ToSchema)]
#[schema(as = MarketplaceAccount)]
pub(super) struct AccountView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000010")]
    pub(super) id: Uuid,
    marketplace: Marketplace,
    /// Your own name for it.
    #[schema(example = "Main shop")]
    name: String,
    state: AccountState,
    seller: SellerView,
    /// What its credential lets be read.
    capabilities: Vec<Capability>,
    credentials: CredentialsView,
    /// Minutes between two syncs.
    #[schema(example = 30)]
    sync_interval_minutes: i32,
    /// The latest sync that ended.
    last_sync: Option<LastSyncView>,
    /// When it will be synced next; null while the schedule leaves it out.
    next_sync_at: Option<DateTime<Utc>>,
    /// When it was connected.
    created_at: DateTime<Utc>,
}

/// Whose account it is, by the marketplace's own word.
#[derive(Serialize, ToSchema)]
#[schema(as = Seller)]
struct SellerView {
    /// The marketplace's id.
    #[schema(example = "4000123")]
    external_id: String,
    /// The name there.
    #[schema(example = "Anna's Shop")]
    name: String,
}

/// What may be told of a credential.
#[derive(Serialize, ToSchema)]
#[schema(as = CredentialFacts)]
struct CredentialsView {
    /// Enough to recognise it, not enough to use it.
    #[schema(example = "eyJh…dXJl")]
    masked: String,
    /// When the marketplace stops accepting it; null where it does not say.
    expires_at: Option<DateTime<Utc>>,
    /// What it grants, in the marketplace's words.
    #[schema(example = json!(["content", "analytics"]))]
    scopes: Vec<String>,
    /// What type of credential it is, in the marketplace's words; null where there are no types.
    #[schema(example = "basic")]
    kind: Option<String>,
    /// What to know of this credential: what it does not allow, and what that slows down.
    #[schema(example = json!(["Orders can be read once in three hours."]))]
    notes: Vec<String>,
}

/// The latest sync, in short.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountLastSync)]
struct LastSyncView {
    state: SyncState,
    finished_at: DateTime<Utc>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.into(),
            marketplace: account.marketplace.into(),
            name: account.name,
            state: account.state.into(),
            seller: account.seller.into(),
            capabilities: account.capabilities.into_iter().map(Capability::from).collect(),
            credentials: account.credential.into(),
            sync_interval_minutes: account.sync_interval_minutes,
            last_sync: account.last_sync.map(LastSyncView::from),
            next_sync_at: account.next_sync_at,
            created_at: account.created_at,
        }
    }
}

impl From<Seller> for SellerView {
    fn from(seller: Seller) -> Self {
        Self { external_id: seller.external_id, name: seller.name }
    }
}

impl From<CredentialFacts> for CredentialsView {
    fn from(facts: CredentialFacts) -> Self {
        Self {
            masked: facts.masked,
            expires_at: facts.expires_at,
            scopes: facts.scopes,
            kind: facts.kind,
            notes: facts.notes,
        }
    }
}

impl From<LastSync> for LastSyncView {
    fn from(sync: LastSync) -> Self {
        Self { state: sync.state.into(), finished_at: sync.finished_at }
    }
}
