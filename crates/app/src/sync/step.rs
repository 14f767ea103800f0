//! How a phase stops, and what that means for the sync.

use std::time::Duration;

use domain::{marketplace::Capability, sync::SyncError};
use marketplaces::AuthProblem;

use crate::error::Error;

/// A number of rows as counts keep it.
pub(super) fn count(rows: impl TryInto<i64>) -> i64 {
    rows.try_into().unwrap_or(i64::MAX)
}

/// Why a phase could not be read to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// A limit wants a pause; nothing has failed.
    Wait(Duration),
    /// The credential does not grant this phase.
    NotGranted(Capability, SyncError),
    /// The credential is refused altogether.
    Refused(SyncError),
    /// It may work later.
    Later(SyncError),
    /// The marketplace has changed its contract.
    Drifted(SyncError),
    /// It cannot work as it is.
    Failed(SyncError),
    /// The tenant wants the sync to stop.
    Cancelled,
    /// Something on our side.
    Ours(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<storage::Error> for Stop {
    fn from(error: storage::Error) -> Self {
        Self::Ours(error.into())
    }
}

impl From<marketplaces::Error> for Stop {
    fn from(error: marketplaces::Error) -> Self {
        use marketplaces::Error as Cause;
        let told = SyncError { code: error.code().to_owned(), message: error.seller_message().to_owned() };
        match error {
            Cause::RateLimited { retry_after, .. } => Self::Wait(retry_after),
            Cause::Auth { kind: AuthProblem::Scope(capability), .. } => Self::NotGranted(capability, told),
            // Not the seller's fault, and no new credential would help.
            Cause::Auth { kind: AuthProblem::Plan, .. } => {
                tracing::error!(%error, "a marketplace wants to be paid");
                Self::Failed(told)
            }
            Cause::Auth { .. } | Cause::Credential(_) => {
                tracing::warn!(%error, "a marketplace refused a credential");
                Self::Refused(told)
            }
            Cause::Transient { .. } => {
                tracing::warn!(%error, "a marketplace did not answer properly");
                Self::Later(told)
            }
            Cause::ContractChanged { .. } => {
                tracing::error!(%error, "a marketplace has changed its contract");
                Self::Drifted(told)
            }
            Cause::NotFound { .. } | Cause::InvalidRequest { .. } => {
                tracing::error!(%error, "a marketplace refused a request of ours");
                Self::Failed(told)
            }
            Cause::LimiterUnavailable(_) | Cause::KnownCatalogue(_) => Self::Ours(Error::internal(error)),
        }
    }
}

/// What is told when so many rows cannot be read that the marketplace must have changed them.
pub(super) fn drift() -> SyncError {
    SyncError {
        code: "contract_changed".into(),
        message:
            "The marketplace has changed its answers. Your last figures are kept, and we have been told."
                .into(),
    }
}

/// What is told when a few rows of a reading could not be read.
pub(super) fn unreadable_rows() -> SyncError {
    SyncError {
        code: "unreadable_rows".into(),
        message: "Some rows of the marketplace's answer could not be read; all others were.".into(),
    }
}

/// What is told when rows moved between the pages of a reading, twice in a row.
pub(super) fn shifted() -> SyncError {
    SyncError {
        code: "reading_shifted".into(),
        message: "The marketplace's list changed while it was being read. Your last figures are kept.".into(),
    }
}

/// What is told when a phase needs another that did not succeed.
pub(super) fn not_ready() -> SyncError {
    SyncError {
        code: "dependency_failed".into(),
        message: "This part needs the catalogue and the warehouses, which could not be read.".into(),
    }
}
