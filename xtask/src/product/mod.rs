//! The product's processes and what they need, as programs of this crate start, ask and end them.

pub(crate) mod client;
pub(crate) mod database;
pub(crate) mod process;
pub(crate) mod sandbox;
