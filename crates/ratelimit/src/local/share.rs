//! What one of several processes may admit by itself, when each of them counts alone.
//!
//! Each gets an equal part of the limit, rounded up, and never more than was left of the whole when it last heard from
//! the store that they share.

use std::num::NonZeroU32;

use crate::algorithm::{Reading, State, Terms, Wait};
use crate::{Algorithm, Ask, Rule};

/// Microseconds for which a request is asked to wait that costs more than one process may admit by itself: by then the
/// store that all share may be back.
const TRY_AGAIN: u64 = 1_000_000;

/// How much of a limit a process decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it; what others use is somebody else's to know.
    Whole,
    /// Its part among so many processes that count alone.
    Of(NonZeroU32),
}

impl Part {
    /// Whether it is as much as the limit.
    pub(super) fn is_all(self) -> bool {
        matches!(self, Self::Whole | Self::Of(NonZeroU32::MIN))
    }
}

/// What other processes were last known to use under a key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Elsewhere {
    used: u32,
    /// When none of it counts any more.
    until: u64,
}

impl Elsewhere {
    pub(super) fn new(used: u32, until: u64) -> Self {
        Self { used, until }
    }

    /// Whether nobody else is known to use anything.
    pub(super) fn is_nobody(self, now: u64) -> bool {
        self.left(now) == 0
    }

    fn left(self, now: u64) -> u64 {
        if self.used == 0 { 0 } else { self.until.saturating_sub(now) }
    }
}

/// How a key stands for a process that counts by itself; `state` is what this process counted.
pub(super) fn read(
    mut state: Option<&mut State>,
    elsewhere: Elsewhere,
    ask: &Ask,
    part: Part,
    now: u64,
) -> Reading {
    let (whole, share) = (ask.rule.terms(), terms(ask.rule, part));
    let others_left = if part == Part::Whole { 0 } else { elsewhere.left(now) };
    let others = if others_left > 0 { elsewhere.used } else { 0 };
    let capacity = share.capacity.min(whole.capacity.saturating_sub(others));
    let mut own = |capacity| {
        let terms = Terms { capacity, ..share };
        match &mut state {
            Some(state) => state.read(terms, ask.cost, now),
            None => Reading::unused(terms, ask.cost),
        }
    };
    let mut reading = own(capacity);
    if capacity == whole.capacity {
        return reading;
    }
    if reading.wait == Wait::Never && ask.cost <= whole.capacity {
        reading.wait = match own(share.capacity).wait {
            Wait::Never => Wait::Micros(TRY_AGAIN),
            Wait::Micros(wait) => Wait::Micros(wait.max(others_left)),
            Wait::None => Wait::Micros(others_left),
        };
    }
    let left = capacity.saturating_sub(reading.used);
    if reading.used == 0 {
        reading.next_free = others_left;
    }
    reading.used = reading.used.max(whole.capacity - left);
    reading.full = reading.full.max(others_left);
    reading
}

/// What a part of a rule allows.
pub(super) fn terms(rule: Rule, part: Part) -> Terms {
    let Terms { capacity, span } = rule.terms();
    let Part::Of(processes) = part else {
        return Terms { capacity, span };
    };
    let span = match rule.algorithm() {
        // A part of a bucket fills at a part of the rate.
        Algorithm::Gcra { .. } => span.saturating_mul(processes.get().into()),
        Algorithm::SlidingLog | Algorithm::CompactLog | Algorithm::FixedWindow => span,
    };
    Terms { capacity: capacity.div_ceil(processes.get()), span }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Keys, Plan, Policy, Subject};

    const NOW: u64 = 1_000_000_000;

    fn ask(algorithm: Algorithm, limit: u32, cost: u32) -> Ask {
        let policy =
            Policy::builder("p", limit, Duration::from_secs(10)).algorithm(algorithm).build().unwrap();
        let mut plan = Plan::new();
        plan.ask(&policy, Keys::new([0; 16]).key(&policy, &Subject::new()).unwrap(), cost).unwrap();
        plan.asks()[0]
    }

    fn of(processes: u32) -> Part {
        Part::Of(NonZeroU32::new(processes).unwrap())
    }

    #[test]
    fn a_process_gets_its_part_rounded_up() {
        for algorithm in [Algorithm::SlidingLog, Algorithm::CompactLog, Algorithm::FixedWindow] {
            let ask = ask(algorithm, 10, 1);
            let mut state = State::new(algorithm);
            let mut admitted = 0;
            while read(Some(&mut state), Elsewhere::default(), &ask, of(3), NOW).wait == Wait::None {
                state.take(ask.rule.terms(), 1, NOW);
                admitted += 1;
            }
            assert_eq!(admitted, 4, "{algorithm:?}");
            let full = read(Some(&mut state), Elsewhere::default(), &ask, of(3), NOW);
            assert_eq!((full.used, full.wait), (10, Wait::Micros(10_000_000)), "{algorithm:?}");
        }
    }

    #[test]
    fn a_part_of_a_bucket_fills_at_a_part_of_the_rate() {
        let ask = ask(Algorithm::Gcra { burst: 10 }, 10, 1);
        let mut state = State::new(ask.rule.algorithm());
        let mut admitted = 0;
        for tenth in 0..1_000_u64 {
            let now = NOW + tenth * 100_000;
            while read(Some(&mut state), Elsewhere::default(), &ask, of(2), now).wait == Wait::None {
                state.take(Terms { span: 2_000_000, ..ask.rule.terms() }, 1, now);
                admitted += 1;
            }
        }
        // 5 at once, and then one every two seconds for 100 s.
        assert_eq!(admitted, 5 + 49);
    }

    #[test]
    fn what_others_used_is_not_given_out_again() {
        let ask = ask(Algorithm::SlidingLog, 10, 1);
        let elsewhere = Elsewhere::new(8, NOW + 3_000);
        let read_at = |state: Option<&mut State>, now| read(state, elsewhere, &ask, of(1), now);
        let fresh = read_at(None, NOW);
        assert_eq!(fresh, Reading { used: 8, next_free: 3_000, full: 3_000, wait: Wait::None });
        let mut state = State::new(Algorithm::SlidingLog);
        state.take(ask.rule.terms(), 2, NOW);
        let spent = read_at(Some(&mut state), NOW);
        assert_eq!((spent.used, spent.wait), (10, Wait::Micros(10_000_000)));
        assert_eq!(read_at(Some(&mut state), NOW + 3_000).used, 2);
        let gone = read(None, Elsewhere::new(10, NOW + 3_000), &ask, of(1), NOW);
        assert_eq!((gone.used, gone.wait), (10, Wait::Micros(3_000)));
    }

    #[test]
    fn a_cost_above_the_part_is_asked_to_come_again_and_one_above_the_limit_never() {
        let cost = |cost| read(None, Elsewhere::default(), &ask(Algorithm::SlidingLog, 10, cost), of(2), NOW);
        assert_eq!(cost(5).wait, Wait::None);
        assert_eq!(cost(6).wait, Wait::Micros(TRY_AGAIN));
        assert_eq!(cost(11).wait, Wait::Never);
    }
}
