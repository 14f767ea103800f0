//! The shards that one plan needs, all locked, so that what was read is still true when it is written.

use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::shard::Shard;
use super::share::{self, Elsewhere, Part};
use crate::algorithm::{Reading, State, Wait};
use crate::{Ask, Plan};

/// Locks are taken in the order of shards, so that threads never wait in a circle.
pub(super) struct Locked<'a> {
    shards: SmallVec<[(usize, MutexGuard<'a, Shard>); 6]>,
}

/// What is asked under one key, and how that stands.
pub(super) struct Asked<'a> {
    pub(super) ask: &'a Ask,
    pub(super) reading: Reading,
    /// When the newest unit of this request stops counting, once it is counted.
    pub(super) counted_until: u64,
    place: Option<usize>,
}

impl Asked<'_> {
    /// Whether the policy has room.
    pub(super) fn fits(&self) -> bool {
        self.reading.wait == Wait::None
    }

    /// Whether an admission is to be counted under this key.
    pub(super) fn counts(&self) -> bool {
        self.ask.cost > 0 && self.fits()
    }

    /// Whether the key was there before.
    pub(super) fn is_known(&self) -> bool {
        self.place.is_some()
    }
}

impl<'a> Locked<'a> {
    /// Many, so that threads seldom meet.
    pub(super) const SHARDS: usize = 64;

    pub(super) fn new(all: &'a [Mutex<Shard>], plan: &Plan) -> Self {
        let mut numbers: SmallVec<[usize; 6]> =
            plan.asks().iter().map(|ask| shard_of(ask.key.hash())).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Self { shards: numbers.into_iter().map(|number| (number, lock(&all[number]))).collect() }
    }

    pub(super) fn read<'b>(&mut self, ask: &'b Ask, part: Part, now: u64) -> Asked<'b> {
        let shard = self.of(ask.key.hash());
        let place = shard.find(ask.key.hash());
        let reading = match place {
            Some(place) => {
                let slot = shard.slot(place);
                share::read(Some(&mut slot.state), slot.elsewhere, ask, part, now)
            }
            None => share::read(None, Elsewhere::default(), ask, part, now),
        };
        Asked { ask, reading, counted_until: 0, place }
    }

    /// Counts what was found to fit. Inserting a key makes the places of others worthless, so those that are there
    /// come first. Returns whether another key had to go that still counted.
    pub(super) fn take(&mut self, asked: &mut Asked<'_>, part: Part, now: u64) -> bool {
        let Ask { key, rule, cost, .. } = *asked.ask;
        let shard = self.of(key.hash());
        let (slot, evicted) = match asked.place {
            Some(place) => (shard.slot(place), false),
            None => shard.insert(key.hash(), State::new(rule.algorithm()), now),
        };
        let taken = slot.state.take(share::terms(rule, part), cost, now);
        asked.counted_until = now + taken.full;
        slot.until = slot.until.max(asked.counted_until);
        asked.reading = if part.is_all() && slot.elsewhere.is_nobody(now) {
            taken
        } else {
            let looked = Ask { cost: 0, ..*asked.ask };
            share::read(Some(&mut slot.state), slot.elsewhere, &looked, part, now)
        };
        evicted
    }

    /// The shard of one of the plan's keys.
    fn of(&mut self, key: u128) -> &mut Shard {
        let number = shard_of(key);
        let at = self.shards.iter().position(|(other, _)| *other == number);
        &mut self.shards[at.unwrap_or_default()].1
    }
}

/// By other bits than those that the shard's own map takes.
pub(super) fn shard_of(key: u128) -> usize {
    (key >> 96) as usize % Locked::SHARDS
}

pub(super) fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
