//! What the machines are compared with: the whole history, read anew for every question.

use proptest::prelude::*;

use super::{CompactLog, FixedWindow, Gcra, Machine, SlidingLog, Terms, Wait};

/// Every admission: when, and how much.
type History = [(u64, u32)];

/// How an algorithm would be written by somebody with time.
struct Reference {
    used: fn(&History, Terms, u64) -> u64,
    fits: fn(&History, Terms, u32, u64) -> bool,
}

const SLIDING_LOG: Reference = Reference {
    used: |history, terms, now| {
        history.iter().filter(|(time, _)| time + terms.span > now).map(|&(_, cost)| u64::from(cost)).sum()
    },
    fits: |history, terms, cost, now| {
        (SLIDING_LOG.used)(history, terms, now) + u64::from(cost) <= u64::from(terms.capacity)
    },
};

const COMPACT_LOG: Reference = Reference {
    used: |history, terms, now| {
        let rounded: Vec<_> =
            history.iter().map(|&(time, cost)| (time.div_ceil(1_000) * 1_000, cost)).collect();
        (SLIDING_LOG.used)(&rounded, terms, now)
    },
    fits: |history, terms, cost, now| {
        (COMPACT_LOG.used)(history, terms, now) + u64::from(cost) <= u64::from(terms.capacity)
    },
};

/// What is not worked off yet, replayed from the beginning.
fn debt(history: &History, terms: Terms, now: u64) -> u64 {
    let (mut debt, mut last) = (0_u64, 0);
    for &(time, cost) in history {
        debt = debt.saturating_sub(time - last) + u64::from(cost) * terms.span;
        last = time;
    }
    debt.saturating_sub(now - last)
}

const GCRA: Reference = Reference {
    used: |history, terms, now| debt(history, terms, now).div_ceil(terms.span),
    fits: |history, terms, cost, now| {
        debt(history, terms, now) + u64::from(cost) * terms.span <= u64::from(terms.capacity) * terms.span
    },
};

const FIXED_WINDOW: Reference = Reference {
    used: |history, terms, now| {
        let (mut began, mut used) = (0, 0);
        for &(time, cost) in history {
            if used == 0 || time >= began + terms.span {
                (began, used) = (time, 0);
            }
            used += u64::from(cost);
        }
        if now >= began + terms.span { 0 } else { used }
    },
    fits: |history, terms, cost, now| {
        (FIXED_WINDOW.used)(history, terms, now) + u64::from(cost) <= u64::from(terms.capacity)
    },
};

/// Runs a machine beside its reference and returns what was admitted.
fn compare<M: Machine + Clone>(
    reference: &Reference,
    terms: Terms,
    steps: &[(u64, u32)],
) -> Result<Vec<(u64, u32)>, TestCaseError> {
    let (mut machine, mut history) = (M::default(), Vec::new());
    let mut now = 1_000_000_000_000_000;
    for &(gap, cost) in steps {
        now += gap;
        let read = machine.read(terms, cost, now);
        let fits = cost == 0 || (reference.fits)(&history, terms, cost, now);
        prop_assert_eq!(read.wait == Wait::None, fits, "cost {} at {}", cost, now);
        match read.wait {
            Wait::None if cost > 0 => {
                let taken = machine.take(terms, cost, now);
                history.push((now, cost));
                prop_assert_eq!(taken, machine.clone().read(terms, 0, now));
            }
            Wait::None => {}
            Wait::Micros(wait) => {
                // Not a microsecond too early, and nothing is left to wait for then.
                prop_assert!(!(reference.fits)(&history, terms, cost, now + wait - 1));
                prop_assert!((reference.fits)(&history, terms, cost, now + wait));
                prop_assert_eq!(machine.clone().read(terms, cost, now + wait - 1).wait, Wait::Micros(1));
                prop_assert_eq!(machine.clone().read(terms, cost, now + wait).wait, Wait::None);
            }
            Wait::Never => prop_assert!(cost > terms.capacity),
        }
        let read = machine.clone().read(terms, 0, now);
        let used = |at| (reference.used)(&history, terms, at);
        prop_assert_eq!(u64::from(read.used), used(now));
        for at in [now, now + read.next_free, now + read.full, now + terms.span / 2] {
            prop_assert_eq!(u64::from(machine.used_at(terms, at)), used(at));
        }
        if read.used == 0 {
            prop_assert_eq!((read.next_free, read.full), (0, 0));
        } else {
            prop_assert_eq!(used(now + read.next_free - 1), used(now));
            prop_assert!(used(now + read.next_free) < used(now));
            prop_assert!(used(now + read.full - 1) > 0);
            prop_assert_eq!(used(now + read.full), 0);
        }
    }
    Ok(history)
}

/// The most that was admitted in any span of this length, and the length of the span in which it was.
fn most_within(history: &History, span: u64) -> u64 {
    let within = |(index, &(first, _)): (usize, &(u64, u32))| {
        let later = history[index..].iter().take_while(|(time, _)| time - first < span);
        later.map(|&(_, cost)| u64::from(cost)).sum()
    };
    history.iter().enumerate().map(within).max().unwrap_or(0)
}

