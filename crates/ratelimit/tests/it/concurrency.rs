//! Many at once: not one above the limit, and none below it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use futures::future::join_all;
use ratelimit::{Algorithm, Plan, Store};

use crate::fixture::{Fixture, MINUTE, key, on_each_store, plan, policy, redis_store};

mod processes;

/// So many tasks, each with so many requests under way.
const TASKS: usize = 50;
const DEPTH: usize = 8;

/// Asks `times` times in every place of every task, over as many stores as are given. Returns how often it was
/// admitted.
async fn hammer(stores: &[Arc<dyn Store>], plans: &[Plan], times: usize) -> u32 {
    let admitted = Arc::new(AtomicU32::new(0));
    let tasks = (0..TASKS).map(|task| {
        let store = Arc::clone(&stores[task % stores.len()]);
        let (plans, admitted) = (plans.to_vec(), Arc::clone(&admitted));
        tokio::spawn(async move {
            join_all((0..DEPTH).map(|place| {
                let plan = &plans[(task + place) % plans.len()];
                let (store, admitted) = (&store, &admitted);
                async move {
                    for _ in 0..times {
                        if store.admit(plan).await.unwrap().is_admitted() {
                            admitted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            }))
            .await;
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    admitted.load(Ordering::Relaxed)
}

on_each_store! {
    async fn one_key_admits_exactly_its_limit(fixture) {
        let stores = [Arc::clone(&fixture.store)];
        for algorithm in [Algorithm::SlidingLog, Algorithm::CompactLog, Algorithm::FixedWindow] {
            // A limit that is no multiple of anything here.
            let plan = plan(&[(&policy("p", algorithm, 1_003, 60 * MINUTE), 1)]);
            assert_eq!(hammer(&stores, &[plan], 5).await, 1_003, "{algorithm:?}");
        }
        let gcra = policy("g", Algorithm::Gcra { burst: 1_003 }, 1, 24 * MINUTE);
        assert_eq!(hammer(&stores, &[plan(&[(&gcra, 1)])], 5).await, 1_003);
    }

    async fn policies_that_share_keys_in_different_orders_admit_exactly_the_least(fixture) {
        let one = policy("one", Algorithm::SlidingLog, 503, 60 * MINUTE);
        let two = policy("two", Algorithm::CompactLog, 401, 50 * MINUTE);
        let three = policy("three", Algorithm::FixedWindow, 611, 40 * MINUTE);
        let plans = [
            plan(&[(&one, 1), (&two, 1), (&three, 1)]),
            plan(&[(&three, 1), (&two, 1), (&one, 1)]),
            plan(&[(&two, 1), (&one, 1), (&three, 1)]),
        ];
        assert_eq!(hammer(&[Arc::clone(&fixture.store)], &plans, 2).await, 401);
        for policy in [&one, &two, &three] {
            let used = fixture.store.peek(&plan(&[(policy, 0)])).await.unwrap().states()[0].used();
            assert_eq!(used, 401, "what was refused by one is counted by none");
        }
    }

    async fn a_thousand_at_once_are_answered_each_with_its_own_answer(fixture) {
        // What each one uses is used by nobody else.
        let ask = |user: u32| {
            let number = user as usize % 3;
            let algorithm =
                [Algorithm::CompactLog, Algorithm::FixedWindow, Algorithm::Gcra { burst: 1_000 }][number];
            let limit = if number == 2 { 1 } else { 1_000 };
            let policy = policy(&format!("p{number}"), algorithm, limit, 24 * MINUTE);
            let mut plan = Plan::new();
            plan.ask(&policy, key(&policy, &user.to_string()), user).unwrap();
            plan
        };
        let plans: Vec<_> = (1..=1_000).map(ask).collect();
        for turn in 1..=2 {
            let reports = join_all(plans.iter().map(|plan| fixture.store.admit(plan))).await;
            for (user, report) in (1..=1_000).zip(reports) {
                let report = report.unwrap();
                // The second time there is room for the smaller half.
                let fits = turn == 1 || 2 * user <= 1_000;
                assert_eq!(report.is_admitted(), fits, "{user}");
                assert_eq!(report.states()[0].used(), if fits { turn * user } else { user });
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_connections_with_eight_requests_each_share_one_limit() {
    let fixture = Fixture::redis();
    let store =
        |_| Arc::new(redis_store(&fixture.url, &fixture.prefix, Duration::from_secs(20))) as Arc<dyn Store>;
    // Each store has two connections, as a process would, and two tasks.
    let stores: Vec<_> = (0..25).map(store).collect();
    let plan = plan(&[(&policy("p", Algorithm::SlidingLog, 1_003, 60 * MINUTE), 1)]);
    assert_eq!(hammer(&stores, &[plan], 5).await, 1_003);
}

/// Handlers that keep every thread of their runtime busy leave an answer unread for as long as they like, unless
/// somebody else reads it. This runtime never runs at all.
#[test]
fn an_answer_is_read_while_the_runtime_of_who_asks_is_busy() {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let busy = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = busy.enter();
    let fixture = Fixture::redis();
    let plan = plan(&[(&policy("p", Algorithm::SlidingLog, 1, MINUTE), 1)]);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    for expected in [true, false] {
        let mut asked = fixture.store.admit(&plan);
        let since = Instant::now();
        let report = loop {
            if let Poll::Ready(report) = asked.as_mut().poll(&mut Context::from_waker(&waker)) {
                break report.unwrap();
            }
            assert!(since.elapsed() < MINUTE, "nobody reads the answer");
            std::thread::park_timeout(MINUTE);
        };
        assert_eq!(report.is_admitted(), expected);
    }
}
