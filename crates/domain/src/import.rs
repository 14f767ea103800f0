//! Files that a tenant brings for an account without a marketplace: a catalogue, or the stock of its own warehouses.
//!
//! What columns such files have, what a line says, and everything that can be wrong with one. How bytes become cells
//! is not known here, nor what the lines mean for what is stored.

mod catalogue;
mod cell;
mod column;
mod problem;
mod sheet;
mod stock;

pub use self::{
    catalogue::{Catalogue, Completion, Known, ProductLine},
    cell::Cell,
    column::Column,
    problem::{MOST_LISTED, Place, Problem, Problems},
    sheet::{File, Line, MOST_LINES, Row, Sheet},
    stock::{MOST_UNITS, StockLine, Unit},
};

/// What becomes of what a file does not name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// It stays as it is: the file is a part.
    #[default]
    Merge,
    /// It is over: the file is all there is. Products leave the catalogue; stock in the file's warehouses becomes zero.
    Replace,
}

impl Mode {
    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Replace => "replace",
        }
    }
}
