//! What lies in Redis: nothing after a refusal, nothing for ever, and nothing that grows.

use std::time::Duration;

use deadpool_redis::redis::{AsyncCommands, cmd};
use ratelimit::{Algorithm, Plan, Policy};
use test_support::redis::RedisServer;

use crate::fixture::{ALL, Fixture, MINUTE, key, plan, policy, redis_store};

/// Everything stored under these policies' keys, and until when.
async fn stored(fixture: &Fixture, policies: &[Policy]) -> Vec<(Vec<u8>, i64)> {
    let mut connection = fixture.connection().await;
    let mut all = Vec::new();
    for policy in policies {
        let name = fixture.name(key(policy, "somebody"));
        let dump: Option<Vec<u8>> = cmd("DUMP").arg(&name).query_async(&mut connection).await.unwrap();
        let until: i64 = cmd("PEXPIRETIME").arg(&name).query_async(&mut connection).await.unwrap();
        all.push((dump.unwrap_or_default(), until));
    }
    all
}

#[tokio::test]
async fn a_refusal_and_a_look_write_nothing() {
    let fixture = Fixture::redis();
    // Redis keeps the keys for two of them.
    let window = Duration::from_secs(2);
    let mut policies: Vec<_> = ALL
        .iter()
        .enumerate()
        .map(|(number, &algorithm)| policy(&format!("p{number}"), algorithm, 5, window))
        .collect();
    policies.push(policy("narrow", Algorithm::SlidingLog, 1, MINUTE));
    let asks: Vec<_> = policies.iter().map(|policy| (policy, 1)).collect();
    let all = plan(&asks);
    assert!(fixture.store.admit(&all).await.unwrap().is_admitted());
    let before = stored(&fixture, &policies).await;
    assert!(before.iter().all(|(dump, until)| !dump.is_empty() && *until > 0));
    for _ in 0..20 {
        assert!(!fixture.store.admit(&all).await.unwrap().is_admitted());
        fixture.store.peek(&all).await.unwrap();
    }
    assert_eq!(stored(&fixture, &policies).await[..], before[..]);
    // What has left its window is not even cleared by a refusal: only admissions write.
    tokio::time::sleep(window + Duration::from_millis(50)).await;
    assert!(!fixture.store.admit(&all).await.unwrap().is_admitted());
    let after = stored(&fixture, &policies).await;
    assert_eq!((&after[0], &after[1]), (&before[0], &before[1]));
}

