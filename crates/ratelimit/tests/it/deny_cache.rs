//! Refusals that are answered from memory: many, and none that the store would not have said.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use ratelimit::clock::{Clock, ManualClock};
use ratelimit::{DenyCache, LocalOptions, LocalStore, Plan, Policy, Source, Store};

use crate::fixture::{ALL, MINUTE, key, plan, policy};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Duration::from_secs(1_000_000)))
}

fn local(clock: &Arc<ManualClock>) -> LocalStore {
    LocalStore::new(LocalOptions { clock: Arc::clone(clock) as _, ..LocalOptions::default() })
}

fn cached(clock: &Arc<ManualClock>) -> DenyCache {
    DenyCache::with_clock(Arc::new(local(clock)), Arc::clone(clock) as Arc<dyn Clock>)
}

#[tokio::test]
async fn a_flood_of_refused_requests_asks_the_store_once_a_second() {
    let clock = clock();
    let store = cached(&clock);
    for algorithm in ALL {
        let before = store.hits();
        let one = plan(&[(&policy("p", algorithm, 5, MINUTE), 5)]);
        assert!(store.admit(&one).await.unwrap().is_admitted());
        let first = store.admit(&one).await.unwrap();
        assert_eq!((first.is_admitted(), first.source()), (false, Source::Store));
        for turn in 1..=4_000_u32 {
            clock.advance(Duration::from_millis(1));
            let again = store.admit(&one).await.unwrap();
            assert!(!again.is_admitted());
            let gone = Duration::from_millis(turn.into());
            assert_eq!(again.retry_after().unwrap() + gone, first.retry_after().unwrap(), "{algorithm:?}");
            assert_eq!(again.now(), first.now() + gone);
        }
        assert_eq!(store.hits() - before, 4_000 - 4, "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_forgotten_at_the_moment_there_is_room() {
    let clock = clock();
    let store = cached(&clock);
    for algorithm in ALL {
        let one = plan(&[(&policy("p", algorithm, 5, Duration::from_millis(700)), 5)]);
        store.admit(&one).await.unwrap();
        let wait = store.admit(&one).await.unwrap().retry_after().unwrap();
        clock.advance(wait.checked_sub(Duration::from_micros(1)).unwrap());
        let refused = store.admit(&one).await.unwrap();
        assert_eq!(refused.retry_after(), Some(Duration::from_micros(1)), "{algorithm:?}");
        clock.advance(Duration::from_micros(1));
        assert!(store.admit(&one).await.unwrap().is_admitted(), "{algorithm:?}");
    }
}

fn random_plan(policies: &[Policy], random: &mut StdRng) -> Plan {
    let mut plan = Plan::new();
    for policy in policies {
        if random.random_bool(0.5) {
            let user = ["a", "b"][random.random_range(0..2)];
            let cost = if random.random_bool(0.8) { 1 } else { random.random_range(0..7) };
            plan.ask(policy, key(policy, user), cost).unwrap();
        }
    }
    plan
}

#[tokio::test]
async fn every_verdict_is_that_of_a_store_without_memory() {
    let mut hits = 0;
    for seed in 0..20 {
        let mut random = StdRng::seed_from_u64(seed);
        let clock = clock();
        let (with, without) = (cached(&clock), local(&clock));
        let policies: Vec<_> = (0..5)
            .map(|number| {
                let window = Duration::from_micros(random.random_range(1_000..3_000_000));
                policy(&format!("p{number}"), ALL[number % 4], random.random_range(1..6), window)
            })
            .collect();
        for step in 0..3_000 {
            clock.advance(Duration::from_micros(random.random_range(0..20_000)));
            let plan = random_plan(&policies, &mut random);
            let (one, other) = (with.admit(&plan).await.unwrap(), without.admit(&plan).await.unwrap());
            assert_eq!(one.is_admitted(), other.is_admitted(), "seed {seed}, step {step}: {plan:?}");
            // Since the refusal others may have been admitted under its other keys: it may say too little, never too
            // much.
            let (told, true_wait) = (one.retry_after(), other.retry_after());
            assert_eq!(told.is_some(), true_wait.is_some(), "seed {seed}, step {step}: {plan:?}");
            assert!(told <= true_wait, "seed {seed}, step {step}: {plan:?}");
            if let (Some(one), Some(other)) = (one.receipt(&plan), other.receipt(&plan))
                && random.random_bool(0.1)
            {
                assert_eq!(with.refund(one).await.unwrap(), without.refund(other).await.unwrap());
            }
            if random.random_bool(0.02) {
                let policy = &policies[random.random_range(0..policies.len())];
                let keys = [key(policy, "a")];
                assert_eq!(with.reset(&keys).await.unwrap() > 0, without.reset(&keys).await.unwrap() > 0);
            }
        }
        hits += with.hits();
    }
    assert!(hits > 2_000, "{hits}");
}
