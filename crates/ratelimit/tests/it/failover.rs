//! Redis stopped, silent, restarted, emptied: limits hold, and nobody waits for it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use ratelimit::{
    Algorithm, DenyCache, Dim, FailoverOptions, FailoverStore, LocalOptions, LocalStore, Observer,
    OnStoreError, Plan, Policy, PolicyState, RedisOptions, Source, Store, StoreErrorKind, StoreOperation,
};
use test_support::redis::RedisServer;

use crate::failures::Proxy;
use crate::fixture::{MINUTE, key, plan, policy, redis_store};

/// Generous: a busy machine is no reason to fail.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Heard {
    failures: AtomicU32,
    degraded: AtomicBool,
    changes: AtomicU32,
}

impl Observer for Heard {
    fn failed(&self, _operation: StoreOperation, _kind: StoreErrorKind) {
        self.failures.fetch_add(1, Ordering::SeqCst);
    }

    fn degraded(&self, degraded: bool) {
        self.degraded.store(degraded, Ordering::SeqCst);
        self.changes.fetch_add(1, Ordering::SeqCst);
    }
}

/// A store as one of `processes` has it.
struct Process {
    store: Arc<FailoverStore>,
    heard: Arc<Heard>,
}

impl Process {
    fn one_of(processes: u32, url: &str, prefix: &str, within: Duration) -> Self {
        let local =
            LocalOptions { processes: NonZeroU32::new(processes).unwrap(), ..LocalOptions::default() };
        let heard = Arc::new(Heard::default());
        let options = FailoverOptions {
            probe_every: Duration::from_millis(20),
            observer: Arc::clone(&heard) as Arc<dyn Observer>,
            ..FailoverOptions::default()
        };
        let redis = Arc::new(redis_store(url, prefix, within));
        Self { store: Arc::new(FailoverStore::new(redis, LocalStore::new(local), options)), heard }
    }

    fn of(server: &RedisServer) -> Self {
        Self::one_of(1, &server.url(), "", Duration::from_secs(20))
    }

    async fn admitted(&self, plan: &Plan, times: u32) -> u32 {
        let mut admitted = 0;
        for _ in 0..times {
            admitted += u32::from(self.store.admit(plan).await.unwrap().is_admitted());
        }
        admitted
    }

