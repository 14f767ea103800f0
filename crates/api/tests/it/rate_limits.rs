//! How many requests are answered, and what callers are told of it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use api::{Counting, LimitSettings, Quota};
use deadpool_redis::{Manager, Pool, Runtime};
use futures::future::join_all;
use ratelimit::{
    FailoverOptions, FailoverStore, Keys, LocalOptions, LocalStore, RedisOptions, RedisStore, Store,
    Unobserved,
};
use serde_json::{Value, json};
use test_support::{database::TestDatabase, redis::RedisServer};

use crate::service::{Answer, PASSWORD, Person, Service};

fn counting_in(store: impl Store + 'static) -> Counting {
    Counting { store: Arc::new(store), keys: Keys::new([9; 16]), observer: Arc::new(Unobserved) }
}

fn local() -> Counting {
    counting_in(LocalStore::new(LocalOptions::default()))
}

/// As a process has it that shares its counts in Redis.
fn in_redis(url: &str) -> Counting {
    let pool = Pool::builder(Manager::new(url).expect("a URL")).runtime(Runtime::Tokio1);
    // A machine full of tests is slower than any network.
    let options = RedisOptions { within: Duration::from_secs(20), ..RedisOptions::default() };
    let redis = RedisStore::new(pool.build().expect("a pool"), options).expect("options");
    let local = LocalStore::new(LocalOptions::default());
    counting_in(FailoverStore::new(Arc::new(redis), local, FailoverOptions::default()))
}

async fn limited(limits: LimitSettings) -> Service {
    Service::start_limited(TestDatabase::sqlite().await, limits, local(), |_| {}).await
}

/// Behind a proxy on this machine, so that a test can be any client.
async fn behind_a_proxy(limits: LimitSettings) -> Service {
    Service::start_limited(TestDatabase::sqlite().await, limits, local(), |settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await
}

/// Limits that no test meets unless it lowers one.
fn wide() -> LimitSettings {
    let wide = Quota::new(10_000, 600);
    LimitSettings {
        global: wide,
        tenant: wide,
        user: wide,
        ip: wide,
        auth: wide,
        sync: wide,
        ..LimitSettings::default()
    }
}

/// The statuses of one request many times at once, over several doors.
async fn at_once(service: &Service, doors: &[String], person: &Person, times: usize) -> Vec<u16> {
    let client = reqwest::Client::new();
    let calls = (0..times).map(|turn| {
        let url = format!("{}/api/v1/auth/me", doors[turn % doors.len()]);
        let request = client.get(url).bearer_auth(&person.access);
        async move { request.send().await.expect("an answer").status().as_u16() }
    });
    let statuses = join_all(calls).await;
    assert!(service.get("/health").send().await.status == 200);
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_150_requests_at_once_exactly_100_are_answered_by_however_many_processes() {
    let redis = RedisServer::spawn().expect("a Redis");
    let limits = LimitSettings { tenant: Quota::new(100, 3_600), ..wide() };
    let database = TestDatabase::sqlite().await;
    let service = Service::start_limited(database, limits.clone(), in_redis(&redis.url()), |_| {}).await;
    let mut doors = vec![service.url("")];
    doors.extend((0..2).map(|_| service.open_another(&limits, in_redis(&redis.url()))));
    let (anna, boris) = (service.register("anna").await, service.register("boris").await);
    let statuses = at_once(&service, &doors, &anna, 150).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 100);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 50);
    // Another company is not concerned.
    let others = at_once(&service, &doors, &boris, 99).await;
    assert!(others.iter().all(|status| *status == 200), "{others:?}");
}

