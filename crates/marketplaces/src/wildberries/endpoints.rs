//! The methods that are called, and the limits they count in.
//!
//! The limits are those of Personal and Service tokens.

use std::time::Duration;

use domain::{limit::Rate, marketplace::Capability};

use super::hosts::Category;

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
}

impl Group {
    const fn new(name: &'static str, interval: Duration, burst: u32) -> Self {
        Self { name, interval, burst, error_cost: 1 }
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
const ORDERS: Group = Group::new("orders", Duration::from_mins(1), 10);
const SELLER_INFO: Group = Group::new("seller_info", Duration::from_mins(1), 10);

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

/// About 80,000 rows of close to a kilobyte is what one answer may hold.
pub(super) const ORDER_LINES: Endpoint = Endpoint {
    operation: "orders",
    category: Category::Statistics,
    group: ORDERS,
    capability: Some(Capability::Orders),
    of_entity: false,
    max_bytes: 128 * MIB,
};

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
        operation: "ping",
        category,
        group: Group::new(name, Duration::from_secs(10), 99),
        capability,
        of_entity: false,
        max_bytes: MIB,
    }
}
