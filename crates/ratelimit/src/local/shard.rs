//! A bounded part of the keys of a process.
//!
//! Keys are found by hash and kept in slots, around which a hand goes (CLOCK). A new key takes the slot of one that
//! no longer counts, if the hand meets one soon; when the shard is full, it takes the slot of a key that was not asked
//! for since the hand came by last.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::share::Elsewhere;
use crate::Ask;
use crate::algorithm::{Reading, State};

/// How many slots a new key looks at for a free one before the shard grows.
const LOOKS: usize = 2;

#[derive(Debug)]
pub(super) struct Shard {
    /// Where a key's slot is.
    places: HashMap<u128, usize, BuildHasherDefault<AlreadyHashed>>,
    slots: Vec<Slot>,
    hand: usize,
    capacity: usize,
}

#[derive(Debug)]
pub(super) struct Slot {
    key: u128,
    /// What this process counted.
    pub(super) state: State,
    pub(super) elsewhere: Elsewhere,
    /// When nothing in it counts any more.
    pub(super) until: u64,
    asked_for: bool,
}

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        Self { places: HashMap::default(), slots: Vec::new(), hand: 0, capacity }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The place of a key; it holds until a key is inserted or removed.
    pub(super) fn find(&mut self, key: u128) -> Option<usize> {
        let place = *self.places.get(&key)?;
        self.slots[place].asked_for = true;
        Some(place)
    }

    pub(super) fn slot(&mut self, place: usize) -> &mut Slot {
        &mut self.slots[place]
    }

    /// Adds a key that is not there. Tells whether another had to go that still counted.
    pub(super) fn insert(&mut self, key: u128, state: State, now: u64) -> (&mut Slot, bool) {
        let slot = Slot { key, state, elsewhere: Elsewhere::default(), until: now, asked_for: true };
        let reclaimed = self.reclaim(now);
        let (place, evicted) = reclaimed.unwrap_or((self.slots.len(), false));
        if reclaimed.is_some() {
            self.places.remove(&self.slots[place].key);
            self.slots[place] = slot;
        } else {
            self.slots.push(slot);
        }
        self.places.insert(key, place);
        (&mut self.slots[place], evicted)
    }

    /// Notes how a key stands in the store that all processes share, after `cost` was counted there for this one.
    /// Returns when that stops counting, 0 for a cost of 0, and whether another key had to go that still counted.
    pub(super) fn record(&mut self, ask: &Ask, cost: u32, shared: Reading, now: u64) -> (u64, bool) {
        let Ask { key, rule, .. } = ask;
        let (slot, evicted) = match self.find(key.hash()) {
            Some(place) => (self.slot(place), false),
            None => self.insert(key.hash(), State::new(rule.algorithm()), now),
        };
        let mut own = slot.state.read(rule.terms(), 0, now);
        let mut until = 0;
        if cost > 0 {
            own = slot.state.take(rule.terms(), cost, now);
            until = now + own.full;
        }
        slot.elsewhere = Elsewhere::new(shared.used.saturating_sub(own.used), now + shared.full);
        slot.until = now + own.full.max(shared.full);
        (until, evicted)
    }

    /// Forgets a key. Returns whether it was there.
    pub(super) fn remove(&mut self, key: u128) -> bool {
        let Some(place) = self.places.remove(&key) else {
            return false;
        };
        self.slots.swap_remove(place);
        if let Some(moved) = self.slots.get(place) {
            self.places.insert(moved.key, place);
        }
        true
    }

    /// A slot for another key, and whether its own still counts.
    fn reclaim(&mut self, now: u64) -> Option<(usize, bool)> {
        let full = self.slots.len() >= self.capacity;
        // Once around every slot has lost its mark, so the second time one is found.
        let looks = if full { 2 * self.slots.len() } else { LOOKS.min(self.slots.len()) };
        for _ in 0..looks {
            let place = self.hand % self.slots.len();
            self.hand = place + 1;
            let slot = &mut self.slots[place];
            if slot.until <= now {
                return Some((place, false));
            }
            if full && !std::mem::take(&mut slot.asked_for) {
                return Some((place, true));
            }
        }
        None
    }
}

/// Keys are the output of a keyed hash: hashing them again adds nothing.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    fn insert(shard: &mut Shard, key: u128, until: u64, now: u64) -> bool {
        let (slot, evicted) = shard.insert(key, State::new(Algorithm::FixedWindow), now);
        slot.until = until;
        evicted
    }

    #[test]
    fn what_no_longer_counts_makes_room_before_the_shard_grows() {
        let mut shard = Shard::new(1_000);
        for key in 0..500 {
            assert!(!insert(&mut shard, key, 10, 0));
        }
        for key in 500..1_000 {
            assert!(!insert(&mut shard, key, 30, 20));
        }
        assert_eq!(shard.len(), 500);
        assert!(shard.find(0).is_none());
        assert!(shard.find(999).is_some());
    }

    #[test]
    fn a_full_shard_gives_up_what_nobody_asked_for() {
        let mut shard = Shard::new(4);
        for key in 0..4 {
            assert!(!insert(&mut shard, key, 100, 0));
        }
        assert!(insert(&mut shard, 4, 100, 0), "one of them has to go");
        let left: Vec<u128> = (0..4).filter(|&key| shard.places.contains_key(&key)).collect();
        assert_eq!(left.len(), 3);
        let forgotten = left[1];
        for &key in left.iter().filter(|&&key| key != forgotten) {
            shard.find(key);
        }
        assert!(insert(&mut shard, 5, 100, 0));
        assert!(shard.find(forgotten).is_none());
        assert!(shard.find(left[0]).is_some() && shard.find(left[2]).is_some() && shard.find(4).is_some());
        assert_eq!(shard.len(), 4);
    }

    #[test]
    fn a_removed_key_leaves_the_others_where_they_can_be_found() {
        let mut shard = Shard::new(10);
        for key in 0..5 {
            insert(&mut shard, key, u64::try_from(key).unwrap() + 100, 0);
        }
        assert!(shard.remove(1));
        assert!(!shard.remove(1));
        for key in [0, 2, 3, 4] {
            let place = shard.find(key).unwrap();
            assert_eq!(u128::from(shard.slot(place).until), key + 100);
        }
    }
}
