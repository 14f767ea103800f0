//! The store of one process.

mod locked;
mod shard;
mod share;
mod store;

pub(crate) use share::Part;
pub use store::{LocalOptions, LocalStore};