#[tokio::test]
async fn a_refusal_says_what_when_and_why_and_waiting_so_long_is_enough() {
    let service = limited(LimitSettings { tenant: Quota::new(2, 1), ..wide() }).await;
    let person = service.register("anna").await;
    let ask =
        || service.get("/api/v1/auth/me").token(&person.access).header("Origin", "http://localhost:3000");
    let first = ask().send().await;
    first.expect(200);
    for (name, value) in [
        ("x-ratelimit-limit", "2"),
        ("x-ratelimit-remaining", "1"),
        ("x-ratelimit-tenant", person.tenant.as_str()),
        ("ratelimit", "\"tenant\";r=1;t=1, \"user\";r=9999;t=600"),
        ("ratelimit-policy", "\"tenant\";q=2;w=1, \"user\";q=10000;w=600"),
    ] {
        assert_eq!(first.header(name), value, "{name}");
    }
    ask().send().await.expect(200);
    let refused = ask().send().await;
    let problem = refused.problem(429, "rate_limit_exceeded");
    assert_eq!(problem["error"], "rate_limit_exceeded");
    assert_eq!(problem["message"], problem["detail"]);
    assert_eq!(problem["retry_after"], 1);
    assert_eq!(problem["violated_policies"], json!(["tenant"]));
    assert!(problem["reset_at"].as_str().is_some_and(|at| at.ends_with('Z')));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("x-ratelimit-remaining"), "0");
    assert_eq!(refused.header("access-control-allow-origin"), "http://localhost:3000");
    let exposed = refused.header("access-control-expose-headers").to_lowercase();
    let exposed: BTreeSet<&str> = exposed.split(',').map(str::trim).collect();
    for name in ["retry-after", "x-ratelimit-limit", "ratelimit", "ratelimit-policy", "x-ratelimit-tenant"] {
        assert!(exposed.contains(name), "{name}: {exposed:?}");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    ask().send().await.expect(200);
}

#[tokio::test]
async fn an_unchanged_answer_is_told_of_limits_too() {
    let service = limited(wide()).await;
    let person = service.register("anna").await;
    let first = service.get("/api/v1/auth/me").token(&person.access).send().await;
    let again =
        service.get("/api/v1/auth/me").token(&person.access).header("If-None-Match", first.header("etag"));
    let again = again.send().await;
    assert_eq!(again.status, 304);
    assert!(!again.header("ratelimit").is_empty());
}

#[tokio::test]
async fn each_way_of_signing_in_takes_five_in_five_minutes_from_one_client() {
    let service = behind_a_proxy(LimitSettings { auth: Quota::new(5, 300), ..wide() }).await;
    let login = |from: &str| {
        let body = json!({"email": "nobody@example.com", "password": "not the passphrase"});
        service.post("/api/v1/auth/login").header("X-Forwarded-For", from).json(&body)
    };
    for _ in 0..5 {
        login("198.51.100.7").send().await.problem(401, "invalid_credentials");
    }
    let refused = login("198.51.100.7").send().await;
    assert_eq!(refused.problem(429, "rate_limit_exceeded")["violated_policies"], json!(["auth"]));
    assert_eq!(refused.header("x-ratelimit-limit"), "5");
    // What the client writes before what the proxy wrote changes nothing, nor does another spelling of the path.
    login("203.0.113.1, 198.51.100.7").send().await.problem(429, "rate_limit_exceeded");
    let spelled = service.post("/api/v1/auth/%6cogin").header("X-Forwarded-For", "198.51.100.7");
    spelled
        .json(&json!({"email": "a@b.example", "password": "x"}))
        .send()
        .await
        .problem(429, "rate_limit_exceeded");
    login("203.0.113.1").send().await.problem(401, "invalid_credentials");
    let refresh = service.post("/api/v1/auth/refresh").header("X-Forwarded-For", "198.51.100.7");
    refresh.json(&json!({"refresh_token": "x"})).send().await.problem(401, "invalid_token");
    let (one, same, other) = ("2001:db8:0:1::1", "2001:db8:0:1:9::2", "2001:db8:0:2::1");
    for _ in 0..5 {
        login(one).send().await.problem(401, "invalid_credentials");
    }
    login(same).send().await.problem(429, "rate_limit_exceeded");
    login(other).send().await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn what_an_untrusted_peer_says_of_its_address_is_ignored() {
    let service = limited(LimitSettings { ip: Quota::new(2, 300), ..wide() }).await;
    let ask = |from: &str| service.get("/api").header("X-Forwarded-For", from);
    ask("198.51.100.1").send().await.expect(200);
    ask("198.51.100.2").send().await.expect(200);
    ask("198.51.100.3").send().await.problem(429, "rate_limit_exceeded");
}

#[tokio::test]
async fn failed_sign_ins_count_by_account_and_network_and_lock_nobody_else_out() {
    let limits = LimitSettings { failed_logins: Quota::new(3, 300), ..wide() };
    let service = behind_a_proxy(limits).await;
    let person = service.register("anna").await;
    let login = async |from: &str, email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        service.post("/api/v1/auth/login").header("X-Forwarded-For", from).json(&body).send().await
    };
    // Those that succeed do not count.
    for _ in 0..5 {
        login("198.51.100.7", &person.email, PASSWORD).await.expect(200);
    }
    for from in ["198.51.100.7", "198.51.100.8", "198.51.100.9"] {
        login(from, &person.email, "a wrong passphrase").await.problem(401, "invalid_credentials");
    }
    let shouted = person.email.to_uppercase();
    for (from, email) in [("198.51.100.10", &person.email), ("198.51.100.7", &shouted)] {
        let refused = login(from, email, PASSWORD).await;
        assert_eq!(
            refused.problem(429, "rate_limit_exceeded")["violated_policies"],
            json!(["login-failures"])
        );
        assert_eq!(refused.header("x-ratelimit-limit"), "3");
        assert!(!refused.header("retry-after").is_empty());
    }
    let left = |answer: &Answer| {
        let list = answer.header("ratelimit").to_owned();
        let auth = list.split(", ").find(|item| item.starts_with("\"auth\"")).expect("told").to_owned();
        auth.split(';').nth(1).expect("what is left").to_owned()
    };
    let (one, other) = (
        login("198.51.100.7", &person.email, PASSWORD).await,
        login("198.51.100.7", &person.email, PASSWORD).await,
    );
    assert_eq!(left(&one), left(&other), "what is refused counts nowhere");
    login("203.0.113.1", &person.email, PASSWORD).await.expect(200);
    login("198.51.100.7", "somebody@example.com", "a wrong passphrase")
        .await
        .problem(401, "invalid_credentials");
}

