//! Identifiers, one type for each kind, so that mixing two up does not compile.
//!
//! All are UUIDv7: they sort by the moment they were made.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not the id of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct MalformedId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, later in order than every id made before it in this process.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id as it is stored.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }

        impl From<$name> for Uuid {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            /// Accepts only the canonical hyphenated form, so that one id has one spelling.
            fn from_str(text: &str) -> Result<Self, MalformedId> {
                let id = Uuid::try_parse(text).map_err(|_| MalformedId)?;
                if text.len() == 36 { Ok(Self(id)) } else { Err(MalformedId) }
            }
        }
    )*};
}

ids! {
    /// A marketplace account of a tenant.
    AccountId;
    /// Something that happened in a tenant and that others may want to hear of.
    EventId;
    /// A unit of background work.
    JobId;
    /// An order line of a marketplace, as we keep it.
    OrderLineId;
    /// A row of the ledger of stock changes.
    MovementId;
    /// One reading of an account's catalogue or stock from beginning to end: by a sync, or by an import.
    PassId;
    /// One listing of a seller on a marketplace account.
    ProductId;
    /// A signed-in device of a user; it outlives the rotation of its refresh tokens.
    SessionId;
    /// One run of a sync of a marketplace account.
    SyncId;
    /// A company that uses the product.
    TenantId;
    /// A person who can sign in; may be a member of several tenants.
    UserId;
    /// The sellable unit of a product.
    VariantId;
    /// A place that holds stock, within one marketplace account.
    WarehouseId;
    /// A change of the zone in which a tenant counts days.
    ZoneChangeId;
}

impl From<SyncId> for PassId {
    /// A sync is one pass.
    fn from(sync: SyncId) -> Self {
        Self(sync.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let id = ProductId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "1", "%00", &id.as_uuid().simple().to_string(), &format!("{{{id}}}")] {
            assert_eq!(wrong.parse::<ProductId>(), Err(MalformedId), "{wrong}");
        }
    }

    #[test]
    fn ids_sort_by_the_moment_they_were_made() {
        let ids: Vec<_> = std::iter::repeat_with(SyncId::generate).take(100).collect();
        assert!(ids.is_sorted());
    }
}
