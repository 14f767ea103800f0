//! Long-running roles: their doors, their health, their end.

use std::io::{Read as _, Write as _};

use nix::sys::signal::Signal;

use crate::support::{Client, Place};

fn place() -> Place {
    Place::new().with("PORT", "0").with("METRICS_ADDR", "127.0.0.1:0").with("LOG_FORMAT", "json")
}

#[test]
fn the_api_serves_until_it_is_asked_to_stop() {
    let place = place();
    let api = place.start(&["api"]);
    let metrics = Client::new(api.address("metrics and health listen"));
    let client = Client::new(api.address("the API listens"));
    client.until_ready();
    let (status, page) = metrics.try_get("/metrics").unwrap();
    assert_eq!(status, 200);
    assert!(page.contains("stock_tracker_build_info") && page.contains("role=\"api\""), "{page}");
    assert_eq!(client.try_get("/metrics").unwrap().0, 404, "they have a listener of their own");
    api.signal(Signal::SIGTERM);
    assert!(api.ended().success());
    assert_eq!(crate::support::mode(&place.path("data/secrets.env")), 0o600);
}

#[test]
fn a_worker_tells_of_its_health_and_guards_its_metrics() {
    let place = place().with("METRICS_TOKEN", "a-token-for-scrapers");
    let worker = place.start(&["worker"]);
    let mut client = Client::new(worker.address("metrics and health listen"));
    client.until_ready();
    assert_eq!(client.get("/health")["status"], "healthy");
    assert_eq!(client.get("/api/v1/health/live/")["status"], "alive");
    for guarded in ["/metrics", "/debug/profile?seconds=1"] {
        assert_eq!(client.try_get(guarded).unwrap().0, 401, "{guarded}");
    }
    client.token = Some("a-token-for-scrapers".to_owned());
    assert!(client.try_get("/metrics").unwrap().1.contains("stock_tracker_queue_depth"));
    worker.signal(Signal::SIGINT);
    assert!(worker.ended().success());
}

#[test]
fn a_process_that_cannot_start_is_reported() {
    let sentry = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dsn = format!("http://key@{}/1", sentry.local_addr().unwrap());
    let reported = std::thread::spawn(move || {
        let (mut stream, _) = sentry.accept().unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        let (mut text, mut part) = (String::new(), [0; 4096]);
        while !text.contains("the process ends with a failure") {
            let read = stream.read(&mut part).unwrap();
            assert!(read > 0, "it says something else: {text}");
            text.push_str(&String::from_utf8_lossy(&part[..read]));
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        text
    });
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = Place::new().with("PORT", &port).with("SENTRY_DSN", &dsn).run(&["api"]);
    assert!(!ended.succeeded());
    let text = reported.join().unwrap();
    assert!(text.contains(&port) && text.contains("\"role\":\"api\""), "{text}");
}

#[test]
fn a_profile_names_what_takes_the_time_of_a_process_that_serves() {
    let place = place();
    let api = place.start(&["api"]);
    let observer = Client::new(api.address("metrics and health listen"));
    let client = Client::new(api.address("the API listens"));
    for query in ["seconds=0", "seconds=61", "hertz=0", "seconds=x", "minutes=1"] {
        assert_eq!(observer.try_get(&format!("/debug/profile?{query}")).unwrap().0, 400, "{query}");
    }
    let profiled =
        std::thread::spawn(move || observer.try_get("/debug/profile?seconds=2&hertz=500").unwrap());
    let mut person = serde_json::json!({ "password": "correct-horse-battery", "company_name": "Anna" });
    let mut serial = 0;
    while !profiled.is_finished() {
        person["email"] = format!("anna{serial}@example.com").into();
        client.post("/api/v1/auth/register", &person);
        serial += 1;
    }
    let (status, stacks) = profiled.join().unwrap();
    assert_eq!(status, 200, "{stacks}");
    assert!(stacks.contains("argon2"), "hashing a password takes longest:\n{stacks}");
}

#[test]
fn roles_that_start_together_share_one_new_database() {
    let place = place();
    let roles = ["api", "worker", "api", "worker", "all"].map(|role| place.start(&[role]));
    for role in &roles {
        let client = Client::new(role.address("metrics and health listen"));
        client.until_ready();
    }
    for role in roles {
        role.signal(Signal::SIGTERM);
        assert!(role.ended().success());
    }
}

#[test]
fn a_taken_port_is_told_with_what_to_change() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = Place::new().with("PORT", &port).run(&["api"]);
    assert!(!ended.succeeded());
    assert!(ended.stderr().contains(&format!("127.0.0.1:{port}")) && ended.stderr().contains("PORT"));
}

#[test]
fn readiness_is_red_before_the_end_and_a_second_signal_does_not_wait_for_it() {
    let place = place()
        .with("ENVIRONMENT", "staging")
        .with("JWT_SECRET_KEY", &"k".repeat(32))
        .with("FERNET_KEYS", "c2VhbGluZy1rZXktb2YtdGhpcnR5LXR3by1ieXRlcyE=");
    let api = place.start(&["api"]);
    let client = Client::new(api.address("the API listens"));
    client.until_ready();
    api.signal(Signal::SIGTERM);
    client.until("a red light", |client| {
        client.try_get("/api/v1/health/ready").filter(|(status, _)| *status == 503)
    });
    assert_eq!(client.try_get("/api/v1/health/live").unwrap().0, 200, "it still answers");
    api.signal(Signal::SIGTERM);
    assert_eq!(api.ended().code(), Some(130));
}

#[test]
fn detailed_health_tells_of_the_queues_and_whether_anybody_looks_at_the_schedule() {
    let place = place();
    let detailed = |client: &Client| {
        let (_, body) = client.try_get("/health/detailed").unwrap();
        serde_json::from_str::<serde_json::Value>(&body).unwrap()
    };
    let alone = place.start(&["api"]);
    let client = Client::new(alone.address("the API listens"));
    let told = detailed(&client);
    assert_eq!(told["schedule"], serde_json::json!({ "last_tick_seconds": null, "late": true }));
    assert_eq!(told["queues"]["sync"], serde_json::json!({ "waiting": 0, "oldest_seconds": 0.0 }));
    assert_eq!(told["status"], "degraded", "nobody syncs");

    let all = place.start(&["all"]);
    let client = Client::new(all.address("the API listens"));
    // A report stands for ten seconds: one of before the first look may have to pass.
    let told = client.until("a look at the schedule", |client| {
        Some(detailed(client)).filter(|told| told["schedule"]["late"] == false)
    });
    assert!(told["schedule"]["last_tick_seconds"].as_f64().unwrap() < 60.0, "{told}");
}
