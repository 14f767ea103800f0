//! The methods of the contract as data: who may call them and which limit they fall under.

use super::auth::Category;
use super::errors::Family;
use crate::limits::Group;

/// One method.
#[derive(Debug)]
pub(crate) struct Endpoint {
    method: &'static str,
    /// `*` stands for one segment.
    path: &'static str,
    /// The category the token must have; `None` where any token will do.
    pub(crate) category: Option<Category>,
    pub(crate) group: Group,
    /// Whether Basic tokens are let in at all.
    pub(crate) basic_tokens: bool,
}

const fn endpoint(
    method: &'static str,
    path: &'static str,
    category: Option<Category>,
    group: Group,
) -> Endpoint {
    Endpoint { method, path, category, group, basic_tokens: true }
}

const fn stock_report(path: &'static str, group: Group) -> Endpoint {
    Endpoint { basic_tokens: false, ..endpoint("POST", path, ANALYTICS, group) }
}

const CONTENT: Option<Category> = Some(Category::Content);
const MARKETPLACE: Option<Category> = Some(Category::Marketplace);
const ANALYTICS: Option<Category> = Some(Category::Analytics);
const STATISTICS: Option<Category> = Some(Category::Statistics);

const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/ping", None, Group::Ping),
    endpoint("GET", "/api/v1/seller-info", None, Group::SellerInfo),
    endpoint("POST", "/content/v2/get/cards/list", CONTENT, Group::Content),
    endpoint("POST", "/content/v2/get/cards/trash", CONTENT, Group::Content),
    endpoint("GET", "/api/v3/warehouses", MARKETPLACE, Group::SellerWarehouses),
    endpoint("POST", "/api/v3/stocks/*", MARKETPLACE, Group::SellerStocks),
    endpoint("GET", "/api/v3/orders", MARKETPLACE, Group::AssemblyOrders),
    endpoint("GET", "/api/v1/supplier/orders", STATISTICS, Group::Orders),
    stock_report("/api/analytics/v1/stocks-report/wb-warehouses", Group::WbStocksReport),
    stock_report("/api/analytics/v1/stocks-report/seller-warehouses", Group::SellerStocksReport),
];

/// The method that a request calls.
pub(crate) fn find(method: &str, path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.method == method && matches(endpoint.path, path))
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("*"), Some(segment)) if !segment.is_empty() => {}
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
        let group = |method, path| find(method, path).map(|endpoint| endpoint.group);
        assert_eq!(group("POST", "/api/v3/stocks/17"), Some(Group::SellerStocks));
        assert_eq!(group("GET", "/api/v3/stocks/17"), None);
        assert_eq!(group("POST", "/api/v3/stocks/"), None);
        assert_eq!(group("POST", "/api/v3/stocks/17/more"), None);
        assert_eq!(group("GET", "/api/v1/supplier/stocks"), None, "switched off by the marketplace");
    }
}
