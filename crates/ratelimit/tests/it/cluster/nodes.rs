//! Nodes of a cluster that are slow, silent, gone, or give their slots away: what was counted is right afterwards.

use std::time::Duration;

use deadpool_redis::redis::{Value, cmd};
use futures::future::join_all;
use ratelimit::{
    Algorithm, Dim, Plan, Policy, PolicyState, Receipt, RedisStore, Store, StoreErrorKind, Subject,
};
use test_support::redis_cluster::RedisCluster;

use super::{plan, policy, until, used};
use crate::failures::Proxy;
use crate::fixture::{MINUTE, cluster_store, connection};

/// Not so short that a busy machine passes for a silent one.
const WITHIN: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(20);

/// Where slots of [`RedisCluster`] end.
const FIRST_SLOTS: [u16; 3] = [0, 5_461, 10_923];

fn fixed(name: &str, limit: u32, dims: &[Dim]) -> Policy {
    let builder = Policy::builder(name, limit, 60 * MINUTE).scope(dims.iter().copied());
    builder.algorithm(Algorithm::FixedWindow).build().unwrap()
}

async fn order<T: deadpool_redis::redis::FromRedisValue>(url: &str, words: &str) -> T {
    let mut words = words.split(' ');
    let mut command = cmd(words.next().unwrap());
    command.arg(words.collect::<Vec<_>>());
    command.query_async(&mut connection(url).await).await.unwrap()
}

/// The slot of the first policy of a plan, and the node that has it.
async fn place(cluster: &RedisCluster, plan: &Plan) -> (u16, usize) {
    let slot: u16 = order(&cluster.urls()[0], &format!("CLUSTER KEYSLOT {}", plan.asks()[0].key())).await;
    (slot, FIRST_SLOTS.iter().rposition(|first| *first <= slot).unwrap())
}

/// A plan of one policy for all and one for a tenant, in this order, that live on different nodes, and which nodes.
async fn on_two_nodes(cluster: &RedisCluster, all: &Policy, tenant: &Policy) -> (Plan, usize, usize) {
    for number in 0.. {
        let name = format!("tenant{number}");
        let subject = Subject::new().with(Dim::Tenant, &name);
        let (_, of_all) = place(cluster, &plan(&[all], &subject)).await;
        let (_, of_tenant) = place(cluster, &plan(&[tenant], &subject)).await;
        if of_all != of_tenant {
            return (plan(&[all, tenant], &subject), of_all, of_tenant);
        }
    }
    unreachable!()
}

async fn forget(store: &RedisStore, plan: &Plan) {
    let keys: Vec<_> = plan.asks().iter().map(ratelimit::Ask::key).collect();
    store.reset(&keys).await.unwrap();
}

/// Asks until all nodes answer in time, and forgets it.
async fn warm(store: &RedisStore, plan: &Plan) {
    until(async || store.admit(plan).await.is_ok()).await;
    until(async || store.admit(plan).await.is_ok()).await;
    forget(store, plan).await;
}

