//! The exact sliding window in four bytes per admission.

use std::collections::VecDeque;

use super::{Machine, Reading, Terms, Wait, give_up_room};

/// The same as [`SlidingLog`](super::SlidingLog) with times of whole milliseconds, rounded up: an admission counts up
/// to 1 ms longer than the window and never shorter.
///
/// A time is kept modulo 2^32 ms. Whether it still counts is decided by its distance from the beginning of the
/// window, which is right for everything within 24 days of it, so windows are at most 7 days.
#[derive(Clone, Debug, Default)]
pub struct CompactLog {
    times: VecDeque<u32>,
    /// When all of them have stopped counting; what is older than the arithmetic can tell is known by this.
    until: u64,
}

/// The beginning of the window in whole milliseconds: what was admitted then or before no longer counts.
fn cutoff(span: u64, now: u64) -> i64 {
    now.cast_signed().saturating_sub_unsigned(span).div_euclid(1_000)
}

/// Whether a time lies after another.
fn after(time: u32, other: i64) -> bool {
    let distance = time.wrapping_sub(low(other));
    distance != 0 && distance < 1 << 31
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are kept modulo 2^32")]
fn low(millis: i64) -> u32 {
    millis as u32
}

impl CompactLog {
    fn drop_expired(&mut self, span: u64, now: u64) {
        if self.until <= now {
            self.times.clear();
        }
        let cutoff = cutoff(span, now);
        if self.times.front().is_some_and(|&time| !after(time, cutoff)) {
            let expired = self.times.partition_point(|&time| !after(time, cutoff));
            self.times.drain(..expired);
            give_up_room(&mut self.times);
        }
    }

    fn until_free(time: u32, span: u64, now: u64) -> u64 {
        let cutoff = cutoff(span, now);
        let millis = cutoff + i64::from(time.wrapping_sub(low(cutoff)));
        (millis.unsigned_abs() * 1_000 + span).saturating_sub(now)
    }

    fn reading(&self, span: u64, now: u64, wait: Wait) -> Reading {
        let until_free = |time: Option<&u32>| time.map_or(0, |&time| Self::until_free(time, span, now));
        Reading {
            used: count(&self.times),
            next_free: until_free(self.times.front()),
            full: until_free(self.times.back()),
            wait,
        }
    }
}

impl Machine for CompactLog {
    fn read(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        self.drop_expired(terms.span, now);
        let used = count(&self.times);
        let wait = if cost == 0 || used.saturating_add(cost) <= terms.capacity {
            Wait::None
        } else if cost > terms.capacity {
            Wait::Never
        } else {
            let index = used - (terms.capacity - cost) - 1;
            let wait = Self::until_free(self.times[index as usize], terms.span, now);
            // The rounding may add a millisecond to a window.
            Wait::Micros(wait.min(terms.span + 1_000))
        };
        self.reading(terms.span, now, wait)
    }

    fn used_at(&self, terms: Terms, at: u64) -> u32 {
        if self.until <= at {
            return 0;
        }
        let cutoff = cutoff(terms.span, at);
        let gone = self.times.partition_point(|&time| !after(time, cutoff));
        u32::try_from(self.times.len() - gone).unwrap_or(u32::MAX)
    }

    fn take(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        let millis = now.div_ceil(1_000).cast_signed();
        let newest = self.times.back().copied();
        // Sorted even when the clock went back.
        let time = newest.filter(|&newest| after(newest, millis)).unwrap_or(low(millis));
        self.times.extend(std::iter::repeat_n(time, cost as usize));
        let reading = self.reading(terms.span, now, Wait::None);
        self.until = self.until.max(now + reading.full);
        reading
    }

    fn give_back(&mut self, terms: Terms, cost: u32, until: u64) -> bool {
        let Some(kept) = self.times.len().checked_sub(cost as usize) else {
            return false;
        };
        let time = low(cutoff(terms.span, until));
        // The times are sorted: when these two are of that moment, all between them are.
        let there = cost > 0 && self.times.back() == Some(&time) && self.times.get(kept) == Some(&time);
        if there {
            self.times.truncate(kept);
        }
        there
    }
}

fn count(times: &VecDeque<u32>) -> u32 {
    u32::try_from(times.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { capacity: 3, span: 10_000 };

    fn admit(log: &mut CompactLog, cost: u32, now: u64) -> Reading {
        let reading = log.read(TERMS, cost, now);
        if reading.wait == Wait::None { log.take(TERMS, cost, now) } else { reading }
    }

    #[test]
    fn an_entry_is_never_free_early_and_at_most_a_millisecond_late() {
        for (admitted, free) in [(5_000, 15_000), (5_001, 16_000), (5_999, 16_000)] {
            let mut log = CompactLog::default();
            admit(&mut log, 3, admitted);
            assert_eq!(log.read(TERMS, 1, free - 1).wait, Wait::Micros(1), "admitted at {admitted}");
            assert_eq!(log.read(TERMS, 1, free).wait, Wait::None, "admitted at {admitted}");
        }
    }

    #[test]
    fn times_go_over_the_edge_of_32_bits() {
        let edge = (1_u64 << 32) * 1_000;
        let mut log = CompactLog::default();
        admit(&mut log, 1, edge - 2_000);
        admit(&mut log, 2, edge + 1_000);
        let read = log.read(TERMS, 1, edge + 2_000);
        assert_eq!(read, Reading { used: 3, next_free: 6_000, full: 9_000, wait: Wait::Micros(6_000) });
        assert_eq!(log.read(TERMS, 1, edge + 8_000).used, 2);
    }

    #[test]
    fn what_is_years_old_does_not_come_back() {
        let mut log = CompactLog::default();
        admit(&mut log, 3, 5_000);
        // One millisecond further, modulo 2^32 of them.
        assert_eq!(log.read(TERMS, 1, 6_000 + (1 << 32) * 1_000).used, 0);
    }

    #[test]
    fn the_newest_can_be_given_back_and_nothing_else() {
        let mut log = CompactLog::default();
        let first = admit(&mut log, 1, 1_000);
        let second = admit(&mut log, 2, 2_000);
        assert!(!log.give_back(TERMS, 1, 1_000 + first.full), "something was admitted since");
        assert!(log.give_back(TERMS, 2, 2_000 + second.full));
        assert_eq!(log.read(TERMS, 1, 2_000).used, 1);
        assert!(!log.give_back(TERMS, 2, 2_000 + second.full));
    }

    #[test]
    fn a_clock_that_goes_back_costs_waiting_and_admits_nothing_more() {
        let mut log = CompactLog::default();
        admit(&mut log, 2, 50_000);
        admit(&mut log, 1, 45_000);
        assert_eq!(log.read(TERMS, 1, 45_000).wait, Wait::Micros(11_000));
        assert_eq!(log.read(TERMS, 1, 60_000).wait, Wait::None);
    }
}
