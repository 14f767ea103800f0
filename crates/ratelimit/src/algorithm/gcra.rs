//! The generic cell rate algorithm: one number per key.

use super::{Machine, Reading, Terms, Wait};

/// Keeps the moment at which everything that was admitted is worked off at one unit per `span`; the distance of that
/// moment is the debt, and the debt may be at most `capacity` spans. The same as a token bucket that fills by one
/// token per `span`.
///
/// When the span changes, the debt stays the same number of units, and is worked off as before until the next
/// admission: a refusal writes nothing, so what was said of the wait stays true.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gcra {
    worked_off: u64,
    /// The span by which the debt was counted.
    span: u64,
}

impl Gcra {
    /// Microseconds of debt, and the span that one unit of it stands for.
    fn debt(self, terms: Terms, now: u64) -> (u64, u64) {
        match self.worked_off.saturating_sub(now) {
            0 => (0, terms.span),
            debt => (debt, self.span),
        }
    }

    fn reading((debt, span): (u64, u64), wait: Wait) -> Reading {
        let used = debt.div_ceil(span);
        Reading {
            used: u32::try_from(used).unwrap_or(u32::MAX),
            next_free: debt - used.saturating_sub(1) * span,
            full: debt,
            wait,
        }
    }
}

/// In doubles, as the script for Redis reckons: both stores give the same answer.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "spans and debts are below 2^53, and a part of a microsecond is rounded up"
)]
fn rescaled(debt: u64, from: u64, to: u64) -> u64 {
    if from == to { debt } else { (debt as f64 / from as f64 * to as f64).ceil() as u64 }
}

impl Machine for Gcra {
    fn read(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        let (debt, span) = self.debt(terms, now);
        let wait = if cost == 0 {
            Wait::None
        } else if cost > terms.capacity {
            Wait::Never
        } else {
            match (debt + u64::from(cost) * span).saturating_sub(u64::from(terms.capacity) * span) {
                0 => Wait::None,
                wait => Wait::Micros(wait),
            }
        };
        Self::reading((debt, span), wait)
    }

    fn used_at(&self, terms: Terms, at: u64) -> u32 {
        let (debt, span) = self.debt(terms, at);
        u32::try_from(debt.div_ceil(span)).unwrap_or(u32::MAX)
    }

    fn take(&mut self, terms: Terms, cost: u32, now: u64) -> Reading {
        let (debt, span) = self.debt(terms, now);
        let debt = rescaled(debt, span, terms.span) + u64::from(cost) * terms.span;
        *self = Self { worked_off: now + debt, span: terms.span };
        Self::reading((debt, terms.span), Wait::None)
    }

    fn give_back(&mut self, terms: Terms, cost: u32, until: u64) -> bool {
        // After a later admission nobody knows whether the bucket would have overflowed in between.
        let newest = cost > 0 && self.worked_off == until && self.span == terms.span;
        if newest {
            self.worked_off = until.saturating_sub(u64::from(cost) * terms.span);
        }
        newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 at once, one more every 600 ms.
    const TERMS: Terms = Terms { capacity: 10, span: 600_000 };

    #[test]
    fn a_pause_after_one_request_gives_the_burst_and_no_more() {
        let mut gcra = Gcra::default();
        let mut now = 1_000_000_000;
        gcra.take(TERMS, 1, now);
        now += 5_300_000;
        let mut admitted = 0;
        while gcra.read(TERMS, 1, now).wait == Wait::None {
            gcra.take(TERMS, 1, now);
            admitted += 1;
        }
        assert_eq!(admitted, 10);
    }

    #[test]
    fn figures_follow_the_debt() {
        let mut gcra = Gcra::default();
        let start = 1_000_000_000;
        let taken = gcra.take(TERMS, 3, start);
        assert_eq!(taken, Reading { used: 3, next_free: 600_000, full: 1_800_000, wait: Wait::None });
        let read = gcra.read(TERMS, 8, start + 100_000);
        assert_eq!(
            read,
            Reading { used: 3, next_free: 500_000, full: 1_700_000, wait: Wait::Micros(500_000) }
        );
        assert_eq!(gcra.read(TERMS, 8, start + 600_000).wait, Wait::None);
        assert_eq!(gcra.read(TERMS, 11, start).wait, Wait::Never);
        assert_eq!(
            gcra.read(TERMS, 1, start + 1_800_000),
            Reading { used: 0, next_free: 0, full: 0, wait: Wait::None }
        );
    }

    #[test]
    fn a_changed_rate_keeps_what_is_used_and_tells_the_true_wait() {
        let start = 1_000_000_000;
        for span in [6_000, 600_000, 60_000_000] {
            let mut gcra = Gcra::default();
            gcra.take(TERMS, 10, start);
            let terms = Terms { span, ..TERMS };
            let read = gcra.read(terms, 1, start);
            assert_eq!((read.used, read.wait), (10, Wait::Micros(600_000)));
            assert_eq!(gcra.read(terms, 1, start + 599_999).wait, Wait::Micros(1), "{span}");
            assert_eq!(gcra.read(terms, 1, start + 600_000).wait, Wait::None);
            assert_eq!(gcra.take(terms, 1, start + 600_000).used, 10);
            assert_eq!(gcra.read(terms, 1, start + 600_000).wait, Wait::Micros(span), "from now on");
        }
        let mut gcra = Gcra::default();
        gcra.take(TERMS, 10, start);
        let smaller = Terms { capacity: 4, ..TERMS };
        assert_eq!(gcra.read(smaller, 1, start).wait, Wait::Micros(7 * 600_000));
    }

    #[test]
    fn no_cost_is_too_large_to_be_refused() {
        let day = Terms { capacity: 10, span: 86_400_000_000 };
        let mut gcra = Gcra::default();
        gcra.take(day, 1, 1_000_000_000);
        for cost in [11, 213_503_982, u32::MAX] {
            assert_eq!(gcra.read(day, cost, 1_000_000_000).wait, Wait::Never);
        }
    }

    #[test]
    fn only_the_newest_is_given_back() {
        let mut gcra = Gcra::default();
        let start = 1_000_000_000;
        let first = start + gcra.take(TERMS, 1, start).full;
        let second = start + gcra.take(TERMS, 2, start).full;
        assert!(!gcra.give_back(TERMS, 1, first));
        assert!(gcra.give_back(TERMS, 2, second));
        assert!(gcra.give_back(TERMS, 1, first), "it is the newest again");
        assert_eq!(gcra.read(TERMS, 1, start).used, 0);
    }
}
