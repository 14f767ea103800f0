//! The one way out to marketplaces: a shared client, limits, retries, and the guard for addresses that users enter.

mod caller;
pub mod guard;

pub use caller::ClientBuildError;
pub(crate) use caller::{Answer, Caller, Plan};
