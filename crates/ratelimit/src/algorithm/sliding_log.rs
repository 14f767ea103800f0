//! The exact sliding window: the time of every admission.

use std::collections::VecDeque;

use super::{Machine, Reading, Terms, Wait, give_up_room};

/// The times of the admissions that still count, oldest first, one for each unit of cost.
///
/// The window is half open: what was admitted at `t` counts up to `t + span - 1` and is free at `t + span`.
#[derive(Clone, Debug, Default)]
pub struct SlidingLog {
    times: VecDeque<u64>,
}

impl SlidingLog {
    fn drop_expired(&mut self, span: u64, now: u64) {
        let counts = |&time: &u64| time + span > now;
        // Mostly nothing or little is expired; the search is for what comes back after a while.
        if self.times.front().is_some_and(|time| !counts(time)) {
            let expired = self.times.partition_point(|time| !counts(time));
            self.times.drain(..expired);
            give_up_room(&mut self.times);
        }
    }

    fn reading(&self, span: u64, now: u64, wait: Wait) -> Reading {
        let until_free = |time: Option<&u64>| time.map_or(0, |time| time + span - now);
        Reading {
            used: count(&self.times),
            next_free: until_free(self.times.front()),
            full: until_free(self.times.back()),
            wait,
        }
    }
}

impl Machine for SlidingLog {
    fn read(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        self.drop_expired(terms.span, now);
        let used = count(&self.times);
        let wait = if cost == 0 || used.saturating_add(cost) <= terms.capacity {
            Wait::None
        } else if cost > terms.capacity {
            Wait::Never
        } else {
            // So many of the oldest have to go.
            let index = used - (terms.capacity - cost) - 1;
            Wait::Micros((self.times[index as usize] + terms.span - now).min(terms.span))
        };
        self.reading(terms.span, now, wait)
    }

    fn used_at(&self, terms: Terms, at: u64) -> u32 {
        let gone = self.times.partition_point(|&time| time + terms.span <= at);
        u32::try_from(self.times.len() - gone).unwrap_or(u32::MAX)
    }

    fn take(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        // Sorted even when the clock went back.
        let time = self.times.back().map_or(now, |&newest| newest.max(now));
        self.times.extend(std::iter::repeat_n(time, cost as usize));
        self.reading(terms.span, now, Wait::None)
    }

    fn give_back(&mut self, terms: Terms, cost: u32, until: u64) -> bool {
        let Some(time) = until.checked_sub(terms.span) else {
            return false;
        };
        // Admissions of the same microsecond are alike: any of them will do.
        let first = self.times.partition_point(|&other| other < time);
        let end = first + cost as usize;
        let there = self.times.get(end.wrapping_sub(1)).is_some_and(|&last| last == time) && cost > 0;
        if there {
            self.times.drain(first..end);
        }
        there
    }
}

/// A log holds at most some hundred thousand entries: costs and limits are `u32`.
fn count(times: &VecDeque<u64>) -> u32 {
    u32::try_from(times.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { capacity: 3, span: 1_000 };

    fn admit(log: &mut SlidingLog, cost: u32, now: u64) -> Reading {
        let reading = log.read(TERMS, cost, now);
        if reading.wait == Wait::None { log.take(TERMS, cost, now) } else { reading }
    }

    #[test]
    fn an_entry_counts_to_the_last_microsecond_of_its_window() {
        let mut log = SlidingLog::default();
        admit(&mut log, 3, 5_000);
        assert_eq!(log.read(TERMS, 1, 5_999).wait, Wait::Micros(1));
        assert_eq!(log.read(TERMS, 1, 6_000), Reading { used: 0, next_free: 0, full: 0, wait: Wait::None });
    }

    #[test]
    fn figures_tell_the_oldest_and_the_newest() {
        let mut log = SlidingLog::default();
        admit(&mut log, 1, 100);
        admit(&mut log, 2, 300);
        let read = log.read(TERMS, 2, 400);
        assert_eq!(read, Reading { used: 3, next_free: 700, full: 900, wait: Wait::Micros(900) });
        assert_eq!(log.read(TERMS, 4, 400).wait, Wait::Never);
        assert_eq!(log.read(TERMS, 0, 400).wait, Wait::None, "looking is always allowed");
    }

    #[test]
    fn a_lowered_limit_waits_for_what_is_above_and_a_raised_one_is_usable_at_once() {
        let mut log = SlidingLog::default();
        for now in [100, 200, 300] {
            admit(&mut log, 1, now);
        }
        let lowered = Terms { capacity: 1, ..TERMS };
        let read = log.read(lowered, 1, 400);
        assert_eq!((read.used, read.wait), (3, Wait::Micros(900)));
        assert_eq!(log.read(Terms { capacity: 4, ..TERMS }, 1, 400).wait, Wait::None);
    }

    #[test]
    fn what_is_given_back_was_never_there() {
        let mut log = SlidingLog::default();
        let first = admit(&mut log, 1, 100);
        admit(&mut log, 1, 100);
        admit(&mut log, 1, 300);
        assert!(log.give_back(TERMS, 1, 100 + first.full));
        let read = log.read(TERMS, 1, 400);
        assert_eq!((read.used, read.next_free, read.wait), (2, 700, Wait::None));
        assert!(!log.give_back(TERMS, 2, 100 + first.full), "only one of that moment is left");
        assert!(!log.give_back(TERMS, 1, 1_250));
    }

    #[test]
    fn a_clock_that_goes_back_costs_waiting_and_admits_nothing_more() {
        let mut log = SlidingLog::default();
        admit(&mut log, 2, 5_000);
        admit(&mut log, 1, 4_500);
        let read = log.read(TERMS, 1, 4_500);
        assert_eq!((read.used, read.wait), (3, Wait::Micros(1_000)), "never longer than a window");
        assert_eq!(log.read(TERMS, 1, 6_000).wait, Wait::None);
    }
}
