//! The one way out to marketplaces: a shared client, limits, retries, and the guard for addresses that users enter.

mod caller;
mod exchange;
pub mod guard;

pub use caller::ClientBuildError;
pub(crate) use caller::{Caller, Plan, plain_client};
pub(crate) use exchange::{Answer, Arrival};
