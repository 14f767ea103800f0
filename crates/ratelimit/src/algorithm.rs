//! The rules of counting, as state machines over integer microseconds. Pure: the time comes in as an argument.
//!
//! Each machine tells how it stands ([`Machine::read`]), takes an admission that was found to fit
//! ([`Machine::take`]), and gives one back ([`Machine::give_back`]). Reading and taking are apart, so that several
//! machines can be asked before any of them takes. The Redis scripts do the same sums.
//!
//! Time should not go back. When it does, by `d`, admissions of the future still count, and somebody waits up to `d`
//! longer; nothing is admitted above a limit.

mod compact_log;
mod fixed_window;
mod gcra;
mod sliding_log;
mod state;

#[cfg(test)]
mod reference;

pub use self::{
    compact_log::CompactLog, fixed_window::FixedWindow, gcra::Gcra, sliding_log::SlidingLog, state::State,
};

/// A rule as the machines read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// The most that can be used at one moment.
    pub capacity: u32,
    /// Microseconds: the window, or for [`Gcra`] the spacing of admissions.
    pub span: u64,
}

/// Whether there is room, and if not, when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// There is room.
    None,
    /// There will be room so many microseconds later, if nothing more is admitted; at least 1.
    Micros(u64),
    /// There never will be: the cost is above the capacity.
    Never,
}

/// How a machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How much is used.
    pub used: u32,
    /// Microseconds until less is used; 0 when nothing is.
    pub next_free: u64,
    /// Microseconds until nothing is used; 0 when nothing is.
    pub full: u64,
    /// Whether the cost that was asked about fits.
    pub wait: Wait,
}

impl Reading {
    /// A machine that counted nothing yet.
    pub fn unused(terms: Terms, cost: u32) -> Self {
        let wait = if cost > terms.capacity { Wait::Never } else { Wait::None };
        Self { used: 0, next_free: 0, full: 0, wait }
    }
}

/// Gives back the memory of a log that was much longer once.
fn give_up_room<T>(times: &mut std::collections::VecDeque<T>) {
    const SMALL: usize = 64;
    if times.capacity() > SMALL && times.len() < times.capacity() / 4 {
        times.shrink_to(2 * times.len());
    }
}

/// Counts admissions under one key.
pub trait Machine: Default {
    /// How it stands, and whether `cost` fits; a cost of 0 always does. What no longer counts may be dropped.
    fn read(&mut self, terms: Terms, cost: u32, now: u64) -> Reading;

    /// How much would be used at a moment to come, if nothing more were admitted.
    fn used_at(&self, terms: Terms, at: u64) -> u32;

    /// Counts an admission. To be called only when [`Machine::read`] said at the same time that it fits.
    fn take(&mut self, terms: Terms, cost: u32, now: u64) -> Reading;

    /// Gives an admission back whose last unit would count until `until`, if it can be told from others. Returns
    /// whether it did.
    fn give_back(&mut self, terms: Terms, cost: u32, until: u64) -> bool;
}
