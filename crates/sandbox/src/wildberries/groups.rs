//! The published limits: which methods share one, and what it is for each type of token.

use std::time::Duration;

use super::auth::AccountType;

/// Methods that share one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Group {
    Ping,
    SellerInfo,
    Content,
    SellerWarehouses,
    SellerStocks,
    AssemblyOrders,
    WbStocksReport,
    SellerStocksReport,
    Orders,
    Sales,
    RemainsCreate,
    RemainsStatus,
    RemainsDownload,
}

/// The line of the published tables that a token falls under. Each counts for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Profile {
    /// Personal and Service tokens.
    Full,
    /// Basic tokens: where a table has a line for them, it is a slow one.
    Basic,
    /// Test tokens: one request a second for all methods of a category together.
    Test,
}

impl From<AccountType> for Profile {
    fn from(account_type: AccountType) -> Self {
        match account_type {
            AccountType::Basic => Self::Basic,
            AccountType::Test => Self::Test,
            AccountType::Personal | AccountType::Service => Self::Full,
        }
    }
}

/// One line of the published tables: a request is granted every `interval`, `burst` may be saved up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) interval: Duration,
    pub(crate) burst: i32,
}

impl Group {
    /// The group in whose stead this one counts: Test tokens have one limit for a whole category.
    pub(crate) fn counted_under(self, profile: Profile) -> Self {
        match (self, profile) {
            (Self::SellerStocks | Self::AssemblyOrders, Profile::Test) => Self::SellerWarehouses,
            _ => self,
        }
    }

    /// The limit of this group.
    pub(crate) fn rule(self, profile: Profile) -> Rule {
        const SECOND: u64 = 1000;
        const MINUTE: u64 = 60 * SECOND;
        const HOUR: u64 = 60 * MINUTE;
        let (interval_ms, burst) = match (self, profile) {
            (Self::Ping, _) => (10 * SECOND, 99),
            (_, Profile::Test) => (SECOND, 1),
            (Self::SellerInfo, Profile::Basic) => (24 * HOUR, 1),
            (Self::Orders, Profile::Basic) => (3 * HOUR, 1),
            (Self::Sales, Profile::Basic) => (2 * HOUR, 1),
            (Self::RemainsCreate | Self::RemainsStatus | Self::RemainsDownload, Profile::Basic) => {
                (15 * MINUTE, 1)
            }
            (Self::SellerInfo | Self::Orders, _) => (MINUTE, 10),
            (Self::Sales | Self::RemainsDownload, _) => (MINUTE, 1),
            (Self::RemainsCreate, _) => (MINUTE, 5),
            (Self::RemainsStatus, _) => (5 * SECOND, 5),
            (Self::Content, _) => (600, 5),
            (Self::SellerWarehouses | Self::SellerStocks | Self::AssemblyOrders, _) => (200, 20),
            (Self::WbStocksReport | Self::SellerStocksReport, _) => (20 * SECOND, 1),
        };
        Rule { interval: Duration::from_millis(interval_ms), burst }
    }

    /// How many requests an answer with a client error (4xx) counts for.
    pub(crate) fn error_cost(self, profile: Profile) -> i32 {
        match (self, profile) {
            (_, Profile::Test) => 1,
            (Self::SellerWarehouses | Self::SellerStocks | Self::AssemblyOrders, _) => 10,
            _ => 1,
        }
    }
}
