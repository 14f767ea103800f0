//! The methods that are called, and the limits they count in.
//!
//! A seller has one budget for each group of methods, whatever token a call carries. Some types of token have a narrower
//! one besides: both are asked for together, so that a slow token waits for itself and not for the others.

use std::time::Duration;

use domain::{limit::Rate, marketplace::Capability};

use super::{hosts::Category, token::Kind};

const MINUTE: Duration = Duration::from_mins(1);
const QUARTER: Duration = Duration::from_mins(15);

/// Time in which a Basic token earns back its one call for orders.
pub(super) const BASIC_ORDERS: Duration = Duration::from_hours(3);

/// Time in which a Basic token earns back its one call for a report of stock.
pub(super) const BASIC_REMAINS: Duration = QUARTER;

/// Time in which a Test token earns back its one call for a category.
const TEST: Duration = Duration::from_secs(1);

/// Methods that share a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub name: &'static str,
    /// Time in which one call is earned back.
    pub interval: Duration,
    /// Calls that may be made at once, as documented.
    pub burst: u32,
    /// As how many calls a 4xx answer counts.
    pub error_cost: u32,
    /// Time in which a Basic token earns back its one call, where it has a line of its own in the published table.
    basic: Option<Duration>,
}

impl Group {
    const fn new(name: &'static str, interval: Duration, burst: u32) -> Self {
        Self { name, interval, burst, error_cost: 1, basic: None }
    }

    const fn basic(self, interval: Duration) -> Self {
        Self { basic: Some(interval), ..self }
    }

    /// The rate to keep to: one below the burst, because a call that was long on its way arrives closer to the next
    /// one than it left.
    pub(super) const fn rate(self, interval: Duration) -> Rate {
        Rate { interval, burst: if self.burst > 1 { self.burst - 1 } else { 1 } }
    }
}

const CONTENT: Group = Group::new("content", Duration::from_millis(600), 5);
/// Warehouses, their stock and assembly orders are documented as separate budgets of one size; as one they are never
/// exceeded, however the marketplace counts.
const MARKETPLACE: Group =
    Group { error_cost: 10, ..Group::new("marketplace", Duration::from_millis(200), 20) };
const STOCKS_REPORT: Group = Group::new("stocks_report", Duration::from_secs(20), 1);
const SELLER_STOCKS_REPORT: Group = Group::new("seller_stocks_report", Duration::from_secs(20), 1);
const REMAINS_CREATE: Group = Group::new("remains_create", MINUTE, 5).basic(BASIC_REMAINS);
const REMAINS_STATUS: Group = Group::new("remains_status", Duration::from_secs(5), 5).basic(BASIC_REMAINS);
const REMAINS_DOWNLOAD: Group = Group::new("remains_download", MINUTE, 1).basic(BASIC_REMAINS);
const ORDERS: Group = Group::new("orders", MINUTE, 10).basic(BASIC_ORDERS);
const SELLER_INFO: Group = Group::new("seller_info", MINUTE, 10).basic(Duration::from_hours(24));

/// One method.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub operation: &'static str,
    pub category: Category,
    pub group: Group,
    /// What is off when the token does not cover the method.
    pub capability: Option<Capability>,
    /// Whether its path names an entity that may not exist.
    pub of_entity: bool,
    /// Most bytes of an answer.
    pub max_bytes: usize,
}

impl Endpoint {
    /// The narrower budget that a type of token has, without any burst: its name, and the time in which a call is
    /// earned back. A token of no known type may be any of them.
    pub(super) fn narrower(&self, kind: Kind) -> Option<(String, Duration)> {
        match kind {
            Kind::Personal | Kind::Service => None,
            Kind::Basic | Kind::Unknown => Some((format!("{}_basic", self.group.name), self.group.basic?)),
            Kind::Test => Some((format!("test_{}", self.category.name()), TEST)),
        }
    }
}

const MIB: usize = 1024 * 1024;

pub(super) const SELLER: Endpoint = Endpoint {
    operation: "seller_info",
    category: Category::Common,
    group: SELLER_INFO,
    capability: None,
    of_entity: false,
    max_bytes: MIB,
};

pub(super) const CARDS: Endpoint = Endpoint {
    operation: "cards",
    category: Category::Content,
    group: CONTENT,
    capability: Some(Capability::Products),
    of_entity: false,
    max_bytes: 32 * MIB,
};

pub(super) const TRASH: Endpoint = Endpoint { operation: "trash", ..CARDS };

pub(super) const WAREHOUSES: Endpoint = Endpoint {
    operation: "warehouses",
    category: Category::Marketplace,
    group: MARKETPLACE,
    capability: Some(Capability::Locations),
    of_entity: false,
    max_bytes: 8 * MIB,
};

pub(super) const SELLER_STOCK: Endpoint = Endpoint {
    operation: "seller_stock",
    capability: Some(Capability::StockSeller),
    of_entity: true,
    ..WAREHOUSES
};

