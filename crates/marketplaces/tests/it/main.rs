//! The connectors against a scripted marketplace, through nothing but what the crate offers.
#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod assemblies;
mod cards;
mod drift;
mod guard;
mod limits;
mod memory;
mod orders;
mod remains;
mod resilience;
mod sandbox;
mod secrets;
mod server;
mod stocks;
mod support;
mod vendure_lists;
mod vendure_orders;
mod vendure_shop;
mod vendure_trouble;
mod vendure_verify;
mod verify;
