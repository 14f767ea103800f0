//! Why a worker ended before it was asked to.

/// The worker cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thread that keeps the leases could not be started.
    #[error("the lease keeper did not start: {0}")]
    Keeper(#[source] std::io::Error),
    /// The thread that keeps the leases ended. Jobs that run here may be running elsewhere, too.
    #[error("leases are not kept any more")]
    LeasesUnkept,
    /// The worker loop failed.
    #[error("the worker loop failed: {0}")]
    Loop(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The worker loop ended though nobody asked for it.
    #[error("the worker loop ended unasked")]
    Ended,
}
