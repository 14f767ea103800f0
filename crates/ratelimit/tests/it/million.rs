//! A million random requests under three policies of different windows, against lists of what was admitted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use ratelimit::clock::ManualClock;
use ratelimit::{Algorithm, LocalOptions, LocalStore, Plan};

use crate::fixture::{key, policy};

/// Limit and window, in microseconds.
const RULES: [(u32, u64); 3] = [(7, 1_000), (19, 5_000), (61, 40_000)];

#[test]
fn a_million_steps_and_not_one_above_a_limit() {
    let start = Duration::from_secs(1_000_000);
    let clock = Arc::new(ManualClock::at(start));
    let store = LocalStore::new(LocalOptions { clock: Arc::clone(&clock) as _, ..LocalOptions::default() });
    let policies: Vec<_> = (RULES.iter().enumerate())
        .map(|(number, &(limit, window))| {
            policy(&format!("p{number}"), Algorithm::SlidingLog, limit, Duration::from_micros(window))
        })
        .collect();
    let keys: Vec<_> = policies.iter().map(|policy| key(policy, "somebody")).collect();
    let mut random = StdRng::seed_from_u64(4);
    // By policy: when, and at what cost.
    let mut admitted: [VecDeque<(u64, u32)>; 3] = Default::default();
    let (mut now, mut verdicts) = (0_u64, [0_u32; 2]);
    for step in 0..1_000_000 {
        let gap = match random.random_range(0..10) {
            0..4 => 0,
            4..9 => random.random_range(0..400),
            _ => random.random_range(0..4_000),
        };
        now += gap;
        clock.advance(Duration::from_micros(gap));
        let asked: [u32; 3] = std::array::from_fn(|_| match random.random_range(0..10) {
            0 => 0,
            1 => random.random_range(2..5),
            _ => 1,
        });
        let mut plan = Plan::new();
        for ((policy, key), cost) in policies.iter().zip(&keys).zip(asked) {
            plan.ask(policy, *key, cost).unwrap();
        }
        let mut used = [0; 3];
        for (number, &(_, window)) in RULES.iter().enumerate() {
            let counts = admitted[number].iter().rev().take_while(|(time, _)| time + window > now);
            used[number] = counts.map(|(_, cost)| cost).sum::<u32>();
        }
        let fits = |number: usize| asked[number] == 0 || used[number] + asked[number] <= RULES[number].0;
        let expected = (0..3).all(fits);
        let report = store.admit_now(&plan);
        assert_eq!(report.is_admitted(), expected, "step {step}");
        for number in 0..3 {
            if expected && asked[number] > 0 {
                used[number] += asked[number];
                admitted[number].push_back((now, asked[number]));
                admitted[number].drain(..admitted[number].len().saturating_sub(61));
            }
            assert_eq!(report.states()[number].used(), used[number], "step {step}");
        }
        verdicts[usize::from(expected)] += 1;
    }
    assert!(verdicts.iter().all(|&count| count > 100_000), "{verdicts:?}");
}