#[tokio::test]
async fn strangers_cannot_use_up_what_is_for_tenants() {
    let service =
        limited(LimitSettings { global: Quota::new(2, 300), ip: Quota::new(9, 300), ..wide() }).await;
    // The second one of the two.
    let person = service.register("anna").await;
    service.get("/api").send().await.expect(200);
    let refused = service.get("/api").send().await;
    assert_eq!(refused.problem(429, "rate_limit_exceeded")["violated_policies"], json!(["global"]));
    assert!(
        refused.header("ratelimit").starts_with("\"ip\";r=7;t="),
        "nobody is told how busy the service is"
    );
    assert_eq!(refused.header("x-ratelimit-remaining"), "0");
    service.get("/api/v1/products").send().await.problem(429, "rate_limit_exceeded");
    let forged = service.get("/api/v1/products").token(&format!("{}x", person.access));
    forged.send().await.problem(429, "rate_limit_exceeded");
    service.get("/api/v1/products").token(&person.access).send().await.expect(200);
}

#[tokio::test]
async fn all_verified_tenants_can_be_bounded_together() {
    let limits = LimitSettings { global_verified: Some(Quota::new(3, 300)), ..wide() };
    let service = limited(limits).await;
    let (anna, boris) = (service.register("anna").await, service.register("boris").await);
    for person in [&anna, &boris, &anna] {
        let answer = service.get("/api/v1/auth/me").token(&person.access).send().await;
        answer.expect(200);
        assert!(!answer.header("ratelimit").contains("global"));
    }
    let refused = service.get("/api/v1/auth/me").token(&boris.access).send().await;
    assert_eq!(refused.problem(429, "rate_limit_exceeded")["violated_policies"], json!(["global-verified"]));
    service.get("/api").send().await.expect(200);
}

#[tokio::test]
async fn people_ask_for_five_syncs_in_five_minutes_per_company() {
    let service = limited(LimitSettings { sync: Quota::new(2, 300), ..wide() }).await;
    let (anna, boris) = (service.register("anna").await, service.register("boris").await);
    let account = "/api/v1/marketplace-accounts/0199c0de-0000-7000-8000-000000000000/sync";
    let ask = |path: &str, person: &Person| service.post(path).token(&person.access);
    ask("/api/v1/products/sync", &anna).send().await.problem(409, "no_account");
    ask(account, &anna).send().await.problem(404, "not_found");
    for path in ["/api/v1/products/sync", account] {
        let refused = ask(path, &anna).send().await;
        assert_eq!(refused.problem(429, "rate_limit_exceeded")["violated_policies"], json!(["sync"]));
    }
    ask("/api/v1/products/sync", &boris).send().await.problem(409, "no_account");
    service.get("/api/v1/syncs").token(&anna.access).send().await.expect(200);
}

