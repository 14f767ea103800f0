//! Closed sets of words, spelled as the contract has them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Declares a set of words for a set of the domain; a new member there does not compile until it is here.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident of $domain:path { $($(#[$word:meta])* $member:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($(#[$word])* $member,)*
        }

        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                use $domain as Domain;
                match word { $(Domain::$member => Self::$member,)* }
            }
        }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                use $domain as Domain;
                match word { $($name::$member => Domain::$member,)* }
            }
        }
    )*};
}

words! {
    /// A marketplace; `manual` is none: a catalogue and stock that come in files.
    Marketplace of domain::marketplace::MarketplaceCode { Wildberries, Vendure, Manual }
    /// Something that a credential lets be read.
    Capability of domain::marketplace::Capability { Products, Locations, StockMarketplace, StockSeller, Orders }
    /// How an account stands: `active`, `auth_failed` (waits for a new credential), `paused`, `limited` (the
    /// credential does not grant everything).
    AccountState of domain::marketplace::AccountState { Active, AuthFailed, Paused, Limited }
    /// What kind of place a warehouse is: one of the marketplace, one of the seller, or all of the marketplace's as
    /// one.
    WarehouseKind of domain::marketplace::WarehouseKind { Marketplace, Seller, Aggregate }
    /// How far a sync is, and how it ended.
    SyncState of domain::sync::SyncState { Pending, Running, Completed, Partial, Failed, Skipped, Cancelled }
    /// Why a sync was asked for.
    SyncTrigger of domain::sync::SyncTrigger { Manual, Schedule, Retry }
    /// A stretch of a sync.
    Phase of domain::sync::Phase { Products, Locations, StockSeller, StockMarketplace, Orders, Figures }
    /// Whether a product is in the marketplace's catalogue.
    ProductStatus of domain::picture::ProductStatus { Active, Inactive }
    /// What changed a stock level: another number that a sync read, or a file that was imported.
    Cause of domain::picture::Cause { Sync, Import }
    /// Why days of cover are or are not a number.
    CoverState of domain::figures::CoverState { Ok, NoSales, OutOfStock }
    /// How much stock there is: 0 out, 1-5 critical, 6-20 low, 21-50 medium, 51-100 good, more excellent.
    StockState of domain::figures::StockState { Out, Critical, Low, Medium, Good, Excellent }
    /// Standing in a company; each may do all that the ones before it may.
    Role of domain::role::Role { Viewer, Member, Admin, Owner }
}

#[cfg(test)]
mod tests {
    use domain::{figures, marketplace, role};

    use super::*;

    fn word(value: impl Serialize) -> String {
        serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn words_are_spelled_as_the_domain_publishes_them() {
        for state in domain::sync::SyncState::ALL {
            assert_eq!(word(SyncState::from(state)), state.name());
        }
        for phase in domain::sync::Phase::ALL {
            assert_eq!(word(Phase::from(phase)), phase.name());
        }
        for code in domain::marketplace::MarketplaceCode::ALL {
            assert_eq!(word(Marketplace::from(code)), code.name());
        }
        for state in [marketplace::AccountState::AuthFailed, marketplace::AccountState::Limited] {
            assert_eq!(word(AccountState::from(state)), state.name());
        }
        for state in [figures::CoverState::NoSales, figures::CoverState::OutOfStock] {
            assert_eq!(word(CoverState::from(state)), state.name());
        }
        assert_eq!(word(Role::from(role::Role::Owner)), role::Role::Owner.name());
    }
}
