//! The rules of stock keeping, without I/O.
//!
//! Everything here is a value or a pure function: identifiers, money, the calendar of a marketplace, the figures a
//! seller pays for, the states of a sync, the shape of what connectors read. No database, no network, no clock of
//! its own: time comes in through [`clock::Clock`].

pub mod actor;
pub mod analytics;
pub mod calendar;
pub mod clock;
pub mod email;
pub mod event;
pub mod explain;
pub mod figures;
pub mod ids;
pub mod import;
pub mod job;
pub mod limit;
pub mod marketplace;
pub mod matching;
pub mod money;
pub mod page;
pub mod password;
pub mod picture;
pub mod reading;
pub mod role;
pub mod search;
pub mod spreadsheet;
pub mod sync;
pub mod tenant;