pub(super) const ASSEMBLIES: Endpoint = Endpoint { operation: "assemblies", ..WAREHOUSES };

pub(super) const MARKETPLACE_STOCK: Endpoint = Endpoint {
    operation: "marketplace_stock",
    category: Category::Analytics,
    group: STOCKS_REPORT,
    capability: Some(Capability::StockMarketplace),
    of_entity: false,
    max_bytes: 64 * MIB,
};

pub(super) const SELLER_STOCK_REPORT: Endpoint = Endpoint {
    operation: "seller_stock_report",
    group: SELLER_STOCKS_REPORT,
    capability: Some(Capability::StockSeller),
    ..MARKETPLACE_STOCK
};

pub(super) const REMAINS_CREATED: Endpoint =
    Endpoint { operation: "remains_create", group: REMAINS_CREATE, max_bytes: MIB, ..MARKETPLACE_STOCK };

pub(super) const REMAINS_STATE: Endpoint =
    Endpoint { operation: "remains_status", group: REMAINS_STATUS, of_entity: true, ..REMAINS_CREATED };

/// About a kilobyte for each size; it is read while it arrives.
pub(super) const REMAINS: Endpoint = Endpoint {
    operation: "remains_download",
    group: REMAINS_DOWNLOAD,
    of_entity: true,
    max_bytes: 256 * MIB,
    ..MARKETPLACE_STOCK
};

/// About 80,000 rows of close to a kilobyte is what one answer may hold.
pub(super) const ORDER_LINES: Endpoint = Endpoint {
    operation: "orders",
    category: Category::Statistics,
    group: ORDERS,
    capability: Some(Capability::Orders),
    of_entity: false,
    max_bytes: 128 * MIB,
};

const PING: &str = "ping";

/// The name of every method.
pub(super) const OPERATIONS: [&str; 13] = [
    PING,
    SELLER.operation,
    CARDS.operation,
    TRASH.operation,
    WAREHOUSES.operation,
    SELLER_STOCK.operation,
    SELLER_STOCK_REPORT.operation,
    ASSEMBLIES.operation,
    MARKETPLACE_STOCK.operation,
    REMAINS_CREATED.operation,
    REMAINS_STATE.operation,
    REMAINS.operation,
    ORDER_LINES.operation,
];

/// Whether a host takes the token; every host counts for itself.
pub(super) const fn ping(category: Category) -> Endpoint {
    let (name, capability) = match category {
        Category::Common => ("ping_common", None),
        Category::Content => ("ping_content", Some(Capability::Products)),
        Category::Marketplace => ("ping_marketplace", Some(Capability::StockSeller)),
        Category::Statistics => ("ping_statistics", Some(Capability::Orders)),
        Category::Analytics => ("ping_analytics", Some(Capability::StockMarketplace)),
    };
    Endpoint {
        operation: PING,
        category,
        group: Group::new(name, Duration::from_secs(10), 99),
        capability,
        of_entity: false,
        max_bytes: MIB,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_tokens_have_the_published_limits_besides() {
        let hours = |hours| Some(Duration::from_hours(hours));
        for (endpoint, basic) in [
            (&SELLER, hours(24)),
            (&ORDER_LINES, hours(3)),
            (&REMAINS_CREATED, Some(QUARTER)),
            (&REMAINS_STATE, Some(QUARTER)),
            (&REMAINS, Some(QUARTER)),
            (&CARDS, None),
            (&TRASH, None),
            (&WAREHOUSES, None),
            (&SELLER_STOCK, None),
            (&ASSEMBLIES, None),
        ] {
            let interval = |kind| endpoint.narrower(kind).map(|(_, interval)| interval);
            assert_eq!(interval(Kind::Basic), basic, "{}", endpoint.operation);
            assert_eq!(interval(Kind::Unknown), basic, "it may be a Basic token");
            assert_eq!((interval(Kind::Personal), interval(Kind::Service)), (None, None));
            assert_eq!(interval(Kind::Test), Some(TEST));
        }
        assert_eq!(
            CARDS.narrower(Kind::Test),
            TRASH.narrower(Kind::Test),
            "a category has one limit for a Test token"
        );
        assert_ne!(CARDS.narrower(Kind::Test), WAREHOUSES.narrower(Kind::Test));
    }

    #[test]
    fn no_two_groups_share_a_name_with_different_limits() {
        let all = [
            &SELLER,
            &CARDS,
            &TRASH,
            &WAREHOUSES,
            &SELLER_STOCK,
            &SELLER_STOCK_REPORT,
            &ASSEMBLIES,
            &MARKETPLACE_STOCK,
            &REMAINS_CREATED,
            &REMAINS_STATE,
            &REMAINS,
            &ORDER_LINES,
        ];
        for a in all {
            assert!(OPERATIONS.contains(&a.operation), "{}", a.operation);
            assert!(
                all.iter().all(|b| a.group.name != b.group.name || a.group == b.group),
                "{}",
                a.operation
            );
        }
    }
}
