//! Marketplaces, what they can do, and the accounts that tenants connect.

use std::{collections::BTreeMap, collections::BTreeSet, fmt, str::FromStr};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{calendar::Zone, clock::Timestamp, ids::AccountId, sync::SyncState};

/// A marketplace the product has a connector for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketplaceCode {
    /// wildberries.ru
    Wildberries,
    /// A shop run on Vendure.
    Vendure,
    /// No marketplace at all: a catalogue and stock that the tenant brings in files.
    Manual,
}

/// A name of no marketplace that has a connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown marketplace")]
pub struct UnknownMarketplace;

impl MarketplaceCode {
    /// Every marketplace with a connector.
    pub const ALL: [Self; 3] = [Self::Wildberries, Self::Vendure, Self::Manual];

    /// The stored and published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wildberries => "wildberries",
            Self::Vendure => "vendure",
            Self::Manual => "manual",
        }
    }

    /// The zone in which the marketplace counts days; none for shops, which count in their tenant's.
    pub const fn own_zone(self) -> Option<Zone> {
        match self {
            Self::Wildberries => Some(Zone::MOSCOW),
            Self::Vendure | Self::Manual => None,
        }
    }

    /// Whether it can be asked. What cannot is never synced, and changes by imports alone.
    pub const fn is_synced(self) -> bool {
        !matches!(self, Self::Manual)
    }

    /// The sides a seller's stock can be on.
    pub const fn sides(self) -> &'static [Side] {
        match self {
            Self::Wildberries => &[Side::Fbo, Side::Fbs],
            Self::Vendure | Self::Manual => &[Side::Fbs],
        }
    }
}

impl fmt::Display for MarketplaceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for MarketplaceCode {
    type Err = UnknownMarketplace;

    fn from_str(name: &str) -> Result<Self, UnknownMarketplace> {
        Self::ALL.into_iter().find(|code| code.name() == name).ok_or(UnknownMarketplace)
    }
}

/// Whose warehouses a part of the stock lies in. Each side is read, and fails, on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The marketplace's own warehouses.
    Fbo,
    /// The seller's warehouses.
    Fbs,
}

impl Side {
    /// The stored and published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fbo => "fbo",
            Self::Fbs => "fbs",
        }
    }

    /// The capability that reads this side.
    pub const fn capability(self) -> Capability {
        match self {
            Self::Fbo => Capability::StockMarketplace,
            Self::Fbs => Capability::StockSeller,
        }
    }
}

/// What kind of place a warehouse is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarehouseKind {
    /// A named place of the marketplace.
    Marketplace,
    /// A place of the seller.
    Seller,
    /// All of the marketplace's places as one row.
    Aggregate,
}

/// A name of no kind of warehouse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of warehouse")]
pub struct UnknownWarehouseKind;

impl WarehouseKind {
    /// The stored and published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Marketplace => "marketplace",
            Self::Seller => "seller",
            Self::Aggregate => "aggregate",
        }
    }

    /// The side its stock counts for.
    pub const fn side(self) -> Side {
        match self {
            Self::Marketplace | Self::Aggregate => Side::Fbo,
            Self::Seller => Side::Fbs,
        }
    }
}

impl FromStr for WarehouseKind {
    type Err = UnknownWarehouseKind;

    fn from_str(name: &str) -> Result<Self, UnknownWarehouseKind> {
        [Self::Marketplace, Self::Seller, Self::Aggregate]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or(UnknownWarehouseKind)
    }
}

/// Something that can be read from a marketplace; static by connector, and narrowed for each account by what its
/// credential grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// The catalogue.
    Products,
    /// The seller's warehouses.
    Locations,
    /// Stock in the marketplace's own warehouses.
    StockMarketplace,
    /// Stock in the seller's warehouses.
    StockSeller,
    /// Order lines.
    Orders,
}

/// A set of capabilities.
pub type Capabilities = BTreeSet<Capability>;

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Synced on schedule.
    Active,
    /// The credential was refused; waits for a new one.
    AuthFailed,
    /// Switched off by the tenant.
    Paused,
    /// Synced, but the credential does not grant every capability.
    Limited,
}

