//! `stock-tracker doctor`: says what is well, and what is not with its fix.

use nix::sys::signal::Signal;
use sea_orm::ConnectionTrait as _;
use storage::PoolSettings;
use test_support::{postgres::PgDatabase, redis::RedisServer};

use crate::support::{Client, Ended, Place, Running, wait};

/// Nobody is at this address.
const NOWHERE: &str = "http://127.0.0.1:9";

/// The line of a check, with its level.
fn told(ended: &Ended, about: &str) -> String {
    let shown = ended.stdout();
    let of_it = shown.lines().filter(|line| line.split_whitespace().nth(1) == Some(about));
    of_it.collect::<Vec<_>>().join("\n")
}

/// A marketplace that is there, and the place where the doctor is asked.
fn sandboxed(place: Place) -> (Running, Place) {
    let sandbox = place.start(&["sandbox", "--port", "0"]);
    let url = sandbox.line(|line| line.starts_with("WILDBERRIES_BASE_URL="));
    let place = place.with("WILDBERRIES_BASE_URL", url.trim_start_matches("WILDBERRIES_BASE_URL="));
    (sandbox, place)
}

#[test]
fn a_wrong_configuration_is_all_there_is_to_say() {
    let place = Place::new().with("PORT", "many").with("LOG_LEVEL", "loud");
    let ended = place.run(&["doctor"]);
    assert!(!ended.succeeded() && ended.stderr().contains("2 of 2 checks failed"), "{}", ended.stderr());
    assert!(ended.stdout().contains("PORT") && ended.stdout().contains("LOG_LEVEL"), "{}", ended.stdout());
}

#[test]
fn what_is_not_there_is_told_and_nothing_is_made() {
    let place = Place::new()
        .with("WILDBERRIES_BASE_URL", NOWHERE)
        .with("REDIS_URL", "redis://:hunter2@127.0.0.1:9")
        .with("SENTRY_DSN", "http://hunter3@127.0.0.1:9/1");
    let ended = place.run(&["doctor"]);
    assert!(!ended.succeeded());
    for (about, what) in [
        ("database", "stock-tracker.db"),
        ("redis", "redis://:***@127.0.0.1:9"),
        ("marketplaces", NOWHERE),
        ("error", NOWHERE),
    ] {
        let line = told(&ended, about);
        assert!(line.starts_with("FAILURE") && line.contains(what), "{about}: {}", ended.stdout());
    }
    let said = ended.stdout() + &ended.stderr();
    assert!(!said.contains("hunter"), "{said}");
    assert!(!place.path("data").exists(), "looking makes nothing");
}

#[test]
fn an_embedded_deployment_is_well_once_it_has_run() {
    let (_sandbox, place) = sandboxed(Place::new().with("PORT", "0").with("LOG_FORMAT", "json"));
    let all = place.start(&["all"]);
    let client = Client::new(all.address("the API listens"));
    client.until_ready();
    let ended = place.run(&["doctor"]);
    assert!(ended.succeeded(), "{}{}", ended.stdout(), ended.stderr());
    for (about, what) in [("database", "SQLite 3."), ("schema", "current"), ("accounts", "0 connected")] {
        let line = told(&ended, about);
        assert!(line.starts_with("ok") && line.contains(what), "{about}: {}", ended.stdout());
    }
    // Also while nobody has the file open.
    all.signal(Signal::SIGTERM);
    assert!(all.ended().success());
    let ended = place.run(&["doctor"]);
    assert!(ended.succeeded(), "{}{}", ended.stdout(), ended.stderr());
}

#[test]
fn a_file_that_is_not_ours_is_left_as_it_is() {
    let place = Place::new().with("WILDBERRIES_BASE_URL", NOWHERE);
    std::fs::create_dir(place.path("data")).unwrap();
    let file = place.path("data/stock-tracker.db");
    std::fs::write(&file, b"").unwrap();
    let ended = place.run(&["doctor"]);
    let line = told(&ended, "schema");
    assert!(line.starts_with("FAILURE") && line.contains("steps are missing"), "{}", ended.stdout());
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 0, "an empty file stays empty");
    std::fs::write(&file, b"not a database, but somebody's text").unwrap();
    let ended = place.run(&["doctor"]);
    assert!(told(&ended, "database").starts_with("FAILURE"), "{}", ended.stdout());
    assert_eq!(std::fs::read(&file).unwrap(), b"not a database, but somebody's text");
}

#[test]
fn postgres_and_redis_are_looked_into() {
    let database = wait(PgDatabase::create("doctor", None)).unwrap();
    let redis = RedisServer::spawn().unwrap();
    let place = Place::new()
        .with("DATABASE_URL", database.app_url())
        .with("DATABASE_ADMIN_URL", database.admin_url())
        .with("DATABASE_POOL_SIZE", "3")
        .with("REDIS_URL", &redis.url());
    let (_sandbox, place) = sandboxed(place);
    let ended = place.run(&["doctor"]);
    assert!(told(&ended, "schema").starts_with("FAILURE"), "{}", ended.stdout());
    assert!(place.run(&["migrate"]).succeeded());
    let ended = place.run(&["doctor"]);
    assert!(ended.succeeded(), "{}{}", ended.stdout(), ended.stderr());
    for about in ["role", "owner", "rights", "policies", "trial", "redis", "eviction", "clock", "connections"]
    {
        assert!(told(&ended, about).starts_with("ok"), "{about}: {}", ended.stdout());
    }

    // A superfluous right, an open table, and a Redis that forgets.
    let owner = wait(PoolSettings::new(database.admin_url(), 1).open()).unwrap();
    for sql in ["GRANT TRUNCATE ON product TO PUBLIC", "ALTER TABLE event DISABLE ROW LEVEL SECURITY"] {
        wait(owner.execute_unprepared(sql)).unwrap();
    }
    let forgetful =
        RedisServer::spawn_with(&["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"]).unwrap();
    let place = place.with("REDIS_URL", &forgetful.url());
    let ended = place.run(&["doctor"]);
    assert!(!ended.succeeded());
    for (about, what) in [
        ("rights", "TRUNCATE on product"),
        ("policies", "event"),
        ("trial", "event"),
        ("eviction", "allkeys-lru"),
    ] {
        let line = told(&ended, about);
        assert!(line.starts_with("FAILURE") && line.contains(what), "{about}: {}", ended.stdout());
    }
    assert!(ended.stdout().contains("-> "), "each failure has its fix");

    let as_owner = place.with("DATABASE_URL", database.admin_url()).run(&["doctor"]);
    let line = told(&as_owner, "role");
    assert!(line.starts_with("FAILURE") && line.contains("owns tables"), "{}", as_owner.stdout());
}
