//! What a failed call means: for the caller, for the connection, and for another try.

use deadpool_redis::redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::{StoreError, StoreErrorKind};

/// A call without an answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: StoreError,
    /// Whether the connection should be given up.
    pub(super) broken: bool,
    /// Whether the script may have run all the same.
    pub(super) may_have_run: bool,
}

impl Failure {
    /// No connection could be had, so nothing was sent.
    pub(super) fn unconnected(error: StoreError) -> Self {
        Self { error, broken: false, may_have_run: false }
    }

    /// There was an answer, and nobody knows what it says.
    pub(super) fn not_understood(error: StoreError) -> Self {
        Self { error, broken: false, may_have_run: true }
    }

    /// Nobody waits any longer.
    pub(super) fn late(error: StoreError) -> Self {
        Self { error, broken: false, may_have_run: true }
    }
}

impl From<RedisError> for Failure {
    fn from(source: RedisError) -> Self {
        let error = to_store_error(&source);
        let by_server = matches!(source.kind(), ErrorKind::Server(_) | ErrorKind::Extension);
        let broken = is_said_by_former_master(&source) || (!by_server && source.is_unrecoverable_error());
        Self { error, broken, may_have_run: !by_server }
    }
}

/// Whether a server says that it is a master no longer, or one that its replicas have left: there may be another, which
/// the next connection finds.
fn is_said_by_former_master(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(server) => {
            matches!(server, ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        }
        ErrorKind::Extension => error.code() == Some("NOREPLICAS"),
        _ => false,
    }
}

/// Whether Redis does not know a script yet, or no longer.
pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

pub(super) fn to_store_error(error: &RedisError) -> StoreError {
    StoreError::new(kind(error), error.to_string())
}

fn kind(error: &RedisError) -> StoreErrorKind {
    match error.kind() {
        ErrorKind::Server(server) => match server {
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask => StoreErrorKind::NotReady,
            ServerErrorKind::ReadOnly => StoreErrorKind::ReadOnly,
            ServerErrorKind::CrossSlot => StoreErrorKind::CrossSlot,
            _ => StoreErrorKind::Refused,
        },
        ErrorKind::Extension => match error.code() {
            Some("OOM") => StoreErrorKind::OutOfMemory,
            // A script runs for long; too few replicas follow; what is written cannot be kept.
            Some("BUSY" | "NOREPLICAS" | "MISCONF") => StoreErrorKind::NotReady,
            _ => StoreErrorKind::Refused,
        },
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => StoreErrorKind::Unreadable,
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => StoreErrorKind::Refused,
        // The sentinels answer: they have not agreed on a master yet, or it does not know yet that it is one.
        ErrorKind::MasterNameNotFoundBySentinel => StoreErrorKind::NotReady,
        _ if error.is_timeout() => StoreErrorKind::Timeout,
        _ => StoreErrorKind::Unreachable,
    }
}
