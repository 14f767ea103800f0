//! Why each figure of a product says what it says.

mod routes;
mod rows;
mod views;
mod words;

pub(super) use routes::explain;
