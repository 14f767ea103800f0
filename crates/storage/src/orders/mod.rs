//! Order lines, their counts by day, and the window that the figures count.

mod book;
mod days;
mod list;
mod matching;
mod window;
mod write;

pub use self::{
    book::Book,
    days::{LookedAt, move_days},
    list::{currency, list},
    matching::match_again,
    window::write_window,
    write::{assign_warehouses, write},
};
