//! Order lines, their counts by day, and the window that the figures count.

mod list;
mod matching;
mod window;
mod write;

pub use self::{
    list::{currency, list},
    matching::match_again,
    window::write_window,
    write::{Book, assign_warehouses, write},
};