prop_compose! {
    /// Terms, and steps of a gap and a cost: bursts, trickles, pauses and the edges of the window.
    fn case()(capacity in 1_u32..12, span in prop_oneof![1_u64..50, 1_000_u64..9_000, Just(60_000_000)])(
        terms in Just(Terms { capacity, span }),
        steps in prop::collection::vec((
            prop_oneof![
                4 => Just(0),
                4 => 0..=span / u64::from(capacity),
                1 => Just(span),
                1 => span.saturating_sub(2)..=span + 2,
                1 => 0..=3 * span,
                1 => 0..=u64::from(capacity) * span,
            ],
            prop_oneof![6 => Just(1), 2 => 0..=capacity, 1 => Just(capacity + 1)],
        ), 1..80),
    ) -> (Terms, Vec<(u64, u32)>) {
        (terms, steps)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_sliding_log_is_exact((terms, steps) in case()) {
        let history = compare::<SlidingLog>(&SLIDING_LOG, terms, &steps)?;
        prop_assert!(most_within(&history, terms.span) <= u64::from(terms.capacity));
    }

    #[test]
    fn a_compact_log_is_exact_to_the_millisecond((terms, steps) in case()) {
        let history = compare::<CompactLog>(&COMPACT_LOG, terms, &steps)?;
        prop_assert!(most_within(&history, terms.span) <= u64::from(terms.capacity));
    }

    #[test]
    fn gcra_admits_the_burst_and_one_per_spacing((terms, steps) in case(), spans in 1_u64..20) {
        let history = compare::<Gcra>(&GCRA, terms, &steps)?;
        prop_assert!(most_within(&history, spans * terms.span) < u64::from(terms.capacity) + spans);
    }

    #[test]
    fn a_fixed_window_admits_its_limit_and_at_most_twice_across_an_edge((terms, steps) in case()) {
        let history = compare::<FixedWindow>(&FIXED_WINDOW, terms, &steps)?;
        prop_assert!(most_within(&history, terms.span) <= 2 * u64::from(terms.capacity));
    }

    #[test]
    fn changing_limits_never_let_a_window_pass_the_largest(
        (terms, steps) in case(),
        limits in prop::collection::vec(1_u32..12, 80),
    ) {
        let (mut log, mut compact) = (SlidingLog::default(), CompactLog::default());
        let (mut history, mut rounded, mut now) = (Vec::new(), Vec::new(), 1_000_000_000_000_000);
        for (&(gap, cost), &capacity) in steps.iter().zip(&limits) {
            now += gap;
            let terms = Terms { capacity, ..terms };
            let exact = log.read(terms, cost, now);
            prop_assert_eq!(exact.wait == Wait::None, cost == 0 || (SLIDING_LOG.fits)(&history, terms, cost, now));
            if exact.wait == Wait::None {
                log.take(terms, cost, now);
                history.push((now, cost));
            }
            let fits = compact.read(terms, cost, now).wait == Wait::None;
            prop_assert_eq!(fits, cost == 0 || (COMPACT_LOG.fits)(&rounded, terms, cost, now));
            if fits {
                compact.take(terms, cost, now);
                rounded.push((now, cost));
            }
        }
    }

    #[test]
    fn giving_back_leaves_what_would_have_been_without(
        (terms, steps) in case(),
        given in prop::collection::vec(any::<bool>(), 80),
    ) {
        // Each admission is either kept or given back at once; the reference never hears of the latter.
        let (mut log, mut compact) = (SlidingLog::default(), CompactLog::default());
        let (mut gcra, mut kept, mut now) = (Gcra::default(), [Vec::new(), Vec::new(), Vec::new()], 1_000_000_000_000_000);
        for (&(gap, cost), &give) in steps.iter().zip(&given) {
            now += gap;
            macro_rules! step {
                ($machine:ident, $reference:ident, $history:expr) => {
                    let fits = $machine.read(terms, cost, now).wait == Wait::None;
                    prop_assert_eq!(fits, cost == 0 || ($reference.fits)($history, terms, cost, now));
                    if fits && cost > 0 {
                        let taken = $machine.take(terms, cost, now);
                        if give {
                            prop_assert!($machine.give_back(terms, cost, now + taken.full));
                        } else {
                            $history.push((now, cost));
                        }
                    }
                };
            }
            step!(log, SLIDING_LOG, &mut kept[0]);
            step!(compact, COMPACT_LOG, &mut kept[1]);
            step!(gcra, GCRA, &mut kept[2]);
        }
    }

    #[test]
    fn a_clock_that_goes_back_never_lets_more_in(
        terms in (1_u32..8, 1_000_u64..20_000).prop_map(|(capacity, span)| Terms { capacity, span }),
        moves in prop::collection::vec(-5_000_i64..5_000, 1..80),
    ) {
        // Time that passed is the sum of the steps forward; steps back are the clock's fault.
        let (mut log, mut compact) = (SlidingLog::default(), CompactLog::default());
        let (mut clock, mut passed) = (1_000_000_000_000_000_u64, 0_u64);
        let (mut admitted, mut compactly) = (Vec::new(), Vec::new());
        for step in moves {
            clock = clock.saturating_add_signed(step);
            passed += u64::try_from(step).unwrap_or(0);
            if log.read(terms, 1, clock).wait == Wait::None {
                log.take(terms, 1, clock);
                admitted.push((passed, 1));
            }
            if compact.read(terms, 1, clock).wait == Wait::None {
                compact.take(terms, 1, clock);
                compactly.push((passed, 1));
            }
        }
        prop_assert!(most_within(&admitted, terms.span) <= u64::from(terms.capacity));
        prop_assert!(most_within(&compactly, terms.span) <= u64::from(terms.capacity));
    }
}
