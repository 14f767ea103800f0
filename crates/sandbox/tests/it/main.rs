//! The sandbox over HTTP, as a client of the marketplace meets it.

mod cards;
mod conformance;
mod control;
mod faults;
mod gateway;
mod market;
mod orders;
mod remains;
mod sales;
mod stocks;
