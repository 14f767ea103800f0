//! The connectors against a scripted marketplace, through nothing but what the crate offers.
#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod assemblies;
mod cards;
mod guard;
mod limits;
mod orders;
mod resilience;
mod sandbox;
mod secrets;
mod server;
mod stocks;
mod support;
mod verify;
