//! What can go wrong with a marketplace, in the few kinds that are handled differently.

use std::time::Duration;

use domain::{limit::LimiterUnavailable, marketplace::Capability};

use crate::{connector::KnownCatalogueError, factory::CredentialProblem};

/// What is wrong with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthProblem {
    /// The marketplace does not know it.
    Invalid,
    /// Its time is over.
    Expired,
    /// The seller or the marketplace has taken it back.
    Revoked,
    /// It is good, but not for this. Only this capability is off.
    Scope(Capability),
    /// What the account has paid for does not cover the call.
    Plan,
    /// It is of a type that the connector cannot work with.
    Unsupported,
}

/// Why a reading did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credential was refused. All but [`AuthProblem::Scope`] concern the whole account.
    #[error("{operation}: the credential was refused: {kind:?}")]
    Auth {
        /// In what way.
        kind: AuthProblem,
        /// By which call.
        operation: &'static str,
    },
    /// A field of the credential turned out to be wrong when it was used. Concerns the whole account.
    #[error(transparent)]
    Credential(#[from] CredentialProblem),
    /// A limit of the marketplace allows no call yet. Nothing was read; the same call may be made after the wait.
    #[error("{group}: no call before {retry_after:?} has passed")]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
        /// The group of methods that is limited.
        group: &'static str,
    },
    /// The marketplace did not answer as it should, even when asked again; it may do so later.
    #[error("{operation}: {what}")]
    Transient {
        /// Which call.
        operation: &'static str,
        /// What happened, for operators.
        what: String,
        /// How long a limit forbids the next try, where one does.
        retry_after: Option<Duration>,
    },
    /// The marketplace answers something other than it documents: the connector must be changed.
    #[error("{endpoint} has changed: {what}")]
    ContractChanged {
        /// Which call.
        endpoint: &'static str,
        /// What does not fit, with its JSON path, for operators.
        what: String,
    },
    /// The marketplace does not know the entity that was asked for.
    #[error("{endpoint}: no such entity")]
    NotFound {
        /// Which call.
        endpoint: &'static str,
    },
    /// The marketplace refused the request as malformed: a mistake of ours.
    #[error("{endpoint}: the request was refused: {what}")]
    InvalidRequest {
        /// Which call.
        endpoint: &'static str,
        /// What was said, for operators.
        what: String,
    },
    /// The limits shared by all processes could not be asked; without them no call is made.
    #[error(transparent)]
    LimiterUnavailable(#[from] LimiterUnavailable),
    /// The catalogue that a reading goes by could not be read.
    #[error(transparent)]
    KnownCatalogue(#[from] KnownCatalogueError),
}

impl Error {
    /// A stable code for callers and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Auth { kind: AuthProblem::Invalid, .. } | Self::Credential(_) => "credentials_invalid",
            Self::Auth { kind: AuthProblem::Expired, .. } => "credentials_expired",
            Self::Auth { kind: AuthProblem::Revoked, .. } => "credentials_revoked",
            Self::Auth { kind: AuthProblem::Scope(_), .. } => "credentials_scope",
            Self::Auth { kind: AuthProblem::Plan, .. } => "credentials_plan",
            Self::Auth { kind: AuthProblem::Unsupported, .. } => "credentials_unsupported",
            Self::RateLimited { .. } => "rate_limited",
            Self::Transient { .. } => "marketplace_unavailable",
            Self::ContractChanged { .. } => "contract_changed",
            Self::NotFound { .. } => "not_found",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::LimiterUnavailable(_) => "limiter_unavailable",
            Self::KnownCatalogue(_) => "catalogue_unavailable",
        }
    }

    /// What to tell a seller. Never contains words of the marketplace.
    pub const fn seller_message(&self) -> &'static str {
        match self {
            Self::Auth { kind, .. } => kind.seller_message(),
            Self::Credential(problem) => problem.what,
            Self::RateLimited { .. } => {
                "The marketplace allows only so many requests. We will go on as soon as it lets us."
            }
            Self::Transient { .. } => {
                "The marketplace does not answer properly right now. We will try again."
            }
            Self::ContractChanged { .. } => {
                "The marketplace has changed its interface. Your last figures are kept, and we have been told."
            }
            Self::NotFound { .. } => "The marketplace no longer knows something we asked for.",
            Self::InvalidRequest { .. } => {
                "The marketplace refused our request. This is our mistake, and we have been told."
            }
            Self::LimiterUnavailable(_) | Self::KnownCatalogue(_) => {
                "Something on our side is not available right now. We will try again."
            }
        }
    }
}

impl AuthProblem {
    const fn seller_message(self) -> &'static str {
        match self {
            Self::Invalid => {
                "The marketplace does not accept this credential. Make a new one and enter it here."
            }
            Self::Expired => "This credential has expired. Make a new one and enter it here.",
            Self::Revoked => "This credential has been withdrawn. Make a new one and enter it here.",
            Self::Scope(Capability::Products) => {
                "This credential does not give access to your products. Make one that does."
            }
            Self::Scope(Capability::Locations) => {
                "This credential does not give access to your warehouses. Make one that does."
            }
            Self::Scope(Capability::StockSeller) => {
                "This credential does not give access to the stock in your own warehouses. Make one that does."
            }
            Self::Scope(Capability::StockMarketplace) => {
                "This credential does not give access to the stock in the marketplace's warehouses. Make one that does."
            }
            Self::Scope(Capability::Orders) => {
                "This credential does not give access to your orders. Make one that does."
            }
            Self::Plan => "The marketplace does not let us make requests for this account at present.",
            Self::Unsupported => {
                "This credential is for the marketplace's test environment. Make one for the real one and enter it here."
            }
        }
    }
}
