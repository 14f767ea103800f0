//! The use cases on real databases, against the sandbox marketplace.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod agreement;
mod our_fault;
mod product;
mod shop;
mod slow_tokens;
mod sync;
mod trouble;
mod vendure;
mod zones;
