//! Where finished calls are told to; the binary wires it to metrics.

use std::time::Duration;

use domain::marketplace::MarketplaceCode;

use crate::error::Error;

/// How one call to a marketplace ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// It was answered as documented.
    Ok,
    /// A limit refused it.
    RateLimited,
    /// The credential was refused.
    Auth,
    /// It failed in a way that may pass.
    Transient,
    /// It was refused or answered in a way that is not documented.
    ContractChanged,
}

impl CallOutcome {
    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::RateLimited => "rate_limited",
            Self::Auth => "auth",
            Self::Transient => "transient",
            Self::ContractChanged => "contract_changed",
        }
    }

    pub(crate) const fn of<T>(result: &Result<T, Error>) -> Self {
        match result {
            Ok(_) => Self::Ok,
            Err(Error::RateLimited { .. }) => Self::RateLimited,
            Err(Error::Auth { .. } | Error::Credential(_)) => Self::Auth,
            Err(Error::Transient { .. } | Error::LimiterUnavailable(_) | Error::KnownCatalogue(_)) => {
                Self::Transient
            }
            Err(Error::ContractChanged { .. } | Error::NotFound { .. } | Error::InvalidRequest { .. }) => {
                Self::ContractChanged
            }
        }
    }
}

/// Hears of every call that went over the wire.
pub trait CallObserver: Send + Sync {
    /// A call has ended. `elapsed` is the time on the wire, without any waiting for limits.
    fn call_finished(
        &self,
        marketplace: MarketplaceCode,
        operation: &'static str,
        outcome: CallOutcome,
        elapsed: Duration,
    );
}

/// Hears and forgets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl CallObserver for Unobserved {
    fn call_finished(&self, _: MarketplaceCode, _: &'static str, _: CallOutcome, _: Duration) {}
}