    async fn until_degraded_is(&self, degraded: bool) {
        let deadline = Instant::now() + PATIENCE;
        while self.store.is_degraded() != degraded {
            assert!(Instant::now() < deadline, "it stays as it is");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spent_budget_stays_spent_without_redis_and_with_an_empty_one() {
    let mut server = RedisServer::spawn().unwrap();
    let process = Process::of(&server);
    let policies: Vec<_> = [Algorithm::SlidingLog, Algorithm::CompactLog, Algorithm::FixedWindow]
        .into_iter()
        .zip(["log", "compact", "fixed"])
        .map(|(algorithm, name)| policy(name, algorithm, 100, 60 * MINUTE))
        .collect();
    let gcra = policy("gcra", Algorithm::Gcra { burst: 100 }, 1, 24 * MINUTE);
    let plans: Vec<_> = policies.iter().chain([&gcra]).map(|policy| plan(&[(policy, 1)])).collect();
    for plan in &plans {
        assert_eq!(process.admitted(plan, 60).await, 60);
    }
    server.stop().unwrap();
    for plan in &plans {
        let report = process.store.admit(plan).await.unwrap();
        assert_eq!(report.source(), Source::Fallback);
        assert_eq!(report.states()[0].used(), 61, "it goes on where Redis ended");
        assert_eq!(process.admitted(plan, 29).await, 29);
    }
    assert!(process.store.is_degraded());
    // Redis comes back and knows nothing.
    server.start().unwrap();
    process.until_degraded_is(false).await;
    for plan in &plans {
        let report = process.store.admit(plan).await.unwrap();
        assert_eq!(report.source(), Source::Store);
        assert_eq!(process.admitted(plan, 50).await, 9, "the tenth was the one before");
    }
    assert_eq!(process.heard.changes.load(Ordering::SeqCst), 3, "one at first, one each way");
    assert!(!process.heard.degraded.load(Ordering::SeqCst));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_between_two_requests_gives_nothing_away() {
    let mut server = RedisServer::spawn().unwrap();
    let process = Process::of(&server);
    let plan = plan(&[(&policy("p", Algorithm::SlidingLog, 40, 60 * MINUTE), 1)]);
    // Both of the store's connections are open.
    assert_eq!(process.admitted(&plan, 40).await, 40);
    server.stop().unwrap();
    server.start().unwrap();
    assert_eq!(process.admitted(&plan, 40).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_through_a_restart_pass_no_limit() {
    let mut server = RedisServer::spawn().unwrap();
    let process = Process::of(&server);
    let plan = plan(&[(&policy("p", Algorithm::SlidingLog, 1_003, 60 * MINUTE), 1)]);
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (store, plan, stop) = (Arc::clone(&process.store), plan.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut admitted = 0;
                while !stop.load(Ordering::SeqCst) {
                    admitted += u32::from(store.admit(&plan).await.unwrap().is_admitted());
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                admitted
            })
        })
        .collect();
    let used = async |least| {
        let deadline = Instant::now() + PATIENCE;
        while process.store.peek(&plan).await.unwrap().states()[0].used() < least {
            assert!(Instant::now() < deadline, "nothing is admitted");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    used(200).await;
    server.stop().unwrap();
    process.until_degraded_is(true).await;
    used(600).await;
    server.start().unwrap();
    process.until_degraded_is(false).await;
    // Whatever Redis says: a thousand tries more, and the limit is used up for certain.
    for _ in 0..1_003 {
        process.store.admit(&plan).await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    let admitted: u32 = join_all(tasks).await.into_iter().map(Result::unwrap).sum();
    assert!(admitted <= 1_003, "{admitted} of 1,003");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_used_is_not_given_out_again() {
    let mut server = RedisServer::spawn().unwrap();
    let [one, other] = [(); 2].map(|()| Process::one_of(2, &server.url(), "", Duration::from_secs(20)));
    let plan = plan(&[(&policy("p", Algorithm::SlidingLog, 100, 60 * MINUTE), 1)]);
    assert_eq!(one.admitted(&plan, 70).await, 70);
    assert_eq!(other.admitted(&plan, 1).await, 1);
    server.stop().unwrap();
    assert_eq!(one.admitted(&plan, 100).await, 0, "it had more than its part already");
    assert_eq!(other.admitted(&plan, 100).await, 29);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_count_alone_admit_their_parts() {
    let mut server = RedisServer::spawn().unwrap();
    let processes = [(); 3].map(|()| Process::one_of(3, &server.url(), "", Duration::from_secs(20)));
    server.stop().unwrap();
    for algorithm in [Algorithm::SlidingLog, Algorithm::CompactLog, Algorithm::FixedWindow] {
        let plan = plan(&[(&policy("p", algorithm, 100, 60 * MINUTE), 1)]);
        let mut admitted = 0;
        for process in &processes {
            admitted += process.admitted(&plan, 100).await;
        }
        assert_eq!(admitted, 102, "the limit, and less than one for each");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_redis_is_waited_for_a_few_times_and_then_no_more() {
    let server = RedisServer::spawn().unwrap();
    let proxy = Proxy::before(&server.url()).await;
    let within = RedisOptions::default().within;
    let process = Process::one_of(1, &proxy.url(), "", within);
    let plan = plan(&[(&policy("p", Algorithm::SlidingLog, 300, 60 * MINUTE), 1)]);
    // Past the opening of connections, which a busy machine may not manage in so little time.
    let deadline = Instant::now() + PATIENCE;
    while process.store.admit(&plan).await.unwrap().source() != Source::Store || process.store.is_degraded() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    proxy.be_silent(true);
    process.until_degraded_by(&plan).await;
    let failed = process.heard.failures.load(Ordering::SeqCst);
    for _ in 0..50 {
        let report = process.store.admit(&plan).await.unwrap();
        assert_eq!(report.source(), Source::Fallback);
    }
    let since = process.heard.failures.load(Ordering::SeqCst) - failed;
    assert!(process.store.is_degraded());
    assert!(since < 50, "requests wait for it still: {since} of 50");
    proxy.be_silent(false);
    let deadline = Instant::now() + PATIENCE;
    while process.store.admit(&plan).await.unwrap().source() != Source::Store {
        assert!(Instant::now() < deadline, "Redis is not asked again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Process {
    /// Asks until Redis is left alone, and checks that this takes no more failures than were allowed.
    async fn until_degraded_by(&self, plan: &Plan) {
        let before = self.heard.failures.load(Ordering::SeqCst);
        for _ in 0..FailoverOptions::default().failures {
            assert!(self.store.admit(plan).await.unwrap().is_admitted());
        }
        assert!(self.store.is_degraded());
        let failures = self.heard.failures.load(Ordering::SeqCst) - before;
        assert!(failures >= FailoverOptions::default().failures, "{failures}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_policy_says_what_holds_without_redis() {
    let mut server = RedisServer::spawn().unwrap();
    let process = Process::of(&server);
    server.stop().unwrap();
    let of = |name: &str, then| {
        let policy = Policy::builder(name, 2, 60 * MINUTE).scope([Dim::User]).on_store_error(then);
        policy.build().unwrap()
    };
    let (open, closed, local) = (
        of("open", OnStoreError::Open),
        of("closed", OnStoreError::Closed),
        of("local", OnStoreError::Local),
    );
    assert_eq!(process.admitted(&plan(&[(&open, 1)]), 9).await, 9);
    let report = process.store.admit(&plan(&[(&open, 1)])).await.unwrap();
    assert!(!report.states()[0].is_exceeded() && !report.states()[0].is_shadow());

    assert_eq!(process.admitted(&plan(&[(&closed, 1)]), 3).await, 0);
    let report = process.store.admit(&plan(&[(&local, 1), (&closed, 1)])).await.unwrap();
    assert_eq!(report.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(report.refusing().map(PolicyState::policy).collect::<Vec<_>>(), [closed.name()]);
    assert_eq!(report.states()[0].used(), 0, "a refused request counts nowhere");

    assert_eq!(process.admitted(&plan(&[(&local, 1), (&open, 1)]), 9).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_back_is_not_missed_later() {
    let mut server = RedisServer::spawn().unwrap();
    let process = Process::of(&server);
    let policy = policy("p", Algorithm::SlidingLog, 10, 60 * MINUTE);
    let plan = plan(&[(&policy, 1)]);
    for _ in 0..25 {
        let report = process.store.admit(&plan).await.unwrap();
        assert_eq!(process.store.refund(report.receipt(&plan).unwrap()).await.unwrap(), 1);
    }
    assert_eq!(process.admitted(&plan, 4).await, 4);
    server.stop().unwrap();
    let report = process.store.admit(&plan).await.unwrap();
    assert_eq!((report.source(), report.states()[0].used()), (Source::Fallback, 5));
    assert_eq!(process.store.refund(report.receipt(&plan).unwrap()).await.unwrap(), 1);
    assert_eq!(process.admitted(&plan, 9).await, 6);

    assert!(process.store.reset(&[key(&policy, "somebody")]).await.is_err(), "Redis still knows");
    server.start().unwrap();
    process.until_degraded_is(false).await;
    assert_eq!(process.store.reset(&[key(&policy, "somebody")]).await.unwrap(), 0);
    assert_eq!(process.admitted(&plan, 20).await, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_without_redis_is_forgotten_with_its_return() {
    let mut server = RedisServer::spawn().unwrap();
    let process = Process::of(&server);
    let cached = DenyCache::new(Arc::clone(&process.store) as Arc<dyn Store>);
    let closed =
        Policy::builder("closed", 5, 60 * MINUTE).scope([Dim::User]).on_store_error(OnStoreError::Closed);
    let plan = plan(&[(&closed.build().unwrap(), 1)]);
    server.stop().unwrap();
    for _ in 0..FailoverOptions::default().failures {
        assert!(!cached.admit(&plan).await.unwrap().is_admitted());
    }
    server.start().unwrap();
    process.until_degraded_is(false).await;
    assert!(cached.admit(&plan).await.unwrap().is_admitted());
    assert_eq!(cached.hits(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_emptied_gives_nothing_back_and_one_that_was_reset_does() {
    let server = RedisServer::spawn().unwrap();
    let [process, other] = [(); 2].map(|()| Process::of(&server));
    let client = deadpool_redis::redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for algorithm in [Algorithm::SlidingLog, Algorithm::CompactLog] {
        let policy = policy("p", algorithm, 50, 60 * MINUTE);
        let plan = plan(&[(&policy, 1)]);
        // Meant: heard of at once, by whichever process.
        assert_eq!(process.admitted(&plan, 60).await, 50);
        assert_eq!(other.store.reset(&[key(&policy, "somebody")]).await.unwrap(), 1);
        assert_eq!(process.admitted(&plan, 30).await, 30, "{algorithm:?}");
    }
    deadpool_redis::redis::cmd("FLUSHALL").query_async::<()>(&mut connection).await.unwrap();
    for algorithm in [Algorithm::SlidingLog, Algorithm::CompactLog] {
        let plan = plan(&[(&policy("p", algorithm, 50, 60 * MINUTE), 1)]);
        assert_eq!(process.admitted(&plan, 60).await, 20, "{algorithm:?}");
    }
}