#[tokio::test]
async fn every_key_goes_by_itself_and_none_too_early() {
    let fixture = Fixture::redis();
    let mut connection = fixture.connection().await;
    let window = Duration::from_millis(60);
    for (number, algorithm) in ALL.into_iter().enumerate() {
        let policy = policy(&format!("p{number}"), algorithm, 5, window);
        let name = fixture.name(key(&policy, "somebody"));
        let plan = plan(&[(&policy, 1)]);
        for _ in 0..400 {
            let report = fixture.store.admit(&plan).await.unwrap();
            let until: i64 = cmd("PEXPIRETIME").arg(&name).query_async(&mut connection).await.unwrap();
            if until == -2 {
                // It went between the two questions.
                continue;
            }
            let counts_until = (report.now() + report.states()[0].full_reset()).as_millis();
            let until = u128::try_from(until).unwrap();
            assert!(until >= counts_until, "{algorithm:?}: gone at {until}, but counts until {counts_until}");
            let longest = (report.now() + 2 * window).as_millis() + 4;
            assert!(until <= longest, "{algorithm:?}: stays until {until}, {longest} would do");
        }
        let gone = async || cmd("EXISTS").arg(&name).to_owned();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while gone().await.query_async::<bool>(&mut connection).await.unwrap() {
            assert!(std::time::Instant::now() < deadline, "{algorithm:?}: {name} is still there");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn admissions_of_the_same_microsecond_all_count() {
    let fixture = Fixture::redis();
    let mut connection = fixture.connection().await;
    let policy = policy("p", Algorithm::SlidingLog, 1_500, MINUTE);
    for _ in 0..15 {
        assert!(fixture.store.admit(&plan(&[(&policy, 100)])).await.unwrap().is_admitted());
    }
    let members: u64 = connection.zcard(fixture.name(key(&policy, "somebody"))).await.unwrap();
    assert_eq!(members, 1_500);
    assert!(!fixture.store.admit(&plan(&[(&policy, 1)])).await.unwrap().is_admitted());
}

#[tokio::test]
async fn what_left_the_window_is_cleared_a_part_at_a_time() {
    let fixture = Fixture::redis();
    let mut connection = fixture.connection().await;
    let policy = policy("p", Algorithm::SlidingLog, 10, MINUTE);
    let name = fixture.name(key(&policy, "somebody"));
    let one = plan(&[(&policy, 1)]);
    let now = fixture.store.admit(&one).await.unwrap().now();
    let old = u64::try_from(now.checked_sub(2 * MINUTE).unwrap().as_micros()).unwrap();
    for chunk in 0..20_u64 {
        let members: Vec<_> =
            (0..500).map(|member| (old + member, format!("old{}", chunk * 500 + member))).collect();
        connection.zadd_multiple::<_, _, _, ()>(&name, &members).await.unwrap();
    }
    let mut left = 10_001;
    while left > 11 {
        let report = fixture.store.admit(&plan(&[(&policy, 1)])).await.unwrap();
        let members: u64 = connection.zcard(&name).await.unwrap();
        assert!(members + 513 >= left, "{} members at once", left - members);
        if !report.is_admitted() {
            break;
        }
        left = members;
    }
    // Ten were admitted, none because of what was old.
    assert_eq!(fixture.store.peek(&one).await.unwrap().states()[0].used(), 10);
}

#[tokio::test]
async fn a_log_that_left_its_window_as_a_whole_is_dropped_at_once() {
    let fixture = Fixture::redis();
    let mut connection = fixture.connection().await;
    let policy = policy("p", Algorithm::SlidingLog, 10, MINUTE);
    let name = fixture.name(key(&policy, "somebody"));
    let members: Vec<_> = (0..5_000).map(|member| (member, format!("old{member}"))).collect();
    connection.zadd_multiple::<_, _, _, ()>(&name, &members).await.unwrap();
    assert!(fixture.store.admit(&plan(&[(&policy, 1)])).await.unwrap().is_admitted());
    assert_eq!(connection.zcard::<_, u64>(&name).await.unwrap(), 1);
    assert!(connection.pttl::<_, i64>(&name).await.unwrap() > 0);
}

#[tokio::test]
async fn a_log_whose_first_was_given_back_stays_as_long_as_the_others_count() {
    let fixture = Fixture::redis();
    let mut connection = fixture.connection().await;
    let window = Duration::from_secs(1);
    let policy = policy("p", Algorithm::SlidingLog, 10, window);
    let name = fixture.name(key(&policy, "somebody"));
    let one = plan(&[(&policy, 1)]);
    let first = fixture.store.admit(&one).await.unwrap().receipt(&one).unwrap();
    tokio::time::sleep(window * 7 / 10).await;
    fixture.store.admit(&one).await.unwrap();
    assert_eq!(fixture.store.refund(first).await.unwrap(), 1);
    // The second still counts, so that this one finds nothing to clear.
    tokio::time::sleep(window * 7 / 10).await;
    let last = fixture.store.admit(&one).await.unwrap();
    let until: i64 = cmd("PEXPIRETIME").arg(&name).query_async(&mut connection).await.unwrap();
    assert!(u128::try_from(until).unwrap() >= (last.now() + window).as_millis());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_limits_can_be_dropped_is_told_as_redis_does_it() {
    let server = RedisServer::spawn().unwrap();
    let fixture = Fixture::redis_at(&server.url());
    let store = redis_store(&server.url(), "", Duration::from_secs(20));
    let mut connection = fixture.connection().await;
    let mut set = async |name: &str, value: &str| {
        let command = cmd("CONFIG").arg("SET").arg(name).arg(value).to_owned();
        command.query_async::<()>(&mut connection).await.unwrap();
    };
    let mut others = fixture.connection().await;
    let limited = policy("p", Algorithm::SlidingLog, 100, MINUTE);
    for eviction in ["noeviction", "allkeys-random", "volatile-lru", "volatile-ttl"] {
        set("maxmemory", "0").await;
        set("maxmemory-policy", eviction).await;
        assert!(!store.memory_policy().await.unwrap().may_forget_limits(), "memory has no end");
        let users: Vec<_> = (0..50).map(|user| format!("user{user}")).collect();
        for user in &users {
            let mut plan = Plan::new();
            plan.ask(&limited, key(&limited, user), 1).unwrap();
            assert!(fixture.store.admit(&plan).await.unwrap().is_admitted());
        }
        set("maxmemory", "4000000").await;
        let told = store.memory_policy().await.unwrap();
        assert_eq!((told.limit(), told.eviction()), (Some(4_000_000), eviction));
        // Four times what there is room for, of another's that never expires; some or all of it is refused.
        for number in 0..160 {
            let value = "x".repeat(100_000);
            let _written = others.set::<_, _, ()>(format!("other{number}"), value).await;
        }
        let mut left = 0;
        for user in &users {
            left += others.exists::<_, usize>(fixture.name(key(&limited, user))).await.unwrap();
        }
        assert_eq!(told.may_forget_limits(), left < users.len(), "{eviction}: {left} are left");
        if eviction.starts_with("volatile") {
            assert_eq!(left, 0, "those of limits go before any others");
        }
        cmd("FLUSHALL").query_async::<()>(&mut others).await.unwrap();
    }
}