/// A name of no account state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown account state")]
pub struct UnknownAccountState;

impl AccountState {
    /// The stored and published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::AuthFailed => "auth_failed",
            Self::Paused => "paused",
            Self::Limited => "limited",
        }
    }

    /// Whether the schedule syncs an account in this state.
    pub const fn is_scheduled(self) -> bool {
        matches!(self, Self::Active | Self::Limited)
    }
}

impl FromStr for AccountState {
    type Err = UnknownAccountState;

    fn from_str(name: &str) -> Result<Self, UnknownAccountState> {
        [Self::Active, Self::AuthFailed, Self::Paused, Self::Limited]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or(UnknownAccountState)
    }
}

/// One field of a marketplace's credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialField {
    /// The field's name in `credentials`.
    pub name: &'static str,
    /// What it is called in the marketplace's cabinet.
    pub title: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it must never be shown again.
    pub secret: bool,
    /// Most characters it may have.
    pub max_length: usize,
}

/// What a connector says of itself.
#[derive(Debug)]
pub struct Descriptor {
    /// Which marketplace.
    pub code: MarketplaceCode,
    /// Its name as sellers write it.
    pub title: &'static str,
    /// Where its API is documented.
    pub docs_url: &'static str,
    /// Everything the connector can read with the best credential.
    pub capabilities: &'static [Capability],
    /// What to ask of the seller.
    pub credential_fields: &'static [CredentialField],
    /// What a seller should know before making a credential.
    pub notes: &'static str,
}

/// A credential in the clear. Exists only inside the call that uses it.
#[derive(Debug, Clone)]
pub struct Credential(BTreeMap<String, SecretString>);

impl Credential {
    /// A credential of named fields.
    pub fn new(fields: BTreeMap<String, SecretString>) -> Self {
        Self(fields)
    }

    /// One field.
    pub fn field(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name)
    }

    /// All fields, for sealing.
    pub fn fields(&self) -> &BTreeMap<String, SecretString> {
        &self.0
    }
}

/// Whose account it is, by the marketplace's own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// The marketplace's stable id of the seller.
    pub external_id: String,
    /// The seller's name there.
    pub name: String,
}

/// What may be told of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialFacts {
    /// Enough to recognise it, not enough to use it.
    pub masked: String,
    /// When the marketplace stops accepting it, if it says so.
    pub expires_at: Option<Timestamp>,
    /// What the marketplace calls the rights of it.
    pub scopes: Vec<String>,
    /// What type of credential the marketplace says it is, such as `basic`, where there are several.
    pub kind: Option<String>,
    /// What the seller should know of this credential: what it does not allow, and what that slows down.
    pub notes: Vec<String>,
}

/// What a marketplace says of a credential when asked with a real call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountInfo {
    /// Whose it is.
    pub seller: Seller,
    /// What may be told of it.
    pub facts: CredentialFacts,
    /// What it can read.
    pub capabilities: Capabilities,
    /// Minutes below which a sync would only wait for the limits of this credential, where that is longer than the
    /// usual interval.
    pub slowest_interval_minutes: Option<i32>,
}

/// A marketplace account as its tenant sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Identity.
    pub id: AccountId,
    /// Which marketplace.
    pub marketplace: MarketplaceCode,
    /// The tenant's own name for it.
    pub name: String,
    /// How it stands.
    pub state: AccountState,
    /// Whose it is.
    pub seller: Seller,
    /// What its credential can read.
    pub capabilities: Capabilities,
    /// What may be told of the credential.
    pub credential: CredentialFacts,
    /// The zone in which its days are counted.
    pub zone: Zone,
    /// Minutes between two syncs.
    pub sync_interval_minutes: i32,
    /// The latest sync that ended.
    pub last_sync: Option<LastSync>,
    /// When the schedule will sync it; none when it will not.
    pub next_sync_at: Option<Timestamp>,
    /// When it was connected.
    pub created_at: Timestamp,
}

/// The latest sync of an account, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSync {
    /// How it ended.
    pub state: SyncState,
    /// When it ended.
    pub finished_at: Timestamp,
}
