//! Health checks, metrics, and stopping.

use std::time::Duration;

use serde_json::json;
use test_support::{database::TestDatabase, on_each_database};

use crate::service::Service;

on_each_database!(health_is_told_in_the_published_shape);

async fn health_is_told_in_the_published_shape(database: TestDatabase) {
    let service = Service::start(database).await;
    let health = service.get("/health").send().await.expect(200);
    assert_eq!(
        health,
        json!({"status": "healthy", "version": "1.2.3", "environment": "development", "database": "connected", "redis": "not_configured"})
    );
    let ready = service.get("/api/v1/health/ready").send().await.expect(200);
    assert_eq!(ready["status"], "ready");
    assert_eq!(ready["timestamp"], "2026-11-20T09:00:00Z");
    assert_eq!(ready["checks"]["database"]["status"], "connected");
    assert!(ready["checks"]["database"]["response_time_ms"].is_number());
    assert_eq!(ready["checks"]["redis"]["status"], "not_configured");
    assert!(ready["checks"]["redis"]["response_time_ms"].is_null());
    let alive = service.get("/api/v1/health/live").send().await.expect(200);
    assert_eq!(alive, json!({"status": "alive", "timestamp": "2026-11-20T09:00:00Z"}));
    let answers = service.get("/api/v1/health/").send().await.expect(200);
    assert_eq!(
        answers,
        json!({"status": "healthy", "timestamp": "2026-11-20T09:00:00Z", "service": "stock-tracker"})
    );
    let detailed = service.get("/health/detailed").send().await;
    assert!([200, 503].contains(&detailed.status));
    assert_eq!(detailed.json()["components"]["database"]["status"], "connected");
}

#[tokio::test]
async fn health_is_answered_with_and_without_the_final_slash_and_for_any_host() {
    let service = Service::start_with(TestDatabase::sqlite().await, |settings| {
        settings.trusted_hosts = vec!["api.example.com".to_owned()];
    })
    .await;
    for path in
        ["/health", "/health/detailed", "/api/v1/health", "/api/v1/health/ready", "/api/v1/health/live"]
    {
        for path in [path.to_owned(), format!("{path}/")] {
            let answer = service.get(&path).send().await;
            assert!(answer.status == 200 || path.contains("detailed"), "{path}: {}", answer.status);
            assert_eq!(service.call("HEAD", &path).begin().await.status().as_u16(), answer.status);
        }
    }
    service.get("/").send().await.problem(400, "invalid_host");
    service.get("/").header("Host", "api.example.com").send().await.expect(200);
}

#[tokio::test]
async fn draining_turns_readiness_red_before_the_listener_closes() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    service.get("/api/v1/health/ready").send().await.expect(200);
    service.shutdown.cancel();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    while !service.drain.is_draining() {
        assert!(tokio::time::Instant::now() < deadline, "nobody drains");
        tokio::task::yield_now().await;
    }
    let red = service.get("/api/v1/health/ready").send().await;
    assert_eq!(red.expect(503)["status"], "not_ready");
    service.get("/api/v1/health/live").send().await.expect(200);
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_errors_by_code() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let person = service.register("anna").await;
    service
        .get("/api/v1/syncs/0199c0de-0000-7000-8000-000000000000")
        .token(&person.access)
        .send()
        .await
        .expect(404);
    service.get("/nowhere/at/all").send().await.problem(404, "not_found");
    let page = service.get("/metrics").send().await;
    assert!(page.header("content-type").starts_with("text/plain"));
    let page = String::from_utf8(page.body).expect("text");
    for series in [
        r#"stock_tracker_requests_total{endpoint="/api/v1/syncs/{id}",method="GET",status_code="404"} 1"#,
        r#"stock_tracker_requests_total{endpoint="/api/v1/auth/register",method="POST",status_code="201"} 1"#,
        r#"stock_tracker_requests_total{endpoint="unmatched",method="GET",status_code="404"} 1"#,
        // Known ones start at nothing.
        r#"stock_tracker_requests_total{endpoint="/api/v1/products",method="GET",status_code="200"} 0"#,
        r#"stock_tracker_errors_total{endpoint="/api/v1/syncs/{id}",error_type="not_found"} 1"#,
        &format!(r#"stock_tracker_tenant_requests_total{{tenant_id="{}"}} 1"#, person.tenant),
    ] {
        assert!(page.contains(series), "{series}\n{page}");
    }
    assert!(!page.contains("0199c0de"), "a path is no label");
}

#[tokio::test]
async fn metrics_can_have_a_token_of_their_own() {
    let service = Service::start_with(TestDatabase::sqlite().await, |settings| {
        settings.metrics_token = Some("for the scraper".to_owned().into());
    })
    .await;
    service.get("/metrics").send().await.problem(401, "unauthenticated");
    service.get("/metrics").token("for the scrapes").send().await.problem(401, "unauthenticated");
    assert_eq!(service.get("/metrics").token("for the scraper").send().await.status, 200);
}