/// How often a node ran a command.
async fn calls(url: &str, name: &str) -> u32 {
    let text: String = order(url, "INFO commandstats").await;
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_waited_for_is_given_back_in_every_slot() {
    let mut cluster = RedisCluster::spawn().unwrap();
    let (patient, store) =
        (cluster_store(&cluster.urls(), "", PATIENCE), cluster_store(&cluster.urls(), "", WITHIN));
    let (all, tenant) = (policy("all", 100, &[]), policy("tenant", 100, &[Dim::Tenant]));
    let (plan, silent, _) = on_two_nodes(&cluster, &all, &tenant).await;
    warm(&store, &plan).await;
    patient.peek(&plan).await.unwrap();
    let url = cluster.urls()[silent].clone();
    let before = calls(&url, "zrem").await;

    cluster.node(silent).pause().unwrap();
    for _ in 0..3 {
        assert_eq!(store.admit(&plan).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    }
    // Two that are not even waited for.
    for _ in 0..2 {
        assert!(tokio::time::timeout(WITHIN / 8, store.admit(&plan)).await.is_err());
    }
    let of_tenant = plan_of(&tenant, &plan);
    until(async || used(patient.peek(&of_tenant).await.unwrap().states()) == [0]).await;

    cluster.node(silent).resume().unwrap();
    until(async || calls(&url, "zrem").await >= before + 5).await;
    assert_eq!(used(patient.peek(&plan).await.unwrap().states()), [0, 0]);
    until(async || store.admit(&plan).await.is_ok()).await;
}

/// The part of a plan that asks one policy.
fn plan_of(policy: &Policy, whole: &Plan) -> Plan {
    let ask = whole.asks().iter().find(|ask| ask.key().policy() == policy.name()).unwrap();
    let mut plan = Plan::new();
    plan.ask(policy, ask.key(), ask.cost()).unwrap();
    plan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_told_whatever_other_slots_say() {
    let mut cluster = RedisCluster::spawn().unwrap();
    let store = cluster_store(&cluster.urls(), "", WITHIN);
    let (all, tenant) = (policy("all", 100, &[]), policy("tenant", 1, &[Dim::Tenant]));
    let (plan, silent, _) = on_two_nodes(&cluster, &all, &tenant).await;
    warm(&store, &plan).await;
    until(async || store.admit(&plan).await.unwrap().is_admitted()).await;
    cluster.node(silent).pause().unwrap();
    for _ in 0..3 {
        let refused = store.admit(&plan).await.unwrap();
        assert!(!refused.is_admitted());
        assert_eq!(refused.refusing().map(PolicyState::policy).collect::<Vec<_>>(), [tenant.name()]);
        assert!(refused.retry_after().is_some());
        assert_eq!(refused.states().len(), 2);
    }
    cluster.node(silent).resume().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_always_hears_by_whom_and_for_how_long() {
    let urls = test_support::redis_cluster::shared_urls().unwrap();
    let store = cluster_store(&urls, &format!("t{:08x}:", rand::random::<u32>()), PATIENCE);
    let brief = Policy::builder("brief", 1, Duration::from_millis(1)).scope([Dim::Tenant]).build().unwrap();
    let plan = plan(&[&policy("all", 100_000, &[]), &brief], &Subject::new().with(Dim::Tenant, "acme"));
    let mut refused = 0;
    // What refuses may have room again by the time that the other slot is asked.
    while refused < 500 {
        for report in join_all((0..4).map(|_| store.admit(&plan))).await {
            let report = report.unwrap();
            if !report.is_admitted() {
                refused += 1;
                assert_eq!(report.refusing().count(), 1, "{report:?}");
                assert!(report.retry_after().is_some());
            }
        }
    }
}

/// Lets clients reach each node through a proxy only.
async fn proxies(cluster: &RedisCluster) -> Vec<Proxy> {
    let mut proxies = Vec::new();
    for url in cluster.urls() {
        let proxy = Proxy::before(&url).await;
        order::<()>(&url, &format!("CONFIG SET cluster-announce-port {}", proxy.port())).await;
        proxies.push(proxy);
    }
    let ports: Vec<_> = proxies.iter().map(|proxy| Value::Int(proxy.port().into())).collect();
    for url in cluster.urls() {
        until(async || {
            let slots: Vec<(u16, u16, Vec<Value>)> = order(&url, "CLUSTER SLOTS").await;
            slots.iter().all(|(_, _, node)| ports.iter().any(|port| node.contains(port)))
        })
        .await;
    }
    proxies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_not_run_twice_is_sent_once() {
    let cluster = RedisCluster::spawn().unwrap();
    let proxies = proxies(&cluster).await;
    let urls: Vec<_> = proxies.iter().map(Proxy::url).collect();
    let (store, patient) = (cluster_store(&urls, "", PATIENCE), cluster_store(&cluster.urls(), "", PATIENCE));
    let plan = plan(&[&fixed("tenant", 100, &[Dim::Tenant])], &Subject::new().with(Dim::Tenant, "acme"));
    let (_, node) = place(&cluster, &plan).await;
    let mut receipts: Vec<Receipt> = Vec::new();
    for _ in 0..4 {
        receipts.push(store.admit(&plan).await.unwrap().receipt(&plan).unwrap());
    }
    store.refund(receipts.pop().unwrap()).await.unwrap();
    let used = async || used(patient.peek(&plan).await.unwrap().states())[0];
    assert_eq!(used().await, 3);

    proxies[node].lose_the_next_answer();
    let error = store.refund(receipts.pop().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), proxies[node].lost()), (StoreErrorKind::Unreachable, 1), "{error}");
    assert_eq!(used().await, 2, "given back once");

    // The broken connection is made anew meanwhile.
    until(async || store.peek(&plan).await.is_ok()).await;
    proxies[node].lose_the_next_answer();
    let error = store.admit(&plan).await.unwrap_err();
    assert_eq!((error.kind(), proxies[node].lost()), (StoreErrorKind::Unreachable, 2), "{error}");
    assert_eq!(used().await, 3, "counted once");
    until(async || store.peek(&plan).await.is_ok()).await;
    assert_eq!(store.refund(receipts.pop().unwrap()).await.unwrap(), 1);
    assert_eq!(used().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_finds_out_that_its_admission_ran_before_the_answer_was_lost() {
    let cluster = RedisCluster::spawn().unwrap();
    let proxies = proxies(&cluster).await;
    let urls: Vec<_> = proxies.iter().map(Proxy::url).collect();
    let store = cluster_store(&urls, "", PATIENCE);
    let plan = plan(&[&policy("tenant", 100, &[Dim::Tenant])], &Subject::new().with(Dim::Tenant, "acme"));
    let (_, node) = place(&cluster, &plan).await;
    for turn in 1..=10 {
        if turn % 2 == 0 {
            proxies[node].lose_the_next_answer();
        }
        let report = store.admit(&plan).await.unwrap();
        assert!(report.is_admitted());
        assert_eq!(used(report.states()), [turn]);
    }
    assert_eq!(proxies[node].lost(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_takes_its_counts_along() {
    let cluster = RedisCluster::spawn().unwrap();
    let urls = cluster.urls();
    let store = cluster_store(&urls, "", PATIENCE);
    for (name, policy) in
        [("log", policy("log", 100, &[Dim::Tenant])), ("fix", fixed("fix", 100, &[Dim::Tenant]))]
    {
        let plan = plan(&[&policy], &Subject::new().with(Dim::Tenant, name));
        let (slot, from) = place(&cluster, &plan).await;
        let to = (from + 1) % 3;
        let id = async |node: usize| order::<String>(&urls[node], "CLUSTER MYID").await;
        let (from_id, to_id) = (id(from).await, id(to).await);
        let mut turn = 0;
        let mut admit = async || {
            for _ in 0..3 {
                turn += 1;
                let report = store.admit(&plan).await.unwrap();
                assert_eq!(used(report.states()), [turn], "{name}");
            }
        };
        // It begins on the old node while nobody has the key, so that it is asked for on the new one.
        order::<()>(&urls[to], &format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}")).await;
        order::<()>(&urls[from], &format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}")).await;
        admit().await;
        assert_eq!(order::<u32>(&urls[to], &format!("CLUSTER COUNTKEYSINSLOT {slot}")).await, 1);
        for node in [to, from, (to + 1) % 3] {
            order::<()>(&urls[node], &format!("CLUSTER SETSLOT {slot} NODE {to_id}")).await;
        }
        admit().await;
        // The refund finds its way as well.
        let receipt = store.admit(&plan).await.unwrap().receipt(&plan).unwrap();
        assert_eq!(store.refund(receipt).await.unwrap(), 1);
        assert_eq!(used(store.peek(&plan).await.unwrap().states()), [6]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_node_whose_slots_another_has_taken_is_given_up() {
    let mut cluster = RedisCluster::spawn().unwrap();
    let urls = cluster.urls();
    let store = cluster_store(&urls, "", WITHIN);
    let plan = plan(&[&policy("tenant", 100, &[Dim::Tenant])], &Subject::new().with(Dim::Tenant, "acme"));
    let (slot, silent) = place(&cluster, &plan).await;
    let elsewhere = {
        let mut numbers = 0..;
        loop {
            let name = format!("tenant{}", numbers.next().unwrap());
            let other = self::plan(
                &[&policy("tenant", 100_000, &[Dim::Tenant])],
                &Subject::new().with(Dim::Tenant, &name),
            );
            if place(&cluster, &other).await.1 != silent {
                break other;
            }
        }
    };
    warm(&store, &plan).await;
    warm(&store, &elsewhere).await;
    let before = store.interruptions();
    cluster.node(silent).pause().unwrap();
    // Others go on, whoever else waits in vain.
    for _ in 0..2 {
        let (lost, fine) = tokio::join!(store.admit(&plan), store.admit(&elsewhere));
        assert_eq!(lost.unwrap_err().kind(), StoreErrorKind::Timeout);
        assert!(fine.unwrap().is_admitted());
    }
    give_to_another(&urls, slot, silent).await;
    until(async || {
        let _ = store.admit(&elsewhere).await;
        store.admit(&plan).await.is_ok()
    })
    .await;
    assert!(store.interruptions() > before);
    cluster.node(silent).resume().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_only_tried_finds_who_has_the_slot_now() {
    let mut cluster = RedisCluster::spawn().unwrap();
    let urls = cluster.urls();
    let store = cluster_store(&urls, "", WITHIN);
    // What is tried lives where all requests share a policy.
    let (slot, silent) = place(&cluster, &plan(&[&policy("all", 100, &[])], &Subject::new())).await;
    until(async || store.probe().await.is_ok()).await;
    cluster.node(silent).pause().unwrap();
    assert_eq!(store.probe().await.unwrap_err().kind(), StoreErrorKind::Timeout);
    give_to_another(&urls, slot, silent).await;
    until(async || store.probe().await.is_ok()).await;
    cluster.node(silent).resume().unwrap();
}

/// Lets the nodes agree, but for one that says nothing, that another has its slot.
async fn give_to_another(urls: &[String], slot: u16, silent: usize) {
    let heir = (silent + 1) % 3;
    let id: String = order(&urls[heir], "CLUSTER MYID").await;
    for node in [heir, (silent + 2) % 3] {
        order::<Value>(&urls[node], &format!("CLUSTER SETSLOT {slot} NODE {id}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_reset_is_reset_when_a_node_is_gone() {
    let mut cluster = RedisCluster::spawn().unwrap();
    let store = cluster_store(&cluster.urls(), "", PATIENCE);
    let tenant = policy("tenant", 100, &[Dim::Tenant]);
    let names: Vec<_> = (0..12).map(|number| format!("tenant{number}")).collect();
    let plans: Vec<_> =
        names.iter().map(|name| plan(&[&tenant], &Subject::new().with(Dim::Tenant, name))).collect();
    let mut nodes = Vec::new();
    for plan in &plans {
        store.admit(plan).await.unwrap();
        nodes.push(place(&cluster, plan).await.1);
    }
    let gone = nodes[0];
    assert!(nodes.iter().any(|node| *node != gone));
    cluster.node(gone).kill().unwrap();
    let keys: Vec<_> = plans.iter().map(|plan| plan.asks()[0].key()).collect();
    store.reset(&keys).await.unwrap_err();
    for (plan, node) in plans.iter().zip(nodes).filter(|(_, node)| *node != gone) {
        assert_eq!(used(store.peek(plan).await.unwrap().states()), [0], "{node}");
    }
}

#[tokio::test]
async fn slots_of_different_algorithms_give_back_what_they_counted() {
    let urls = test_support::redis_cluster::shared_urls().unwrap();
    let store = cluster_store(&urls, &format!("t{:08x}:", rand::random::<u32>()), PATIENCE);
    let subject = Subject::new().with(Dim::Tenant, "acme");
    let plan = plan(&[&policy("all", 9, &[]), &fixed("tenant", 9, &[Dim::Tenant])], &subject);
    let first = store.admit(&plan).await.unwrap().receipt(&plan).unwrap();
    assert_eq!(used(store.admit(&plan).await.unwrap().states()), [2, 2]);
    assert_eq!(store.refund(first).await.unwrap(), 2);
    assert_eq!(used(store.peek(&plan).await.unwrap().states()), [1, 1]);
    // Also both in one slot.
    let both =
        super::plan(&[&policy("log", 9, &[Dim::Tenant]), &fixed("tenant", 9, &[Dim::Tenant])], &subject);
    let receipt = store.admit(&both).await.unwrap().receipt(&both).unwrap();
    assert_eq!(store.refund(receipt).await.unwrap(), 2);
}
