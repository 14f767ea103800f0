//! What decisions cost in process, beside governor, which keeps one number for each key.
//!
//! One thread asks about many clients in turn, more often than their limits allow: some requests are admitted, most are
//! refused, as when it matters.

#![expect(clippy::unwrap_used, reason = "a measurement may stop here")]

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures::FutureExt as _;
use governor::{Quota, RateLimiter};
use ratelimit::{DenyCache, Dim, Keys, LocalOptions, LocalStore, Plan, Policy, Store, Subject};

const CLIENTS: usize = 10_000;
/// So many have their refusals remembered.
const REFUSED: usize = 1_000;
const LIMIT: u32 = 100;
const WINDOW: Duration = Duration::from_secs(1);
/// Refusals are renewed after so many questions, long before they are forgotten.
const CHUNK: u64 = 100_000;

fn keys() -> Keys {
    Keys::new([7; 16])
}

fn policy(name: &str, limit: u32, window: Duration) -> Policy {
    Policy::builder(name, limit, window).scope([Dim::User]).build().unwrap()
}

/// One plan for each client.
fn plans(clients: usize, policies: &[Policy]) -> Vec<Plan> {
    let plan = |client: usize| {
        let name = client.to_string();
        let subject = Subject::new().with(Dim::User, &name);
        let mut plan = Plan::new();
        for policy in policies {
            plan.ask(policy, keys().key(policy, &subject).unwrap(), 1).unwrap();
        }
        plan
    };
    (0..clients).map(plan).collect()
}

fn governor(criterion: &mut Criterion) {
    let quota = Quota::per_second(NonZeroU32::new(LIMIT).unwrap());
    let mut group = criterion.benchmark_group("governor");
    let direct = RateLimiter::direct(quota);
    group.bench_function("direct", |bencher| bencher.iter(|| direct.check().is_ok()));
    let keyed = RateLimiter::dashmap(quota);
    let clients: Vec<u64> = (0..CLIENTS as u64).collect();
    let mut turn = clients.iter().cycle();
    group.bench_function("keyed", |bencher| {
        bencher.iter(|| keyed.check_key(turn.next().unwrap()).is_ok());
    });
}

fn local(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("local");
    for names in [&["one"] as &[_], &["one", "two", "three"]] {
        let policies: Vec<_> = names.iter().map(|name| policy(name, LIMIT, WINDOW)).collect();
        let store = LocalStore::new(LocalOptions::default());
        let plans = plans(CLIENTS, &policies);
        let mut turn = plans.iter().cycle();
        group.bench_function(BenchmarkId::new("policies", names.len()), |bencher| {
            bencher.iter(|| store.admit_now(turn.next().unwrap()).is_admitted());
        });
        assert_eq!(store.evictions(), 0, "all clients fit in");
    }
}

fn refusals(criterion: &mut Criterion) {
    let store = Arc::new(LocalStore::new(LocalOptions::default()));
    let cache = DenyCache::new(store);
    let plans = plans(REFUSED, &[policy("one", 1, Duration::from_hours(1))]);
    let ask = |plan: &Plan| cache.admit(plan).now_or_never().unwrap().unwrap();
    // The first request is admitted. Two clients may share a place in the cache; one of them is left out.
    for plan in plans.iter().chain(&plans) {
        ask(plan);
    }
    let plans: Vec<_> = plans.iter().filter(|plan| cache.recall(plan).is_some()).cloned().collect();
    // One in thousands ends between being asked for and being recalled.
    let recall = |plan: &Plan| cache.recall(plan).is_some();
    let admit = |plan: &Plan| ask(plan).is_admitted();
    let measure = |iterations: u64, asked: &dyn Fn(&Plan) -> bool| {
        let mut took = Duration::ZERO;
        let mut left = iterations;
        let mut turn = plans.iter().cycle();
        while left > 0 {
            for plan in &plans {
                ask(plan);
            }
            let chunk = left.min(CHUNK);
            let began = Instant::now();
            for _ in 0..chunk {
                black_box(asked(turn.next().unwrap()));
            }
            took += began.elapsed();
            left -= chunk;
        }
        took
    };
    let mut group = criterion.benchmark_group("deny_cache");
    group.bench_function("recall", |bencher| {
        bencher.iter_custom(|iterations| measure(iterations, &recall));
    });
    let before = cache.hits();
    group.bench_function("admit", |bencher| bencher.iter_custom(|iterations| measure(iterations, &admit)));
    assert!(cache.hits() > before, "it answers by itself");
}

fn hashing(criterion: &mut Criterion) {
    let (keys, policy) = (keys(), policy("one", LIMIT, WINDOW));
    let subject = Subject::new().with(Dim::User, "018f4d2a-6b1c-7c3e-9f10-2b7f5d0a9c11");
    criterion.bench_function("keys/key", |bencher| {
        bencher.iter(|| keys.key(black_box(&policy), black_box(&subject)).unwrap());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = governor, local, refusals, hashing
}
criterion_main!(benches);
