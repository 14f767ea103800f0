//! Redis away, slow, unwilling, or gone in the middle of an answer.

use std::time::{Duration, Instant};

use futures::future::poll_immediate;
use ratelimit::{Algorithm, PolicyState, Store, StoreErrorKind};
use test_support::redis::RedisServer;

use crate::fixture::{ALL, Fixture, MINUTE, plan, policy, redis_store};

mod kinds;
mod proxy;

pub(crate) use proxy::Proxy;

#[tokio::test]
async fn an_answer_that_is_lost_after_the_admission_is_asked_for_again_and_counts_once() {
    let fixture = Fixture::redis();
    let proxy = Proxy::before(&fixture.url).await;
    let store = redis_store(&proxy.url(), &fixture.prefix, Duration::from_secs(20));
    let log = policy("log", Algorithm::SlidingLog, 50, MINUTE);
    let fixed = policy("fixed", Algorithm::FixedWindow, 50, MINUTE);
    let both = plan(&[(&fixed, 1), (&log, 1)]);
    for turn in 1..=20 {
        // Every other one is admitted, and the connection ends before it hears of it.
        if turn % 2 == 0 {
            proxy.lose_the_next_answer();
        }
        let report = store.admit(&both).await.unwrap();
        assert!(report.is_admitted());
        assert_eq!(report.states().iter().map(PolicyState::used).collect::<Vec<_>>(), [turn, turn]);
    }
    assert_eq!(proxy.lost(), 10);
}

#[tokio::test]
async fn a_lost_answer_of_the_last_one_left_is_still_an_admission() {
    let fixture = Fixture::redis();
    let proxy = Proxy::before(&fixture.url).await;
    let store = redis_store(&proxy.url(), &fixture.prefix, Duration::from_secs(20));
    let one = plan(&[(&policy("log", Algorithm::SlidingLog, 2, MINUTE), 1)]);
    store.admit(&one).await.unwrap();
    proxy.lose_the_next_answer();
    let report = store.admit(&one).await.unwrap();
    assert!(report.is_admitted());
    // It can be given back like any other.
    assert_eq!(store.refund(report.receipt(&one).unwrap()).await.unwrap(), 1);
    assert_eq!(store.peek(&one).await.unwrap().states()[0].used(), 1);
}

#[tokio::test]
async fn without_a_log_a_lost_answer_is_an_error_and_is_not_asked_for_again() {
    let fixture = Fixture::redis();
    let proxy = Proxy::before(&fixture.url).await;
    let store = redis_store(&proxy.url(), &fixture.prefix, Duration::from_secs(20));
    let one = plan(&[(&policy("fixed", Algorithm::FixedWindow, 50, MINUTE), 1)]);
    store.admit(&one).await.unwrap();
    proxy.lose_the_next_answer();
    let error = store.admit(&one).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error}");
    let report = store.admit(&one).await.unwrap();
    assert_eq!(report.states()[0].used(), 3, "the one in between counts, once");
}

#[tokio::test]
async fn a_silent_redis_is_given_up_in_time_and_used_again_when_it_speaks() {
    let fixture = Fixture::redis();
    let proxy = Proxy::before(&fixture.url).await;
    let within = Duration::from_millis(200);
    let store = redis_store(&proxy.url(), &fixture.prefix, within);
    let one = plan(&[(&policy("log", Algorithm::SlidingLog, 1_000, MINUTE), 1)]);
    // The first one opens the connection, for which a loaded machine may need longer.
    let deadline = Instant::now() + Duration::from_secs(20);
    while store.admit(&one).await.is_err() {
        assert!(Instant::now() < deadline);
    }
    proxy.be_silent(true);
    for _ in 0..10 {
        assert_eq!(store.admit(&one).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    }
    proxy.be_silent(false);
    // What was sent into the silence stays there: a new connection is needed, and is made.
    let deadline = Instant::now() + Duration::from_secs(20);
    while store.admit(&one).await.is_err() {
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn a_redis_that_stops_is_an_error_and_one_that_is_back_is_used() {
    let mut server = RedisServer::spawn().unwrap();
    let fixture = Fixture::redis_at(&server.url());
    let one = plan(&[(&policy("log", Algorithm::SlidingLog, 2, MINUTE), 2)]);
    assert!(fixture.store.admit(&one).await.unwrap().is_admitted());
    server.stop().unwrap();
    for _ in 0..5 {
        assert_eq!(fixture.store.admit(&one).await.unwrap_err().kind(), StoreErrorKind::Unreachable);
    }
    server.start().unwrap();
    // It is empty, knows no script, and the old connections are dead: the first request finds its way.
    assert!(fixture.store.admit(&one).await.unwrap().is_admitted());
    assert!(!fixture.store.admit(&one).await.unwrap().is_admitted());
}

#[tokio::test]
async fn the_first_request_after_a_restart_is_answered() {
    let mut server = RedisServer::spawn().unwrap();
    let fixture = Fixture::redis_at(&server.url());
    let one = plan(&[(&policy("log", Algorithm::SlidingLog, 5, MINUTE), 1)]);
    for _ in 0..5 {
        // Both connections are open.
        for _ in 0..2 {
            assert!(fixture.store.admit(&one).await.unwrap().is_admitted());
        }
        server.stop().unwrap();
        server.start().unwrap();
        assert_eq!(fixture.store.admit(&one).await.unwrap().states()[0].used(), 1);
    }
}

#[tokio::test]
async fn who_goes_away_at_once_says_nothing_of_redis() {
    let fixture = Fixture::redis();
    let one = plan(&[(&policy("log", Algorithm::SlidingLog, 1_000, MINUTE), 1)]);
    for _ in 0..2 {
        fixture.store.admit(&one).await.unwrap();
    }
    let mut dropped = 0;
    while dropped < 20 {
        // Sent, and mostly dropped before anything came back: connections are read on a thread of their own.
        dropped += u32::from(poll_immediate(fixture.store.admit(&one)).await.is_none());
    }
    assert_eq!(fixture.store.interruptions(), 0);
}

#[tokio::test]
async fn a_first_try_that_comes_after_the_second_counts_nothing_more() {
    let fixture = Fixture::redis();
    let proxy = Proxy::before(&fixture.url).await;
    let store = redis_store(&proxy.url(), &fixture.prefix, Duration::from_secs(20));
    let log = policy("log", Algorithm::SlidingLog, 50, MINUTE);
    let others =
        ALL.map(|algorithm| policy(&format!("{algorithm:?}")[..4].to_lowercase(), algorithm, 5, MINUTE));
    let [_, compact, gcra, fixed] = others.each_ref();
    let all = plan(&[(compact, 1), (gcra, 1), (&log, 2), (fixed, 1)]);
    store.admit(&all).await.unwrap();
    proxy.hold_the_next_question();
    let report = store.admit(&all).await.unwrap();
    assert!(report.is_admitted());
    proxy.holds().await;
    proxy.let_go().await;
    let used = store.peek(&all).await.unwrap().states().iter().map(PolicyState::used).collect::<Vec<_>>();
    assert_eq!(used, [2, 2, 4, 2]);
}
