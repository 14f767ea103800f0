//! The master fails, sentinels name another, and one store goes on counting there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use deadpool_redis::redis::{AsyncCommands, cmd};
use futures::future::join_all;
use ratelimit::{Algorithm, Plan, PolicyState, Store, StoreErrorKind};
use test_support::redis::RedisServer;
use test_support::redis_sentinel::RedisSentinel;
use tokio::task::{JoinHandle, block_in_place};

use crate::fixture::{Fixture, MINUTE, connection, key, plan, policy};

const TASKS: usize = 20;
/// Generous: the machine may be busy.
const SOON: Duration = Duration::from_mins(1);

/// Tasks that ask one thing all the time.
struct Crowd {
    seen: Arc<Seen>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    admitted: AtomicU32,
    refused: AtomicU32,
    /// Refusals by a policy that had room.
    unjust: AtomicU32,
    errors: Mutex<BTreeMap<&'static str, u32>>,
    /// Errors of each task.
    failed: [AtomicU32; TASKS],
    enough: AtomicBool,
}

impl Seen {
    async fn ask(&self, number: usize, store: &dyn Store, plan: &Plan) {
        match store.admit(plan).await {
            Ok(report) if report.is_admitted() => {
                self.admitted.fetch_add(1, Ordering::SeqCst);
            }
            Ok(report) => {
                if !report.states().iter().any(|state| state.used() == state.limit()) {
                    self.unjust.fetch_add(1, Ordering::SeqCst);
                }
                self.refused.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => {
                *self.errors.lock().unwrap().entry(error.kind().as_str()).or_default() += 1;
                self.failed[number].fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

impl Crowd {
    fn gather(store: &Arc<dyn Store>, plan: &Plan) -> Self {
        let seen = Arc::new(Seen::default());
        let task = |number| {
            let (seen, store, plan) = (Arc::clone(&seen), Arc::clone(store), plan.clone());
            tokio::spawn(async move {
                while !seen.enough.load(Ordering::SeqCst) {
                    seen.ask(number, &*store, &plan).await;
                }
            })
        };
        let tasks = (0..TASKS).map(task).collect();
        Self { seen, tasks }
    }

    fn admitted(&self) -> u32 {
        self.seen.admitted.load(Ordering::SeqCst)
    }

    async fn until(&self, what: &str, done: impl Fn(&Seen) -> bool) {
        wait_until(what, async || done(&self.seen)).await;
    }

    /// Until every task was told of a failure after this was called: whatever was under way has ended.
    async fn until_all_fail(&self) {
        let before: Vec<_> = self.seen.failed.iter().map(|failed| failed.load(Ordering::SeqCst)).collect();
        self.until("everybody fails", |seen| {
            seen.failed.iter().zip(&before).all(|(now, before)| now.load(Ordering::SeqCst) > *before)
        })
        .await;
    }

    /// Ends it when everybody may have been refused. Returns how many were admitted in all.
    async fn until_full(self) -> u32 {
        self.until("the limit is reached", |seen| seen.refused.load(Ordering::SeqCst) > 100).await;
        self.seen.enough.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap();
        }
        let seen = &self.seen;
        assert_eq!(seen.unjust.load(Ordering::SeqCst), 0, "nobody is refused while there is room");
        let expected = [
            StoreErrorKind::Unreachable,
            StoreErrorKind::Timeout,
            StoreErrorKind::NotReady,
            StoreErrorKind::ReadOnly,
        ];
        let errors = seen.errors.lock().unwrap();
        assert!(errors.keys().all(|kind| expected.iter().any(|one| one.as_str() == *kind)), "{errors:?}");
        seen.admitted.load(Ordering::SeqCst)
    }
}

async fn wait_until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !done().await {
        assert!(Instant::now() < deadline, "{what}: not within {SOON:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a server says so of itself. It ends all connections when it is made a replica.
async fn is_said(server: &RedisServer, of_replication: &str) -> bool {
    let ask = async || {
        let client = deadpool_redis::redis::Client::open(server.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        cmd("INFO").arg("replication").query_async::<String>(&mut connection).await
    };
    ask().await.is_ok_and(|info| info.contains(of_replication))
}

/// Waits until the replica has everything that was written so far.
async fn replicate(master: &RedisServer) {
    let mut connection = connection(&master.url()).await;
    // It waits for what this connection wrote, and so for all before it.
    connection.set::<_, _, ()>("barrier", 1).await.unwrap();
    let replicas: u32 = cmd("WAIT").arg(1).arg(15_000).query_async(&mut connection).await.unwrap();
    assert_eq!(replicas, 1);
}

fn spawn() -> RedisSentinel {
    block_in_place(RedisSentinel::spawn).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_dies_under_load_costs_what_was_not_replicated_and_no_more() {
    const LIMIT: u32 = 8_009;
    let mut watched = spawn();
    let fixture = Fixture::sentinel(&watched, Duration::from_secs(10));
    let log = policy("log", Algorithm::SlidingLog, LIMIT, 60 * MINUTE);
    let name = fixture.name(key(&log, "somebody"));
    let crowd = Crowd::gather(&fixture.store, &plan(&[(&log, 1)]));
    crowd.until("it works", |seen| seen.admitted.load(Ordering::SeqCst) > 1_000).await;
    block_in_place(|| watched.kill_first()).unwrap();
    crowd.until_all_fail().await;

    // Nobody can be admitted now, and the replica has all that it will ever have.
    wait_until("the replica sees it", async || is_said(watched.second(), "master_link_status:down").await)
        .await;
    let mut replica = connection(&watched.second().url()).await;
    let replicated: u32 = replica.zcard(&name).await.unwrap();
    let before = crowd.admitted();
    assert!(before < LIMIT, "it was to die before the limit is reached");
    assert!(replicated <= before + u32::try_from(TASKS).unwrap(), "one answer of each may be lost");

    block_in_place(|| watched.fail_over()).unwrap();
    let admitted = crowd.until_full().await;
    assert_eq!(admitted, before + (LIMIT - replicated));
    let mut second = connection(&watched.second().url()).await;
    assert_eq!(second.zcard::<_, u32>(&name).await.unwrap(), LIMIT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_replicated_counts_after_a_failover_under_every_policy() {
    let mut watched = spawn();
    let fixture = Fixture::sentinel(&watched, Duration::from_secs(10));
    let policies = [
        policy("log", Algorithm::SlidingLog, 503, 60 * MINUTE),
        policy("compact", Algorithm::CompactLog, 607, 50 * MINUTE),
        policy("spaced", Algorithm::Gcra { burst: 701 }, 1, 24 * MINUTE),
        policy("fixed", Algorithm::FixedWindow, 809, 40 * MINUTE),
    ];
    let all = plan(&policies.each_ref().map(|policy| (policy, 1)));
    for _ in 0..100 {
        assert!(fixture.store.admit(&all).await.unwrap().is_admitted());
    }
    replicate(watched.first()).await;
    block_in_place(|| watched.kill_first()).unwrap();
    let crowd = Crowd::gather(&fixture.store, &all);
    crowd.until_all_fail().await;
    assert_eq!(crowd.admitted(), 0);
    block_in_place(|| watched.fail_over()).unwrap();
    assert_eq!(crowd.until_full().await, 403);
    let looked = fixture.store.peek(&all).await.unwrap();
    assert_eq!(looked.states().iter().map(PolicyState::used).collect::<Vec<_>>(), [503; 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_holds_still_is_left_and_is_not_asked_when_it_comes_back() {
    let watched = spawn();
    let fixture = Fixture::sentinel(&watched, Duration::from_millis(500));
    let all = plan(&[(&policy("log", Algorithm::SlidingLog, 1_003, 60 * MINUTE), 1)]);
    wait_until("the first one is admitted", async || fixture.store.admit(&all).await.is_ok()).await;
    replicate(watched.first()).await;
    let counted = fixture.store.peek(&all).await.unwrap().states()[0].used();
    watched.first().pause().unwrap();
    let crowd = Crowd::gather(&fixture.store, &all);
    crowd.until_all_fail().await;
    assert_eq!(crowd.admitted(), 0);
    block_in_place(|| watched.fail_over()).unwrap();
    crowd.until("the second one admits", |seen| seen.admitted.load(Ordering::SeqCst) > 0).await;
    watched.first().resume().unwrap();
    wait_until("the first one follows", async || is_said(watched.first(), "role:slave").await).await;
    // Where an answer came too late, its request counts all the same.
    let admitted = crowd.until_full().await;
    assert!((1..=1_003 - counted).contains(&admitted), "{admitted}");
    assert_eq!(fixture.store.peek(&all).await.unwrap().states()[0].used(), 1_003);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_became_a_replica_admits_nobody_and_refuses_whom_it_knows_to_be_full() {
    let watched = spawn();
    let fixture = Fixture::sentinel(&watched, Duration::from_secs(10));
    let all = plan(&[(&policy("log", Algorithm::SlidingLog, 5, MINUTE), 1)]);
    assert!(fixture.store.admit(&all).await.unwrap().is_admitted());
    let full = plan(&[(&policy("full", Algorithm::SlidingLog, 1, MINUTE), 1)]);
    assert!(fixture.store.admit(&full).await.unwrap().is_admitted());
    let mut first = fixture.connection().await;
    let mut follow = async |host: &str, port: &str| {
        cmd("REPLICAOF").arg(host).arg(port).query_async::<()>(&mut first).await.unwrap();
    };
    // The sentinels still call it the master, and the connections stay.
    follow("127.0.0.1", "1").await;
    assert!(!fixture.store.admit(&full).await.unwrap().is_admitted());
    let errors = join_all((0..TASKS).map(|_| fixture.store.admit(&all))).await;
    for error in errors {
        let kind = error.unwrap_err().kind();
        assert!(matches!(kind, StoreErrorKind::ReadOnly | StoreErrorKind::NotReady), "{kind:?}");
    }
    follow("NO", "ONE").await;
    let report = fixture.store.admit(&all).await.unwrap();
    assert_eq!((report.is_admitted(), report.states()[0].used()), (true, 2));
}
