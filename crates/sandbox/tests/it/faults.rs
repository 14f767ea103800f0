use std::time::{Duration, Instant};

use sandbox::{Fault, FaultKind, Times};
use serde_json::json;

use crate::market::Market;

const WB: &str = "/api/analytics/v1/stocks-report/wb-warehouses";

#[tokio::test]
async fn the_next_requests_of_a_path_fail_as_asked() {
    let market = Market::open().await;
    market.sandbox.inject(Fault::new("/api/", Times::Next(1), FaultKind::RateLimited { retry_seconds: 9 }));
    market.sandbox.inject(Fault::new("/api/", Times::Next(1), FaultKind::Status { status: 503 }));
    market.sandbox.inject(Fault::new("/api/", Times::Next(1), FaultKind::Html { status: 200 }));
    assert_eq!(market.get("/ping").await.status(), 200);
    let limited = market.get("/api/v3/warehouses").await;
    assert_eq!(
        (limited.status().as_u16(), &limited.headers()["x-ratelimit-retry"]),
        (429, &"9".parse().unwrap())
    );
    assert_eq!(market.get("/api/v3/warehouses").await.status(), 503);
    assert!(market.get("/api/v3/warehouses").await.text().await.unwrap().contains("<html>"));
    assert!(market.get_json("/api/v3/warehouses").await.is_array());
}

#[tokio::test]
async fn a_truncated_body_breaks_the_connection() {
    let market = Market::open().await;
    market.sandbox.inject(Fault::new("/api/v3", Times::Every(2), FaultKind::Truncated));
    assert!(market.get("/api/v3/warehouses").await.bytes().await.is_ok());
    assert!(market.get("/api/v3/warehouses").await.bytes().await.is_err());
    market.sandbox.clear_faults();
    assert!(market.get("/api/v3/warehouses").await.bytes().await.is_ok());
}

#[tokio::test]
async fn a_field_changes_its_type() {
    let market = Market::open().await;
    let kind = FaultKind::Rewrite { pointer: "/data/items/1/quantity".to_owned(), value: json!("many") };
    market.sandbox.inject(Fault::new(WB, Times::Next(1), kind).for_seller(0));
    let spoilt = market.post_json(WB, &json!({})).await;
    assert_eq!(spoilt["data"]["items"][1]["quantity"], "many");
    assert!(spoilt["data"]["items"][0]["quantity"].is_u64());
    assert!(market.post_json(WB, &json!({})).await["data"]["items"][1]["quantity"].is_u64());
}

#[tokio::test]
async fn a_slow_answer_is_late_and_right() {
    let market = Market::open().await;
    market.sandbox.inject(Fault::new("/ping", Times::Next(1), FaultKind::Slow { milliseconds: 40 }));
    let begun = Instant::now();
    assert_eq!(market.get_json("/ping").await["Status"], "OK");
    assert!(begun.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn a_slow_answer_holds_up_nobody_else() {
    let market = Market::open().await;
    market.sandbox.inject(Fault::new("/ping", Times::Next(1), FaultKind::Slow { milliseconds: 60_000 }));
    let slow = market.client.get(market.url("/ping")).header("Authorization", market.token(0));
    let slow = tokio::spawn(slow.send());
    let faults = market.url("/sandbox/v1/faults");
    let struck = async {
        while market.client.get(&faults).send().await.unwrap().text().await.unwrap() != "[]" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), struck).await.expect("the slow request has arrived");
    assert_eq!(market.get("/api/v3/warehouses").await.status(), 200);
    assert!(!slow.is_finished());
    slow.abort();
}
