//! Policies in different slots of a cluster: still all or none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use deadpool_redis::redis::cmd;
use futures::future::join_all;
use ratelimit::{Dim, Keys, Plan, Policy, PolicyState, Store, StoreErrorKind, Subject};
use test_support::redis_cluster::RedisCluster;
use tokio::task::block_in_place;

use crate::fixture::{Fixture, MINUTE, cluster_store, connection};

mod nodes;

const KEYS: [u8; 16] = *b"a secret of test";

fn policy(name: &str, limit: u32, dims: &[Dim]) -> Policy {
    Policy::builder(name, limit, 60 * MINUTE).scope(dims.iter().copied()).build().unwrap()
}

fn plan(policies: &[&Policy], subject: &Subject<'_>) -> Plan {
    let mut plan = Plan::new();
    for policy in policies {
        plan.ask(policy, Keys::new(KEYS).key(policy, subject).unwrap(), 1).unwrap();
    }
    plan
}

fn used(states: &[PolicyState]) -> Vec<u32> {
    states.iter().map(PolicyState::used).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_in_one_slot_takes_back_what_another_counted() {
    // The one that refuses is asked first, in the middle, and last.
    for (limits, least) in [([3, 9, 9], 3), ([9, 4, 9], 4), ([9, 9, 5], 5)] {
        let fixture = Fixture::cluster();
        let subject = Subject::new().with(Dim::Tenant, "acme").with(Dim::Ip, "::1");
        let tenant = policy("tenant", limits[0], &[Dim::Tenant]);
        let address = policy("address", limits[1], &[Dim::Ip]);
        let all = policy("all", limits[2], &[]);
        let plan = plan(&[&all, &tenant, &address], &subject);
        for turn in 1..=12 {
            let report = fixture.store.admit(&plan).await.unwrap();
            assert_eq!(report.is_admitted(), turn <= least);
            let expected = turn.min(least);
            assert_eq!(used(report.states()), [expected; 3], "{limits:?}");
            if turn > least {
                assert_eq!(report.refusing().count(), 1);
                assert!(report.retry_after().is_some());
            }
        }
        let receipt = {
            let keys = [&all, &tenant, &address].map(|policy| Keys::new(KEYS).key(policy, &subject).unwrap());
            assert_eq!(fixture.store.reset(&keys).await.unwrap(), 3);
            fixture.store.admit(&plan).await.unwrap().receipt(&plan).unwrap()
        };
        assert_eq!(fixture.store.refund(receipt).await.unwrap(), 3);
        assert_eq!(used(fixture.store.peek(&plan).await.unwrap().states()), [0; 3]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_pass_no_limit_and_leave_no_trace_of_the_refused() {
    for (of_tenant, of_all) in [(503, 401), (211, 401)] {
        let fixture = Fixture::cluster();
        let subject = Subject::new().with(Dim::Tenant, "acme");
        let plan =
            plan(&[&policy("all", of_all, &[]), &policy("tenant", of_tenant, &[Dim::Tenant])], &subject);
        let admitted = Arc::new(AtomicU32::new(0));
        let tasks = (0..50).map(|_| {
            let (store, plan, admitted) = (Arc::clone(&fixture.store), plan.clone(), Arc::clone(&admitted));
            tokio::spawn(async move {
                join_all((0..8).map(|_| async {
                    for _ in 0..3 {
                        if store.admit(&plan).await.unwrap().is_admitted() {
                            admitted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }))
                .await;
            })
        });
        for task in join_all(tasks).await {
            task.unwrap();
        }
        let least = of_tenant.min(of_all);
        assert_eq!(admitted.load(Ordering::Relaxed), least);
        assert_eq!(used(fixture.store.peek(&plan).await.unwrap().states()), [least; 2]);
    }
}

#[tokio::test]
async fn whatever_a_client_is_called_its_policies_share_a_slot() {
    let fixture = Fixture::cluster();
    let policies = [
        policy("tenant", 2, &[Dim::Tenant]),
        policy("user", 2, &[Dim::Tenant, Dim::User]),
        policy("route", 2, &[Dim::Tenant, Dim::Endpoint]),
    ];
    let hostile = ["", "{}", "}{", "{a}b", "a\0b", "*", "a:b", "t:{acme}"];
    for name in hostile.into_iter().chain(["x"; 3].map(|_| "acme")) {
        let subject = Subject::new().with(Dim::Tenant, name).with(Dim::User, name).with(Dim::Endpoint, name);
        let plan = plan(&policies.each_ref(), &subject);
        fixture.store.admit(&plan).await.unwrap();
    }
}

#[tokio::test]
async fn every_node_says_what_it_does_when_its_memory_is_full() {
    let cluster = RedisCluster::spawn().unwrap();
    let store = cluster_store(&cluster.urls(), "", Duration::from_secs(20));
    assert_eq!(store.memory_policy().await.unwrap().limit(), None);
    let mut one = connection(&cluster.urls()[1]).await;
    for (name, value) in [("maxmemory-policy", "volatile-ttl"), ("maxmemory", "100000000")] {
        cmd("CONFIG").arg("SET").arg(name).arg(value).query_async::<()>(&mut one).await.unwrap();
    }
    let told = store.memory_policy().await.unwrap();
    assert_eq!((told.may_forget_limits(), told.eviction()), (true, "volatile-ttl"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_takes_its_keys_along_and_is_used_again_when_it_is_back() {
    let mut cluster = RedisCluster::spawn().unwrap();
    let store = cluster_store(&cluster.urls(), "", Duration::from_secs(1));
    let policy = policy("tenant", 1_000, &[Dim::Tenant]);
    let names: Vec<_> = (0..20).map(|number| format!("tenant{number}")).collect();
    let plans: Vec<_> =
        names.iter().map(|name| plan(&[&policy], &Subject::new().with(Dim::Tenant, name))).collect();
    let ask = async || join_all(plans.iter().map(|plan| store.admit(plan))).await;
    until(async || ask().await.iter().all(Result::is_ok)).await;

    cluster.node(1).kill().unwrap();
    let mut lost = vec![true; plans.len()];
    // Whose node lives is answered, be it only after a while; of the others nobody is refused.
    until(async || {
        for (lost, answer) in lost.iter_mut().zip(ask().await) {
            match answer {
                Ok(report) => {
                    assert!(report.is_admitted());
                    *lost = false;
                }
                Err(error) => {
                    let kind = error.kind();
                    let expected =
                        [StoreErrorKind::Unreachable, StoreErrorKind::Timeout, StoreErrorKind::NotReady];
                    assert!(expected.contains(&kind), "{error}");
                }
            }
        }
        let left = lost.iter().filter(|lost| !**lost).count();
        (1..plans.len()).contains(&left)
    })
    .await;

    block_in_place(|| cluster.node(1).start()).unwrap();
    until(async || ask().await.iter().all(Result::is_ok)).await;
    let patient = cluster_store(&cluster.urls(), "", Duration::from_secs(20));
    for (plan, lost) in plans.iter().zip(lost) {
        let used = patient.peek(plan).await.unwrap().states()[0].used();
        // At the beginning, while one was away, and when it was back.
        assert!(lost || used >= 3, "what others counted is still there: {used}");
    }
}

async fn until(mut done: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + MINUTE;
    while !done().await {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
