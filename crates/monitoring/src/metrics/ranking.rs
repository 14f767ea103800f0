//! Which tenants have series of their own: the most active ones, in bounded memory.
//!
//! The first tenants take the seats. The others are counted by space-saving (Metwally, Agrawal, El Abbadi 2005) in as
//! many counters as there are seats; such a count may be too high by a known error, so only what is certain of it
//! is compared. A tenant takes the seat of the least active one when it has clearly overtaken it. All counts are
//! halved from time to time, so that "most active" means lately. Any tenant with more than its share (one in
//! `limit`) of the traffic of the unseated keeps its counter and so gets a seat in the end.

use std::collections::HashMap;

use uuid::Uuid;

/// How far a newcomer must be ahead, besides having twice the activity: idle seats must not change hands with every
/// request of the long tail, for each change ends one set of series and begins another.
const LEAD: u64 = 8;
/// Counts are halved after this many events per seat.
const EVENTS_PER_SEAT: u64 = 128;

/// Where an event of a tenant is to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// Under its own id.
    Own,
    /// Under its own id from now on; the tenant given here has lost its seat.
    TakenFrom(Uuid),
    /// With the rest.
    Other,
}

#[derive(Debug, Clone, Copy, Default)]
struct Waiting {
    count: u64,
    /// By how much `count` may be too high.
    error: u64,
}

impl Waiting {
    fn certain(self) -> u64 {
        self.count - self.error
    }
}

/// The seats and those who wait for one; at most `limit` of each.
pub(super) struct Ranking {
    limit: usize,
    seated: HashMap<Uuid, u64>,
    waiting: HashMap<Uuid, Waiting>,
    events_until_halving: u64,
}

impl Ranking {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, seated: HashMap::new(), waiting: HashMap::new(), events_until_halving: epoch(limit) }
    }

    /// Notes one event of `tenant` and says where to count it.
    pub(super) fn note(&mut self, tenant: Uuid) -> Seat {
        if self.limit == 0 {
            return Seat::Other;
        }
        self.age();
        if let Some(count) = self.seated.get_mut(&tenant) {
            *count += 1;
            return Seat::Own;
        }
        if self.seated.len() < self.limit {
            self.seated.insert(tenant, 1);
            return Seat::Own;
        }
        let certain = self.wait(tenant);
        match self.seated.iter().min_by_key(|(_, count)| **count) {
            Some((&least, &count)) if certain >= count * 2 + LEAD => {
                self.waiting.remove(&tenant);
                self.seated.remove(&least);
                self.seated.insert(tenant, certain);
                Seat::TakenFrom(least)
            }
            _ => Seat::Other,
        }
    }

    /// Counts an event of a tenant without a seat; returns how many events of it are certain.
    fn wait(&mut self, tenant: Uuid) -> u64 {
        if !self.waiting.contains_key(&tenant) && self.waiting.len() == self.limit {
            let least = self.waiting.iter().min_by_key(|(_, waiting)| waiting.count).map(|(id, _)| *id);
            let inherited =
                least.and_then(|least| self.waiting.remove(&least)).map_or(0, |waiting| waiting.count);
            self.waiting.insert(tenant, Waiting { count: inherited, error: inherited });
        }
        let waiting = self.waiting.entry(tenant).or_default();
        waiting.count += 1;
        waiting.certain()
    }

    fn age(&mut self) {
        self.events_until_halving -= 1;
        if self.events_until_halving > 0 {
            return;
        }
        self.events_until_halving = epoch(self.limit);
        for count in self.seated.values_mut() {
            *count /= 2;
        }
        self.waiting.retain(|_, waiting| {
            // The certain part is halved, and the error is what is left: halving both could round in its favour.
            let certain = waiting.certain() / 2;
            waiting.count /= 2;
            waiting.error = waiting.count - certain;
            certain > 0
        });
    }
}

fn epoch(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(u64::MAX).saturating_mul(EVENTS_PER_SEAT).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn tenant(number: u16) -> Uuid {
        Uuid::from_u128(u128::from(number))
    }

    #[test]
    fn a_tenant_that_becomes_busy_takes_the_seat_of_an_idle_one() {
        let mut ranking = Ranking::new(2);
        for _ in 0..50 {
            assert_eq!(ranking.note(tenant(1)), Seat::Own);
        }
        assert_eq!(ranking.note(tenant(2)), Seat::Own);
        let seats: Vec<Seat> = (0..20).map(|_| ranking.note(tenant(3))).collect();
        let taken = seats.iter().position(|seat| *seat != Seat::Other);
        assert_eq!(taken, Some(9), "twice one event and a lead of eight");
        assert_eq!(seats[9], Seat::TakenFrom(tenant(2)));
        assert!(seats[10..].iter().all(|seat| *seat == Seat::Own));
        assert_eq!(ranking.note(tenant(2)), Seat::Other);
    }

    #[test]
    fn the_long_tail_does_not_take_seats() {
        let mut ranking = Ranking::new(4);
        for number in 0..4 {
            ranking.note(tenant(number));
        }
        for number in 4..4000 {
            assert_eq!(ranking.note(tenant(number)), Seat::Other, "{number}");
        }
    }

    #[test]
    fn former_activity_fades() {
        let mut ranking = Ranking::new(1);
        for _ in 0..10_000 {
            ranking.note(tenant(1));
        }
        let seats: Vec<Seat> = (0..2_000).map(|_| ranking.note(tenant(2))).collect();
        assert!(seats.contains(&Seat::TakenFrom(tenant(1))));
    }

    #[test]
    fn without_seats_everybody_is_other() {
        assert_eq!(Ranking::new(0).note(tenant(1)), Seat::Other);
    }

    proptest! {
        #[test]
        fn seats_are_bounded_and_change_hands_as_told(
            limit in 1_usize..5,
            events in prop::collection::vec(0_u16..12, 0..3000),
        ) {
            let mut ranking = Ranking::new(limit);
            let mut own = HashSet::new();
            for event in events {
                match ranking.note(tenant(event)) {
                    Seat::Own => {
                        own.insert(tenant(event));
                    }
                    Seat::TakenFrom(loser) => {
                        prop_assert!(own.remove(&loser), "only a seated tenant can lose its seat");
                        prop_assert!(own.insert(tenant(event)));
                    }
                    Seat::Other => prop_assert!(!own.contains(&tenant(event))),
                }
                prop_assert!(own.len() <= limit && ranking.waiting.len() <= limit);
                prop_assert_eq!(&own, &ranking.seated.keys().copied().collect::<HashSet<_>>());
            }
        }
    }
}
