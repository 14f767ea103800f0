//! The machine that belongs to an algorithm.

use super::{CompactLog, FixedWindow, Gcra, Machine, Reading, SlidingLog, Terms};
use crate::Algorithm;

/// What is counted under one key.
#[derive(Clone, Debug)]
pub enum State {
    /// See [`Algorithm::SlidingLog`].
    SlidingLog(SlidingLog),
    /// See [`Algorithm::CompactLog`].
    CompactLog(CompactLog),
    /// See [`Algorithm::Gcra`].
    Gcra(Gcra),
    /// See [`Algorithm::FixedWindow`].
    FixedWindow(FixedWindow),
}

macro_rules! each {
    ($state:expr, $machine:ident => $body:expr) => {
        match $state {
            State::SlidingLog($machine) => $body,
            State::CompactLog($machine) => $body,
            State::Gcra($machine) => $body,
            State::FixedWindow($machine) => $body,
        }
    };
}

impl State {
    /// Nothing counted yet.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::SlidingLog => Self::SlidingLog(SlidingLog::default()),
            Algorithm::CompactLog => Self::CompactLog(CompactLog::default()),
            Algorithm::Gcra { .. } => Self::Gcra(Gcra::default()),
            Algorithm::FixedWindow => Self::FixedWindow(FixedWindow::default()),
        }
    }

    /// See [`Machine::read`].
    pub fn read(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        each!(self, machine => machine.read(terms, cost, now))
    }

    /// See [`Machine::used_at`].
    pub fn used_at(&self, terms: Terms, at: u64) -> u32 {
        each!(self, machine => machine.used_at(terms, at))
    }

    /// See [`Machine::take`].
    pub fn take(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        each!(self, machine => machine.take(terms, cost, now))
    }

    /// See [`Machine::give_back`].
    pub fn give_back(&mut self, terms: Terms, cost: u32, until: u64) -> bool {
        each!(self, machine => machine.give_back(terms, cost, until))
    }
}
