//! The order of the layers around the handlers, seen from outside: each step is shown by what only this order answers.

use std::sync::Arc;

use api::{Counting, LimitSettings, Quota};
use ratelimit::{Keys, LocalOptions, LocalStore, Unobserved};
use test_support::database::TestDatabase;

use crate::service::{Answer, Service};

const PAGE: &str = "https://app.example.com";

/// Answers three requests of a user, and any number of the rest.
async fn narrow() -> Service {
    let wide = Quota::new(10_000, 600);
    let user = Quota::new(3, 600);
    let limits =
        LimitSettings { global: wide, tenant: wide, user, ip: wide, auth: wide, ..LimitSettings::default() };
    let store = Arc::new(LocalStore::new(LocalOptions::default()));
    let counting = Counting { store, keys: Keys::new([9; 16]), observer: Arc::new(Unobserved) };
    Service::start_limited(TestDatabase::sqlite().await, limits, counting, |settings| {
        settings.trusted_hosts = vec!["127.0.0.1".to_owned()];
        settings.cors.origins = api::AllowedOrigins::Listed(vec![PAGE.to_owned()]);
    })
    .await
}

/// What the outermost layer puts on every answer.
fn has_an_edge(answer: &Answer) {
    for name in ["x-request-id", "x-process-time", "x-content-type-options", "x-frame-options"] {
        assert!(!answer.header(name).is_empty(), "{name}");
    }
}

fn is_for_the_page(answer: &Answer) -> bool {
    answer.header("access-control-allow-origin") == PAGE
}

#[tokio::test]
async fn each_layer_is_where_the_documentation_puts_it() {
    let service = narrow().await;
    let (person, boris) = (service.register("anna").await, service.register("boris").await);
    let call = |method: &str, path: &str| service.call(method, path).header("Origin", PAGE);
    let me = || call("GET", "/api/v1/auth/me").token(&person.access);

    // Problems are outside of hosts, which are outside of CORS: a refused host is a problem that no page may read, and
    // even a preflight is refused.
    for method in ["GET", "OPTIONS"] {
        let elsewhere = call(method, "/api/v1/auth/me").header("Host", "elsewhere.example.com");
        let refused = elsewhere.header("Access-Control-Request-Method", "GET").send().await;
        refused.problem(400, "invalid_host");
        has_an_edge(&refused);
        assert!(!is_for_the_page(&refused), "{method}");
    }

    // CORS is outside of limits and of signing in: a preflight needs no token and counts for nobody.
    for _ in 0..4 {
        let preflight =
            call("OPTIONS", "/api/v1/auth/me").header("Access-Control-Request-Method", "GET").send().await;
        assert_eq!(preflight.status, 200);
        has_an_edge(&preflight);
        assert!(is_for_the_page(&preflight));
        assert_eq!(preflight.header("ratelimit"), "");
    }

    // Identity is outside of limits, by the signature alone: a forged token is nobody's, a good one is its user's.
    let forged = call("GET", "/api/v1/auth/me").token("eyJhbGciOiJIUzI1NiJ9.e30.x").send().await;
    forged.problem(401, "invalid_token");
    assert!(!forged.header("ratelimit").contains("user"), "{}", forged.header("ratelimit"));
    let first = me().send().await;
    first.expect(200);
    assert!(first.header("ratelimit").contains("\"user\";r=2"), "{}", first.header("ratelimit"));

    // Conditional answers are inside of limits: one that is not modified counts as well.
    let unchanged = me().header("If-None-Match", first.header("etag")).send().await;
    assert_eq!(unchanged.status, 304);
    assert!(unchanged.header("ratelimit").contains("\"user\";r=1"), "{}", unchanged.header("ratelimit"));

    // Limits are outside of the session: who is refused is not looked up, so that a token that was signed out is refused
    // for being too many. With some left it is refused for what it is.
    call("POST", "/api/v1/auth/logout").token(&person.access).send().await.expect(204);
    let refused = me().send().await;
    refused.problem(429, "rate_limit_exceeded");
    has_an_edge(&refused);
    assert!(is_for_the_page(&refused), "the page may read why");
    call("POST", "/api/v1/auth/logout").token(&boris.access).send().await.expect(204);
    call("GET", "/api/v1/auth/me").token(&boris.access).send().await.problem(401, "session_ended");

    // Metrics are outside of everything: each of these was counted.
    let page = service.get("/metrics").send().await;
    let page = String::from_utf8(page.body).expect("text");
    for (method, status, count) in [
        ("GET", 400, 1),
        ("OPTIONS", 400, 1),
        ("OPTIONS", 200, 4),
        ("GET", 401, 2),
        ("GET", 304, 1),
        ("GET", 429, 1),
    ] {
        let series = format!(
            r#"requests_total{{endpoint="/api/v1/auth/me",method="{method}",status_code="{status}"}} {count}"#
        );
        assert!(page.contains(&series), "{series}\n{page}");
    }
}
