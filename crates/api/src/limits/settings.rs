//! How much is allowed, as the operator says it.

use std::time::Duration;

use ratelimit::{OnStoreError, PolicyError};

/// So many in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many, at least 1.
    pub limit: u32,
    /// In which time.
    pub window: Duration,
}

impl Quota {
    /// `limit` per `seconds`.
    pub const fn new(limit: u32, seconds: u64) -> Self {
        Self { limit, window: Duration::from_secs(seconds) }
    }
}

/// How much is allowed to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// All requests without a verified tenant together.
    pub global: Quota,
    /// All requests of verified tenants together; no such limit when `None`.
    pub global_verified: Option<Quota>,
    /// Requests of a tenant.
    pub tenant: Quota,
    /// Requests of a user within a tenant.
    pub user: Quota,
    /// Requests without a verified tenant from one client address.
    pub ip: Quota,
    /// Requests from one client address to each way of signing in.
    pub auth: Quota,
    /// Failed attempts to sign in to one account from one network.
    pub failed_logins: Quota,
    /// Syncs that the people of a tenant ask for.
    pub sync: Quota,
    /// What holds while the store of counts cannot be asked.
    pub on_store_error: OnStoreError,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            global: Quota::new(1000, 60),
            global_verified: None,
            tenant: Quota::new(100, 60),
            user: Quota::new(100, 60),
            ip: Quota::new(60, 60),
            auth: Quota::new(5, 300),
            failed_logins: Quota::new(10, 300),
            sync: Quota::new(5, 300),
            on_store_error: OnStoreError::Local,
        }
    }
}

/// A limit that cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("a rate limit cannot be kept: {0}")]
pub struct InvalidLimit(#[from] PolicyError);
