//! A company that uses the product, and its settings.

use crate::{
    calendar::Zone,
    clock::Timestamp,
    ids::{TenantId, UserId},
    role::Role,
};

/// Units below which a product is low when the tenant has not said otherwise.
pub const DEFAULT_LOW_STOCK_UNITS: i64 = 10;

/// Minutes between two syncs of an account when the tenant has not said otherwise.
pub const DEFAULT_SYNC_INTERVAL_MINUTES: i32 = 30;

/// Shortest and longest interval between syncs, in minutes. Wildberries refreshes its stock reports every 30 minutes,
/// orders too; below 15 minutes there is nothing new to read.
pub const SYNC_INTERVAL_MINUTES: std::ops::RangeInclusive<i32> = 15..=1440;

/// A tenant as its members see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// Identity.
    pub id: TenantId,
    /// The company's name.
    pub name: String,
    /// Lower-case name for addresses, unique.
    pub slug: String,
    /// Zone of shops that have none of their own.
    pub zone: Zone,
    /// Language of messages, such as `ru` or `en`.
    pub locale: String,
    /// When a product counts as low.
    pub low_stock: LowStockRule,
    /// Minutes between two syncs of an account.
    pub sync_interval_minutes: i32,
    /// Registration.
    pub created_at: Timestamp,
}

/// When a product counts as low in stock: below either threshold, if it has any stock at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LowStockRule {
    /// Units below which it is low.
    pub units: i64,
    /// Days of cover below which it is low, if wanted.
    pub days_of_cover: Option<i64>,
}

impl Default for LowStockRule {
    fn default() -> Self {
        Self { units: DEFAULT_LOW_STOCK_UNITS, days_of_cover: None }
    }
}

/// A person as the tenant sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// The address they sign in with.
    pub email: String,
    /// Whether the address is proven.
    pub email_verified: bool,
    /// Standing in the tenant.
    pub role: Role,
    /// Registration.
    pub created_at: Timestamp,
    /// The last sign-in before this one.
    pub last_login_at: Option<Timestamp>,
}
