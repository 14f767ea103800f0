//! The use cases on real databases, against the sandbox marketplace.

mod product;
mod sync;
mod trouble;
