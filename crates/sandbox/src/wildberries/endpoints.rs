//! The methods of the contract as data: who may call them and which limit they fall under.

use serde::{Deserialize, Serialize};

use super::auth::{AccountType, Category};
use super::errors::Family;
use super::groups::Group;

/// A method of the marketplace that the sandbox serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Whether the marketplace takes the token.
    Ping,
    /// Whose token it is.
    SellerInfo,
    /// Product cards in the order of change.
    Cards,
    /// Product cards in the trash.
    Trash,
    /// The seller's warehouses.
    Warehouses,
    /// Stock in one of them.
    SellerStock,
    /// Orders that the seller ships.
    AssemblyOrders,
    /// The report of order lines.
    Orders,
    /// The report of sales and returns.
    Sales,
    /// Stock in the marketplace's warehouses, at once.
    WbStocksReport,
    /// Stock in all of the seller's warehouses.
    SellerStocksReport,
    /// Asks for the asynchronous report of stock in the marketplace's warehouses.
    RemainsCreate,
    /// How far that report is.
    RemainsStatus,
    /// The report itself.
    RemainsDownload,
}

/// What is published of a method.
#[derive(Debug)]
pub(crate) struct Endpoint {
    method: &'static str,
    path: &'static str,
    /// The category the token must have; `None` where any token will do.
    pub(crate) category: Option<Category>,
    pub(crate) group: Group,
    types: &'static [AccountType],
}

impl Endpoint {
    /// What is said to a token of a type that is not let in.
    pub(crate) fn refusal_of(&self, account_type: AccountType) -> Option<&'static str> {
        if self.types.contains(&account_type) {
            return None;
        }
        Some(match account_type {
            AccountType::Basic => "base token is not allowed",
            AccountType::Test => "test token is not allowed",
            AccountType::Personal | AccountType::Service => "token is not allowed",
        })
    }
}

const CONTENT: Option<Category> = Some(Category::Content);
const MARKETPLACE: Option<Category> = Some(Category::Marketplace);
const ANALYTICS: Option<Category> = Some(Category::Analytics);
const STATISTICS: Option<Category> = Some(Category::Statistics);

const ALL_TYPES: &[AccountType] =
    &[AccountType::Basic, AccountType::Test, AccountType::Personal, AccountType::Service];
/// Methods that the marketplace's own test environment does not have.
const REAL_TYPES: &[AccountType] = &[AccountType::Basic, AccountType::Personal, AccountType::Service];
const FULL_TYPES: &[AccountType] = &[AccountType::Personal, AccountType::Service];

impl Operation {
    /// Every method, in the order of the published documents.
    pub const ALL: [Self; 14] = [
        Self::Ping,
        Self::SellerInfo,
        Self::Cards,
        Self::Trash,
        Self::SellerStock,
        Self::Warehouses,
        Self::AssemblyOrders,
        Self::WbStocksReport,
        Self::SellerStocksReport,
        Self::Orders,
        Self::Sales,
        Self::RemainsCreate,
        Self::RemainsStatus,
        Self::RemainsDownload,
    ];

    /// The HTTP method, in capitals.
    pub fn method(self) -> &'static str {
        self.endpoint().method
    }

    /// The path as it is published; a name in braces stands for one segment.
    pub fn path(self) -> &'static str {
        self.endpoint().path
    }

    pub(crate) const fn endpoint(self) -> Endpoint {
        let (method, path, category, group, types) = match self {
            Self::Ping => ("GET", "/ping", None, Group::Ping, ALL_TYPES),
            Self::SellerInfo => ("GET", "/api/v1/seller-info", None, Group::SellerInfo, REAL_TYPES),
            Self::Cards => ("POST", "/content/v2/get/cards/list", CONTENT, Group::Content, ALL_TYPES),
            Self::Trash => ("POST", "/content/v2/get/cards/trash", CONTENT, Group::Content, ALL_TYPES),
            Self::Warehouses => {
                ("GET", "/api/v3/warehouses", MARKETPLACE, Group::SellerWarehouses, ALL_TYPES)
            }
            Self::SellerStock => {
                ("POST", "/api/v3/stocks/{warehouseId}", MARKETPLACE, Group::SellerStocks, ALL_TYPES)
            }
            Self::AssemblyOrders => ("GET", "/api/v3/orders", MARKETPLACE, Group::AssemblyOrders, ALL_TYPES),
            Self::Orders => ("GET", "/api/v1/supplier/orders", STATISTICS, Group::Orders, REAL_TYPES),
            Self::Sales => ("GET", "/api/v1/supplier/sales", STATISTICS, Group::Sales, REAL_TYPES),
            Self::WbStocksReport => (
                "POST",
                "/api/analytics/v1/stocks-report/wb-warehouses",
                ANALYTICS,
                Group::WbStocksReport,
                FULL_TYPES,
            ),
            Self::SellerStocksReport => (
                "POST",
                "/api/analytics/v1/stocks-report/seller-warehouses",
                ANALYTICS,
                Group::SellerStocksReport,
                FULL_TYPES,
            ),
            Self::RemainsCreate => {
                ("GET", "/api/v1/warehouse_remains", ANALYTICS, Group::RemainsCreate, REAL_TYPES)
            }
            Self::RemainsStatus => (
                "GET",
                "/api/v1/warehouse_remains/tasks/{task_id}/status",
                ANALYTICS,
                Group::RemainsStatus,
                REAL_TYPES,
            ),
            Self::RemainsDownload => (
                "GET",
                "/api/v1/warehouse_remains/tasks/{task_id}/download",
                ANALYTICS,
                Group::RemainsDownload,
                REAL_TYPES,
            ),
        };
        Endpoint { method, path, category, group, types }
    }

    /// The method that a request calls.
    pub(crate) fn find(method: &str, path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| {
            let endpoint = operation.endpoint();
            endpoint.method == method && matches(endpoint.path, path)
        })
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(expected), Some(segment)) if expected.starts_with('{') && !segment.is_empty() => {}
            (Some(expected), Some(segment)) if expected == segment => {}
            _ => return false,
        }
    }
}

/// The family of errors that a path answers with.
pub(crate) fn family(path: &str) -> Family {
    if path.starts_with("/api/v3/") {
        Family::Marketplace
    } else if path.starts_with("/content/") {
        Family::Content
    } else if path.starts_with("/api/v1/supplier/") {
        Family::Statistics
    } else if path.starts_with("/api/") {
        Family::Reports
    } else {
        Family::Gateway
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_segment_by_segment() {
        let find = Operation::find;
        assert_eq!(find("POST", "/api/v3/stocks/17"), Some(Operation::SellerStock));
        assert_eq!(find("GET", "/api/v3/stocks/17"), None);
        assert_eq!(find("POST", "/api/v3/stocks/"), None);
        assert_eq!(find("POST", "/api/v3/stocks/17/more"), None);
        assert_eq!(find("GET", "/api/v1/supplier/stocks"), None, "switched off by the marketplace");
        assert_eq!(find("GET", "/api/v1/warehouse_remains/tasks/7/status"), Some(Operation::RemainsStatus));
        assert_eq!(find("GET", "/api/v1/warehouse_remains/tasks"), None);
    }
}
