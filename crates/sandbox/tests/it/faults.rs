use std::time::{Duration, Instant};

use sandbox::{Fault, FaultKind, JsonType, Operation, ReportEnd, Times, TokenSpec};
use serde_json::{Value, json};

use crate::market::{self, Market};

const WB: &str = "/api/analytics/v1/stocks-report/wb-warehouses";
const SELLER: &str = "/api/analytics/v1/stocks-report/seller-warehouses";

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

/// Pages of one row each, up to the fourth.
async fn pages(market: &Market) -> Vec<Value> {
    let mut pages = Vec::new();
    for offset in 0..4 {
        let page = market.post_json(WB, &json!({"limit": 1, "offset": offset})).await;
        pages.push(page["data"]["items"][0].clone());
    }
    pages
}

#[tokio::test]
async fn a_field_is_renamed_in_the_middle_of_a_pass() {
    let market = Market::open().await;
    let before = pages(&market).await;
    let kind = FaultKind::RenameField { field: "quantity".into(), to: "stock".into() };
    market.sandbox.inject(Fault::on(Operation::WbStocksReport, Times::From(3), kind));
    assert_eq!(market.post_json(SELLER, &json!({})).await["data"]["items"][0]["stock"], Value::Null);
    let after = pages(&market).await;
    assert_eq!(after[..2], before[..2]);
    for (after, before) in after.iter().zip(&before).skip(2) {
        assert_eq!((after.get("quantity"), &after["stock"]), (None, &before["quantity"]));
    }
    market.sandbox.clear_faults();
    assert_eq!(pages(&market).await, before);
}

#[tokio::test]
async fn a_field_changes_its_type_in_the_middle_of_a_pass() {
    let market = Market::open().await;
    let before = pages(&market).await;
    let kind = FaultKind::RetypeField { field: "chrtId".into(), to: JsonType::Text };
    market.sandbox.inject(Fault::on(Operation::WbStocksReport, Times::From(2), kind).for_seller(0));
    let after = pages(&market).await;
    assert_eq!(after[0], before[0]);
    for (after, before) in after.iter().zip(&before).skip(1) {
        assert_eq!(after["chrtId"], before["chrtId"].to_string());
    }
}

#[tokio::test]
async fn a_token_is_revoked_in_the_middle_of_a_pass() {
    let market = Market::open().await;
    let token = market.sandbox.issue_token(0, TokenSpec::default()).unwrap();
    market.sandbox.inject(Fault::on(Operation::Warehouses, Times::From(2), FaultKind::RevokedToken));
    let call = async |operation| market.call(operation, &token, "").await;
    assert_eq!(call(Operation::Warehouses).await.status(), 200);
    assert_eq!(call(Operation::AssemblyOrders).await.status(), 200);
    let body = market::json(call(Operation::Warehouses).await, 401).await;
    assert_eq!(body["detail"], "token problem; token is withdrawn");
    market.sandbox.clear_faults();
    assert_eq!(call(Operation::AssemblyOrders).await.status(), 401, "it is withdrawn for good");
    assert_eq!(market.get("/api/v3/warehouses").await.status(), 200, "the seller's other token is not");
}

#[tokio::test]
async fn a_service_that_has_not_paid_and_a_service_that_is_down() {
    let market = Market::open().await;
    market.sandbox.inject(Fault::on(Operation::Orders, Times::Next(1), FaultKind::Status { status: 402 }));
    for status in [500, 502, 503, 504] {
        market.sandbox.inject(Fault::on(Operation::Orders, Times::Next(1), FaultKind::Status { status }));
    }
    let orders = async || market.call(Operation::Orders, &market.token(0), "").await;
    let body = market::json(orders().await, 402).await;
    assert_eq!(body["title"], "payment required");
    assert!(body["detail"].as_str().unwrap().contains("insufficient funds"), "{body}");
    for status in [500, 502, 503, 504] {
        assert_eq!(market.get("/ping").await.status(), 200, "another method");
        assert_eq!(market::json(orders().await, status).await["status"], status);
    }
    assert_eq!(orders().await.status(), 200);
}

#[tokio::test]
async fn a_report_ends_before_its_time() {
    let market = Market::open().await;
    market.sandbox.set_report_time(Duration::ZERO);
    let token = market.token(0);
    let create = async || {
        let answer = market::json(market.call(Operation::RemainsCreate, &token, "").await, 200).await;
        answer["data"]["taskId"].as_str().unwrap().to_owned()
    };
    let status = async |task: &str| {
        let answer = market::json(market.call(Operation::RemainsStatus, &token, task).await, 200).await;
        answer["data"]["status"].clone()
    };
    let end = |operation, times, end| {
        market.sandbox.inject(Fault::on(operation, times, FaultKind::EndReport { end }));
    };
    end(Operation::RemainsCreate, Times::Next(1), ReportEnd::Canceled);
    let (refused, good) = (create().await, create().await);
    assert_eq!((status(&refused).await, status(&good).await), (json!("canceled"), json!("done")));
    end(Operation::RemainsStatus, Times::From(2), ReportEnd::Purged);
    assert_eq!(status(&good).await, "done");
    assert_eq!(status(&good).await, "purged");
    market.sandbox.clear_faults();
    assert_eq!(status(&good).await, "purged", "it does not come back");
    let late = create().await;
    end(Operation::RemainsDownload, Times::Next(1), ReportEnd::Purged);
    assert_eq!(status(&late).await, "done");
    assert_eq!(market.call(Operation::RemainsDownload, &token, &late).await.status(), 404);
    assert_eq!(market.sandbox.reports(0).unwrap().len(), 3);
}
