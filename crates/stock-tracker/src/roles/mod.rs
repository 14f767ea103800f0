//! What each subcommand does.

pub(crate) mod config;
pub(crate) mod health;
pub(crate) mod migrate;
pub(crate) mod openapi;
#[cfg(feature = "demo")]
pub(crate) mod sandbox;
pub(crate) mod serve;
