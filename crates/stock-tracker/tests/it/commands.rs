//! Commands that print and end.

use serde_json::Value;

use crate::support::Place;

#[test]
fn the_configuration_is_shown_with_its_sources_and_without_secrets() {
    let place = Place::new().with("PORT", "9000").with("METRICS_TOKEN", "a-token-for-scrapers");
    std::fs::write(place.path(".env"), "PORT=9001\nLOG_LEVEL=debug\n").unwrap();
    let ended = place.run(&["config"]);
    assert!(ended.succeeded(), "{}", ended.stderr());
    let shown = ended.stdout();
    let words = |name: &str| {
        let line = shown.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().skip(1).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words("PORT"), ["9000", "environment"]);
    assert_eq!(words("LOG_LEVEL"), ["debug", ".env"]);
    assert_eq!(words("HOST"), ["127.0.0.1", "default"]);
    assert_eq!(words("METRICS_TOKEN"), ["set", "environment"]);
    assert_eq!(words("JWT_SECRET_KEY"), ["generated", "default"]);
    assert!(!shown.contains("a-token-for-scrapers"));
    assert!(!place.path("data").exists(), "showing the configuration makes nothing");
}

#[test]
fn production_is_refused_with_every_problem_at_once() {
    for role in ["api", "worker", "all"] {
        let place = Place::new().with("ENVIRONMENT", "production").with("JWT_SECRET_KEY", "short");
        let ended = place.with("CORS_ORIGINS", "*").run(&[role]);
        assert!(!ended.succeeded());
        let told = ended.stderr();
        for name in ["JWT_SECRET_KEY", "FERNET_KEYS", "CORS_ORIGINS", "METRICS_ADDR"] {
            assert!(told.contains(name), "{role}: {name} is missing in: {told}");
        }
    }
}

#[test]
fn the_openapi_document_needs_nothing_running() {
    let ended = Place::new().run(&["openapi"]);
    assert!(ended.succeeded(), "{}", ended.stderr());
    let document: Value = serde_json::from_str(&ended.stdout()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/api/v1/products"]["get"].is_object());
}

#[test]
fn nobody_there_is_not_healthy() {
    // Bound and not listening: nobody else answers on it.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let ended = Place::new().with("PORT", &port).run(&["health"]);
    assert!(!ended.succeeded());
    assert!(
        ended.stderr().contains(&format!("http://127.0.0.1:{port}/api/v1/health/ready")),
        "{}",
        ended.stderr()
    );
}

#[test]
fn an_unknown_command_is_refused() {
    let ended = Place::new().run(&["frobnicate"]);
    assert!(!ended.succeeded());
    assert!(ended.stderr().contains("frobnicate"));
}
