//! The binary as its users run it: started, spoken to, stopped, killed.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod commands;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod documents;
mod migrate;
#[cfg(feature = "demo")]
mod recovery;
mod roles;
mod support;
