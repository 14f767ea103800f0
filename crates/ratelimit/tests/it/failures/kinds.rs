//! What Redis says when it does not do what it is asked: told by kind, never a refusal, and over with its cause.

use std::time::{Duration, Instant};

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{AsyncCommands, Cmd, cmd};
use ratelimit::{Algorithm, Plan, StoreErrorKind};
use test_support::redis::RedisServer;

use crate::fixture::{ALL, Fixture, MINUTE, connection, plan, policy};

/// One of each kind of policy, a script that writes under each.
fn asked() -> Plan {
    let policies =
        ALL.map(|algorithm| policy(&format!("{algorithm:?}")[..4].to_lowercase(), algorithm, 5, MINUTE));
    plan(&policies.each_ref().map(|policy| (policy, 1)))
}

async fn admit(fixture: &Fixture, used: u32) {
    let report = fixture.store.admit(&asked()).await.unwrap();
    assert!(report.is_admitted());
    assert!(report.states().iter().all(|state| state.used() == used), "{report:?}");
}

async fn fail(fixture: &Fixture, kind: StoreErrorKind) {
    for _ in 0..5 {
        let error = fixture.store.admit(&asked()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

/// Sends a command of words.
async fn order(connection: &mut MultiplexedConnection, words: &str) {
    let mut command = Cmd::new();
    command.arg(words.split(' ').map(|word| word.trim_matches('"')).collect::<Vec<_>>());
    command.query_async::<()>(connection).await.unwrap();
}

/// Refused while `cause` holds, and admitted before and after.
async fn while_it_lasts(cause: &str, kind: StoreErrorKind, end: &str) {
    let server = RedisServer::spawn().unwrap();
    let fixture = Fixture::redis_at(&server.url());
    let mut connection = fixture.connection().await;
    admit(&fixture, 1).await;
    order(&mut connection, cause).await;
    fail(&fixture, kind).await;
    let looked = fixture.store.peek(&asked()).await.unwrap();
    assert!(looked.states().iter().all(|state| state.used() == 1), "who only looks is answered");
    order(&mut connection, end).await;
    admit(&fixture, 2).await;
}

#[tokio::test]
async fn no_memory_left() {
    let end = "CONFIG SET maxmemory 0";
    while_it_lasts("CONFIG SET maxmemory 1", StoreErrorKind::OutOfMemory, end).await;
}

#[tokio::test]
async fn a_replica() {
    while_it_lasts("REPLICAOF 127.0.0.1 1", StoreErrorKind::ReadOnly, "REPLICAOF NO ONE").await;
}

#[tokio::test]
async fn a_master_that_its_replicas_have_left() {
    let end = "CONFIG SET min-replicas-to-write 0";
    while_it_lasts("CONFIG SET min-replicas-to-write 1", StoreErrorKind::NotReady, end).await;
}

#[tokio::test]
async fn a_user_who_may_not_run_scripts() {
    let server = RedisServer::spawn().unwrap();
    let mut admin = connection(&server.url()).await;
    order(&mut admin, "ACL SETUSER limits on >secret ~* +@all -@scripting").await;
    let fixture = Fixture::redis_at(&server.url().replace("://", "://limits:secret@"));
    fail(&fixture, StoreErrorKind::Refused).await;
    order(&mut admin, "ACL SETUSER limits +evalsha").await;
    // The script is not known, and may not be sent.
    fail(&fixture, StoreErrorKind::Refused).await;
    order(&mut admin, "ACL SETUSER limits +eval").await;
    admit(&fixture, 1).await;
}

#[tokio::test]
async fn the_rights_that_are_documented_are_enough() {
    let server = RedisServer::spawn().unwrap();
    let mut admin = connection(&server.url()).await;
    let fixture = Fixture::redis_at(&server.url().replace("://", "://limits:secret@"));
    let user = format!("ACL SETUSER limits on >secret resetkeys ~{}* nocommands", fixture.prefix);
    let commands = "+eval +evalsha +time +unlink +get +set +getrange +setrange +pexpireat \
                    +zadd +zcard +zcount +zrange +zrem +zremrangebyrank +zscore";
    order(&mut admin, &format!("{user} {commands}")).await;
    admit(&fixture, 1).await;
    let receipt = fixture.store.admit(&asked()).await.unwrap().receipt(&asked()).unwrap();
    assert_eq!(fixture.store.refund(receipt).await.unwrap(), 4);
    admit(&fixture, 2).await;
    let keys: Vec<_> = asked().asks().iter().map(ratelimit::Ask::key).collect();
    assert_eq!(fixture.store.reset(&keys).await.unwrap(), 4);
    // A log whose entries leave one after the other, and a ring that grows.
    for (algorithm, window) in [(Algorithm::SlidingLog, 30), (Algorithm::CompactLog, 30)] {
        for limit in [3, 4] {
            let policy = policy("brief", algorithm, limit, Duration::from_millis(window));
            for _ in 0..50 {
                fixture.store.admit(&plan(&[(&policy, 1)])).await.unwrap();
            }
        }
        let brief = policy("brief", algorithm, 3, Duration::from_millis(window));
        let keys: Vec<_> = plan(&[(&brief, 1)]).asks().iter().map(ratelimit::Ask::key).collect();
        fixture.store.reset(&keys).await.unwrap();
    }
}

#[tokio::test]
async fn no_password_and_a_wrong_one() {
    let server = RedisServer::spawn().unwrap();
    let mut admin = connection(&server.url()).await;
    order(&mut admin, "CONFIG SET requirepass secret").await;
    let wrong = [
        ("", "CONFIG SET requirepass \"\""),
        (":mistaken@", "CONFIG SET requirepass mistaken"),
        ("nobody:secret@", "ACL SETUSER nobody on >secret ~* +@all"),
    ];
    for (login, cure) in wrong {
        let fixture = Fixture::redis_at(&server.url().replace("://", &format!("://{login}")));
        fail(&fixture, StoreErrorKind::Refused).await;
        order(&mut admin, cure).await;
        admit(&fixture, 1).await;
        order(&mut admin, "CONFIG SET requirepass secret").await;
    }
}

#[tokio::test]
async fn a_script_that_does_not_end() {
    let server = RedisServer::spawn().unwrap();
    let fixture = Fixture::redis_at(&server.url());
    let mut killer = fixture.connection().await;
    let mut looping = fixture.connection().await;
    admit(&fixture, 1).await;
    // The old name of `busy-reply-threshold`.
    order(&mut killer, "CONFIG SET lua-time-limit 10").await;
    let script = tokio::spawn(async move {
        cmd("EVAL").arg("while true do end").arg(0).query_async::<()>(&mut looping).await.unwrap_err()
    });
    let deadline = Instant::now() + MINUTE;
    // Redis may not have read it yet.
    let error = loop {
        match fixture
            .store
            .admit(&plan(&[(&policy("other", Algorithm::SlidingLog, 100_000, MINUTE), 1)]))
            .await
        {
            Ok(_) => assert!(Instant::now() < deadline),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), StoreErrorKind::NotReady, "{error}");
    fail(&fixture, StoreErrorKind::NotReady).await;
    order(&mut killer, "SCRIPT KILL").await;
    script.await.unwrap();
    admit(&fixture, 2).await;
}

#[tokio::test]
async fn a_server_that_reads_what_it_had_saved() {
    // Two milliseconds for each key, and somebody listens after each kilobyte.
    let slow = ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"];
    let mut server = RedisServer::spawn_with(&slow).unwrap();
    let fixture = Fixture::redis_at(&server.url());
    admit(&fixture, 1).await;
    let mut connection = fixture.connection().await;
    let much: Vec<_> = (0..5_000).map(|number| (format!("key{number}"), "x".repeat(100))).collect();
    connection.mset::<_, _, ()>(&much).await.unwrap();
    order(&mut connection, "SAVE").await;
    server.kill().unwrap();

    // It returns when everything is read, ten seconds later if nobody helped.
    let started = tokio::task::spawn_blocking(move || server.start().map(|()| server));
    let deadline = Instant::now() + MINUTE;
    loop {
        let error = fixture.store.admit(&asked()).await.unwrap_err();
        if error.kind() == StoreErrorKind::NotReady {
            assert!(error.to_string().contains("loading"), "{error}");
            break;
        }
        assert_eq!(error.kind(), StoreErrorKind::Unreachable, "it does not listen yet");
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut connection = fixture.connection().await;
    order(&mut connection, "CONFIG SET key-load-delay 0").await;
    let _server = started.await.unwrap().unwrap();
    admit(&fixture, 2).await;
}
