//! A counter that is thrown away at the end of its window.

use super::{Machine, Reading, Terms, Wait};

/// Counts from the first admission on, for one window.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedWindow {
    began: u64,
    count: u32,
}

impl FixedWindow {
    fn reading(self, span: u64, now: u64, wait: Wait) -> Reading {
        let left = if self.count == 0 { 0 } else { self.began + span - now };
        Reading { used: self.count, next_free: left, full: left, wait }
    }
}

impl Machine for FixedWindow {
    fn read(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        if self.began + terms.span <= now {
            self.count = 0;
        }
        let wait = if cost == 0 || self.count.saturating_add(cost) <= terms.capacity {
            Wait::None
        } else if cost > terms.capacity {
            Wait::Never
        } else {
            Wait::Micros((self.began + terms.span - now).min(terms.span))
        };
        self.reading(terms.span, now, wait)
    }

    fn used_at(&self, terms: Terms, at: u64) -> u32 {
        if self.began + terms.span <= at { 0 } else { self.count }
    }

    fn take(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        if self.count == 0 {
            self.began = now;
        }
        self.count += cost;
        self.reading(terms.span, now, Wait::None)
    }

    fn give_back(&mut self, terms: Terms, cost: u32, until: u64) -> bool {
        let same = cost > 0 && self.began + terms.span == until && self.count >= cost;
        if same {
            self.count -= cost;
        }
        same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { capacity: 2, span: 1_000 };

    #[test]
    fn a_window_begins_with_its_first_admission() {
        let mut window = FixedWindow::default();
        assert_eq!(window.read(TERMS, 1, 5_500).wait, Wait::None);
        assert_eq!(window.take(TERMS, 1, 5_500).full, 1_000);
        window.take(TERMS, 1, 6_000);
        let read = window.read(TERMS, 1, 6_499);
        assert_eq!(read, Reading { used: 2, next_free: 1, full: 1, wait: Wait::Micros(1) });
        assert_eq!(
            window.read(TERMS, 2, 6_500),
            Reading { used: 0, next_free: 0, full: 0, wait: Wait::None }
        );
        assert_eq!(window.read(TERMS, 3, 6_500).wait, Wait::Never);
    }

    #[test]
    fn only_what_was_counted_in_this_window_is_given_back() {
        let mut window = FixedWindow::default();
        let until = 5_500 + window.take(TERMS, 2, 5_500).full;
        assert!(window.give_back(TERMS, 1, until));
        assert_eq!(window.read(TERMS, 0, 5_500).used, 1);
        window.read(TERMS, 0, 6_500);
        window.take(TERMS, 1, 6_600);
        assert!(!window.give_back(TERMS, 1, until));
    }
}