#[tokio::test]
async fn health_metrics_documentation_and_preflights_are_not_counted() {
    let service = limited(LimitSettings { ip: Quota::new(1, 300), ..wide() }).await;
    for path in ["/health", "/health/", "/api/v1/health/live", "/metrics", "/openapi.json", "/docs", "/redoc"]
    {
        for _ in 0..2 {
            let answer = service.get(path).send().await;
            assert!(answer.status < 400, "{path}: {}", answer.status);
            assert!(answer.header("ratelimit").is_empty(), "{path}");
        }
    }
    for _ in 0..2 {
        let preflight = service
            .call("OPTIONS", "/api/v1/products")
            .header("Origin", "http://localhost:3000")
            .header("Access-Control-Request-Method", "GET");
        preflight.send().await.expect(200);
    }
    service.get("/nothing/here").send().await.problem(404, "not_found");
    service.get("/nothing/here").send().await.problem(429, "rate_limit_exceeded");
}

#[tokio::test]
async fn a_caller_sees_how_he_stands_and_looking_is_free() {
    let service =
        limited(LimitSettings { tenant: Quota::new(4, 300), ip: Quota::new(3, 300), ..wide() }).await;
    let person = service.register("anna").await;
    for _ in 0..3 {
        service.get("/api/v1/auth/me").token(&person.access).send().await.expect(200);
    }
    let mut seen = Vec::new();
    for _ in 0..9 {
        let answer = service.get("/api/v1/rate-limits").token(&person.access).send().await;
        assert_eq!(answer.header("x-ratelimit-remaining"), "1");
        seen.push(answer.expect(200));
    }
    let items = seen[0]["items"].as_array().expect("a list");
    let of = |name: &str| items.iter().find(|item| item["policy"] == name).expect("the limit");
    assert_eq!(items.len(), 3, "{items:?}");
    let tenant = of("tenant");
    assert_eq!((&tenant["limit"], &tenant["used"], &tenant["remaining"]), (&json!(4), &json!(3), &json!(1)));
    assert_eq!(tenant["window_seconds"], 300);
    assert!(tenant["reset"].is_string());
    assert_eq!((&of("sync")["used"], &of("sync")["reset"]), (&json!(0), &Value::Null));
    assert_eq!(seen.first(), seen.last());
    // Also for somebody who has nothing left; strangers are counted.
    service.get("/api/v1/auth/me").token(&person.access).send().await.expect(200);
    service.get("/api/v1/auth/me").token(&person.access).send().await.problem(429, "rate_limit_exceeded");
    service.get("/api/v1/rate-limits").token(&person.access).send().await.expect(200);
    for _ in 0..2 {
        service.get("/api/v1/rate-limits").send().await.problem(401, "unauthenticated");
    }
    service.get("/api/v1/rate-limits").send().await.problem(429, "rate_limit_exceeded");
}

#[tokio::test]
async fn without_limits_nothing_is_told_of_any() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let person = service.register("anna").await;
    let answer = service.get("/api/v1/auth/me").token(&person.access).send().await;
    assert!(answer.header("ratelimit").is_empty() && answer.header("x-ratelimit-tenant").is_empty());
    let limits = service.get("/api/v1/rate-limits").token(&person.access).send().await.expect(200);
    assert_eq!(limits, json!({"items": []}));
}

#[tokio::test]
async fn another_spelling_of_a_path_is_the_same_path() {
    let service = limited(wide()).await;
    let person = service.register("anna").await;
    service.get("/api/v1/auth/%6de").token(&person.access).send().await.expect(200);
    service.get("/api/v1/auth/%6de").send().await.problem(401, "unauthenticated");
    service.post("/api/v1/products/%73ync").send().await.problem(401, "unauthenticated");
    service.post("/api/v1/products/%73ync").token(&person.access).send().await.problem(409, "no_account");
    service.call("PUT", "/api/v1/auth/%6de").send().await.problem(405, "method_not_allowed");
}
