//! The use cases on real databases, against the sandbox marketplace.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod product;
mod sync;
mod trouble;
