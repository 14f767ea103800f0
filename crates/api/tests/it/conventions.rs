//! What is true of every answer: headers, errors, caching, compression, foreign origins.

use serde_json::{Value, json};
use test_support::database::TestDatabase;
use uuid::Uuid;

use crate::service::Service;

#[tokio::test]
async fn a_good_request_id_is_kept_and_a_bad_one_is_replaced() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let kept = service.get("/nothing").header("X-Request-ID", "abc.DEF_9-z").send().await;
    assert_eq!(kept.header("x-request-id"), "abc.DEF_9-z");
    assert_eq!(kept.json()["request_id"], "abc.DEF_9-z");
    for bad in ["a b", "\"><script>", &"x".repeat(129)] {
        let replaced = service.get("/").header("X-Request-ID", bad).send().await;
        assert!(Uuid::parse_str(replaced.header("x-request-id")).is_ok(), "{bad}");
    }
    let (one, two) = (service.get("/").send().await, service.get("/").send().await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test]
async fn security_headers_are_on_every_answer() {
    let published = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("x-xss-protection", "1; mode=block"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ];
    let service = Service::start(TestDatabase::sqlite().await).await;
    for path in ["/", "/health", "/nothing", "/api/v1/products", "/api/v1/auth/login", "/metrics"] {
        let answer = service.get(path).send().await;
        for (name, value) in published {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
    }
    let production = Service::start_with(TestDatabase::sqlite().await, |settings| {
        *settings = api::Settings::new(api::Environment::Production, "1.2.3");
    })
    .await;
    for path in ["/", "/nothing"] {
        let answer = production.get(path).send().await;
        assert_eq!(
            answer.header("strict-transport-security"),
            "max-age=31536000; includeSubDomains",
            "{path}"
        );
    }
    let without =
        Service::start_with(TestDatabase::sqlite().await, |settings| settings.security_headers = false).await;
    assert_eq!(without.get("/").send().await.header("x-frame-options"), "");
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let person = service.register("anna").await;
    for path in
        ["/nothing", "/api/v2/products", "/api/v1/nothing", "/api/v1/products/", "/api/v1/auth/nothing"]
    {
        let missing = service.get(path).send().await;
        let problem = missing.problem(404, "not_found");
        assert_eq!(problem["instance"], path);
        assert_eq!(missing.header("content-type"), "application/problem+json");
    }
    for (method, path, allow) in [
        ("DELETE", "/", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"),
        ("GET", "/api/v1/auth/login", "POST"),
        ("PUT", "/api/v1/tenants/me", "GET, HEAD, PATCH"),
        ("POST", "/api/v1/products", "GET, HEAD"),
        ("DELETE", "/api/v1/products/sync", "GET, HEAD, POST"),
        ("OPTIONS", "/api/v1/products", "GET, HEAD"),
        ("BREW", "/api/v1/marketplace-accounts", "GET, HEAD, POST"),
    ] {
        for request in [service.call(method, path), service.call(method, path).token(&person.access)] {
            let refused = request.send().await;
            refused.problem(405, "method_not_allowed");
            assert_eq!(refused.header("allow"), allow, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let (get, head) = (service.get("/").send().await, service.call("HEAD", "/").begin().await);
    assert_eq!(head.status().as_u16(), 200);
    assert_eq!(head.headers()["content-length"], get.body.len().to_string());
}

#[tokio::test]
async fn unchanged_answers_are_not_sent_again() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let person = service.register("anna").await;
    for path in ["/api/v1/tenants/me", "/api/v1/products", "/api/v1/syncs", "/api/v1/analytics/dashboard"] {
        let first = service.get(path).token(&person.access).send().await;
        first.expect(200);
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{path}: {tag}");
        assert_eq!(first.header("cache-control"), "private, no-cache");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = service.get(path).token(&person.access).header("If-None-Match", &known).send().await;
            assert_eq!(again.status, 304, "{path} {known}");
            assert_eq!(again.header("etag"), tag);
            assert!(again.body.is_empty());
        }
        let other = service.get(path).token(&person.access).header("If-None-Match", "\"other\"").send().await;
        other.expect(200);
    }
    let path = "/api/v1/tenants/me";
    let tag = service.get(path).token(&person.access).send().await.header("etag").to_owned();
    let change = service.call("PATCH", path).token(&person.access).json(&json!({"name": "Another"}));
    change.send().await.expect(200);
    service.get(path).token(&person.access).header("If-None-Match", &tag).send().await.expect(200);
}

#[tokio::test]
async fn large_bodies_are_compressed_and_small_ones_are_not() {
    let service = Service::with_marketplace(TestDatabase::sqlite().await).await;
    let person = service.register("anna").await;
    service.connect(&person, 0).await;
    service.carry_all().await;
    for (accepted, encoding) in [("gzip", "gzip"), ("br", "br"), ("gzip, br;q=0.9", "gzip"), ("", "")] {
        let answer = service.get("/openapi.json").header("Accept-Encoding", accepted).send().await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
        if !encoding.is_empty() {
            assert!(answer.header("vary").to_lowercase().contains("accept-encoding"));
        }
    }
    let small = service
        .get("/api/v1/tenants/me")
        .token(&person.access)
        .header("Accept-Encoding", "gzip")
        .send()
        .await;
    small.expect(200);
    assert!(small.body.len() <= 1000);
    assert_eq!(small.header("content-encoding"), "");
    // What is compressed is another entity; either tag stands for both.
    let path = "/api/v1/products";
    let plain = service.get(path).token(&person.access).send().await;
    assert!(plain.body.len() > 1000, "{}", plain.body.len());
    let packed = service.get(path).token(&person.access).header("Accept-Encoding", "gzip").send().await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_eq!(packed.header("etag"), format!("{}-gzip\"", plain.header("etag").trim_end_matches('"')));
    let again =
        service.get(path).token(&person.access).header("If-None-Match", packed.header("etag")).send().await;
    assert_eq!(again.status, 304);
    let refused = service
        .get(path)
        .token(&person.access)
        .header("Accept-Encoding", "identity;q=0, x-none")
        .send()
        .await;
    assert!([200, 406].contains(&refused.status));
}

#[tokio::test]
async fn pages_of_this_machine_may_read_in_development() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    for origin in ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:8080"] {
        let answer = service.get("/").header("Origin", origin).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert!(answer.header("access-control-expose-headers").to_lowercase().contains("x-request-id"));
        // An error can be read, too.
        let refused = service.get("/api/v1/products").header("Origin", origin).send().await;
        refused.problem(401, "unauthenticated");
        assert_eq!(refused.header("access-control-allow-origin"), origin);
        let preflight = service
            .call("OPTIONS", "/api/v1/products")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "GET")
            .header("Access-Control-Request-Headers", "authorization, idempotency-key")
            .send()
            .await;
        assert_eq!(preflight.status, 200);
        assert_eq!(preflight.header("access-control-max-age"), "600");
        assert_eq!(preflight.header("access-control-allow-origin"), origin);
        assert!(preflight.header("access-control-allow-methods").contains("PATCH"));
        assert_eq!(preflight.header("access-control-allow-credentials"), "");
    }
    let foreign = service.get("/").header("Origin", "http://evil.example").send().await;
    assert_eq!(foreign.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn in_production_only_listed_origins_may() {
    let service = Service::start_with(TestDatabase::sqlite().await, |settings| {
        *settings = api::Settings::new(api::Environment::Production, "1.2.3");
        settings.cors.origins = api::AllowedOrigins::Listed(vec!["https://app.example.com".to_owned()]);
        settings.cors.credentials = true;
    })
    .await;
    let preflight = async |origin: &str| {
        let request = service.call("OPTIONS", "/api/v1/products").header("Origin", origin);
        request.header("Access-Control-Request-Method", "GET").send().await
    };
    let allowed = preflight("https://app.example.com").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), "https://app.example.com");
    assert_eq!(allowed.header("access-control-allow-credentials"), "true");
    for origin in
        ["http://localhost:3000", "https://app.example.com.evil.net", "http://app.example.com", "null"]
    {
        let refused = preflight(origin).await;
        refused.problem(400, "invalid_request");
        assert_eq!(refused.header("access-control-allow-origin"), "", "{origin}");
    }
}

#[tokio::test]
async fn the_cause_is_shown_in_debug_mode_only() {
    let service = Service::start_with(TestDatabase::sqlite().await, |settings| settings.debug = true).await;
    // A refusal has no cause beyond itself, whatever the mode.
    let problem = service.get("/nothing").send().await.problem(404, "not_found");
    assert_eq!(problem.get("debug"), None::<&Value>);
}
