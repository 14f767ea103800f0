//! The scripts do the same sums as the machines of `algorithm`, at every step of random histories.
//!
//! One client asks, so that between two answers nothing happens that the model does not know; the times are those
//! that Redis tells.

use std::collections::HashMap;
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::cmd;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use ratelimit::algorithm::{Reading, State, Wait};
use ratelimit::{Algorithm, LimitKey, Plan, Policy, PolicyState, Rule};

use crate::fixture::{Fixture, key, policy, shadow};

fn reading(state: &PolicyState) -> Reading {
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap();
    let wait = match state.retry_after() {
        Some(wait) => Wait::Micros(micros(wait)),
        None if state.is_unsatisfiable() => Wait::Never,
        None => Wait::None,
    };
    Reading {
        used: state.used(),
        next_free: micros(state.next_free()),
        full: micros(state.full_reset()),
        wait,
    }
}

struct Model {
    states: HashMap<LimitKey, State>,
}

impl Model {
    /// What should have been said at `now`.
    fn expect(&mut self, plan: &Plan, now: u64, commit: bool) -> (bool, Vec<Reading>) {
        let mut readings = Vec::new();
        for ask in plan.asks() {
            let state = self.states.entry(ask.key()).or_insert_with(|| State::new(ask.rule().algorithm()));
            readings.push(state.read(ask.rule().terms(), ask.cost(), now));
        }
        let admitted = plan
            .asks()
            .iter()
            .zip(&readings)
            .all(|(ask, reading)| ask.is_shadow() || reading.wait == Wait::None);
        for (ask, reading) in plan.asks().iter().zip(&mut readings) {
            if admitted && commit && ask.cost() > 0 && reading.wait == Wait::None {
                *reading = self.states.get_mut(&ask.key()).unwrap().take(ask.rule().terms(), ask.cost(), now);
            }
        }
        (admitted, readings)
    }
}

fn policies(random: &mut StdRng) -> Vec<(Policy, u32)> {
    let algorithms = [
        Algorithm::SlidingLog,
        Algorithm::CompactLog,
        Algorithm::Gcra { burst: random.random_range(1..20) },
        Algorithm::FixedWindow,
    ];
    let named = |(number, algorithm): (usize, Algorithm), random: &mut StdRng| {
        let limit = *[1, 3, 10, 150].get(random.random_range(0..4)).unwrap();
        let window = Duration::from_micros(random.random_range(1_000..60_000));
        (policy(&format!("p{number}"), algorithm, limit, window), limit)
    };
    let mut all: Vec<_> = algorithms.into_iter().enumerate().map(|each| named(each, random)).collect();
    all.push((shadow("watching", 5, Duration::from_millis(20)), 5));
    all
}

/// Redis forgets no key before everything under it has stopped counting, and keeps none for ever.
async fn stays_as_long_as_it_counts(fixture: &Fixture, connection: &mut MultiplexedConnection, plan: &Plan) {
    let report = fixture.store.peek(plan).await.unwrap();
    for (ask, state) in plan.asks().iter().zip(report.states()) {
        let name = fixture.name(ask.key());
        let until: i64 = cmd("PEXPIRETIME").arg(&name).query_async(connection).await.unwrap();
        let counts_until = i64::try_from((report.now() + state.full_reset()).as_millis()).unwrap();
        // -2: it is gone, as it should be when nothing counts, or since then.
        let gone_in_time = until == -2 && {
            let now: (i64, i64) = cmd("TIME").query_async(connection).await.unwrap();
            state.used() == 0 || now.0 * 1_000 + now.1 / 1_000 >= counts_until
        };
        assert!(
            until >= counts_until || state.used() == 0 && until > 0 || gone_in_time,
            "{ask:?}: {until}, {state:?}"
        );
    }
}

/// Asks random costs of random policies, sometimes by another limit, and compares every figure.
async fn compare(seed: u64, steps: usize) {
    let fixture = Fixture::redis();
    let mut random = StdRng::seed_from_u64(seed);
    let policies = policies(&mut random);
    let mut connection = fixture.connection().await;
    let mut model = Model { states: HashMap::new() };
    let mut verdicts = [0, 0];
    for step in 0..steps {
        let mut plan = Plan::new();
        for (policy, limit) in &policies {
            if random.random_bool(0.6) {
                let cost = if random.random_bool(0.8) { 1 } else { random.random_range(0..=limit + 1) };
                let cost = cost.min(Plan::LARGEST_LOG_COST);
                let rule = policy.rule();
                let other = Rule::new(rule.algorithm(), random.random_range(1..200), rule.window());
                let rule = if random.random_bool(0.05) { other.unwrap_or(rule) } else { rule };
                plan.ask_by(policy, rule, key(policy, "somebody"), cost).unwrap();
            }
        }
        if plan.asks().is_empty() {
            continue;
        }
        let commit = random.random_bool(0.9);
        let report =
            if commit { fixture.store.admit(&plan).await } else { fixture.store.peek(&plan).await }.unwrap();
        let now = u64::try_from(report.now().as_micros()).unwrap();
        let (admitted, readings) = model.expect(&plan, now, commit);
        let said: Vec<_> = report.states().iter().map(reading).collect();
        assert_eq!((report.is_admitted(), said), (admitted, readings), "seed {seed}, step {step}: {plan:?}");
        verdicts[usize::from(admitted)] += 1;
        if commit && admitted && random.random_bool(0.1) {
            let receipt = report.receipt(&plan).unwrap();
            fixture.store.refund(receipt).await.unwrap();
            for (ask, state) in plan.asks().iter().zip(report.states()) {
                if ask.cost() > 0 && !state.is_exceeded() {
                    let until = u64::try_from((report.now() + state.full_reset()).as_micros()).unwrap();
                    model.states.get_mut(&ask.key()).unwrap().give_back(
                        ask.rule().terms(),
                        ask.cost(),
                        until,
                    );
                }
            }
        }
        if random.random_bool(0.2) {
            stays_as_long_as_it_counts(&fixture, &mut connection, &plan).await;
        }
        if random.random_bool(0.01) {
            tokio::time::sleep(Duration::from_millis(random.random_range(1..100))).await;
        }
    }
    assert!(verdicts.iter().all(|&count| count > steps / 50), "seed {seed}: {verdicts:?}");
}

#[tokio::test]
async fn at_every_step_of_random_histories() {
    for seed in 0..8 {
        compare(seed, 1_000).await;
    }
}
