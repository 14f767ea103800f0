use chrono::TimeDelta;
use reqwest::Response;
use sandbox::{AccountType, Category, Operation, TokenSpec};
use serde_json::json;

use crate::market::{self, Market};

const WB: &str = "/api/analytics/v1/stocks-report/wb-warehouses";

fn header(response: &Response, name: &str) -> Option<i64> {
    response.headers().get(name)?.to_str().ok()?.parse().ok()
}

async fn get_with(market: &Market, path: &str, authorization: &str) -> Response {
    market
        .client
        .get(market.url(path))
        .header("Authorization", authorization)
        .send()
        .await
        .expect("an answer")
}

#[tokio::test]
async fn a_token_opens_with_or_without_bearer_and_names_its_seller() {
    let market = Market::open().await;
    let sellers = market.sandbox.sellers();
    for seller in &sellers {
        for authorization in [seller.token.clone(), format!("Bearer {}", seller.token)] {
            let info =
                market::json(get_with(&market, "/api/v1/seller-info", &authorization).await, 200).await;
            assert_eq!((&info["sid"], &info["name"]), (&json!(seller.sid), &json!(seller.name)));
        }
    }
    assert_eq!(market.get_json("/ping").await["Status"], "OK");
    assert_eq!(market.get_json("/ping").await["TS"], "2026-06-15T12:00:00+03:00");
}

#[tokio::test]
async fn missing_unknown_expired_and_withdrawn_tokens_are_401() {
    let market = Market::open().await;
    let expired = TokenSpec { valid_days: 0, ..TokenSpec::default() };
    let expired = market.sandbox.issue_token(0, expired).unwrap();
    let withdrawn = market.sandbox.issue_token(0, TokenSpec::default()).unwrap();
    assert_eq!(get_with(&market, "/ping", &withdrawn).await.status(), 200);
    assert!(market.sandbox.revoke_token(&withdrawn));
    for token in ["", "Bearer ", "a.b.c", "not a token", &expired, &withdrawn] {
        let response = get_with(&market, "/ping", token).await;
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body = market::json(response, 401).await;
        assert_eq!((&body["title"], &body["status"]), (&json!("unauthorized"), &json!(401)));
        assert!(body["detail"].as_str().unwrap().starts_with("token problem; "));
    }
}

#[tokio::test]
async fn a_token_opens_only_its_categories_and_types() {
    let market = Market::open().await;
    let content = TokenSpec { categories: vec![Category::Content], ..TokenSpec::default() };
    let content = market.sandbox.issue_token(0, content).unwrap();
    assert_eq!(get_with(&market, "/ping", &content).await.status(), 200);
    let body = market::json(get_with(&market, "/api/v3/warehouses", &content).await, 403).await;
    assert_eq!(body["code"], "AccessDenied");
    let body =
        market::json(get_with(&market, "/api/v1/supplier/orders?dateFrom=2026-06-01", &content).await, 403)
            .await;
    assert_eq!(body["title"], "forbidden");

    let basic = TokenSpec { account_type: AccountType::Basic, ..TokenSpec::default() };
    let basic = market.sandbox.issue_token(0, basic).unwrap();
    let request = market.client.post(market.url(WB)).header("Authorization", basic).json(&json!({}));
    let body = market::json(request.send().await.unwrap(), 403).await;
    assert_eq!(body["detail"], "base token is not allowed");
}

#[tokio::test]
async fn paths_that_do_not_exist_are_404_in_the_dialect_of_their_service() {
    let market = Market::open().await;
    let body = market::json(market.get("/api/v3/nothing").await, 404).await;
    assert_eq!(body["code"], "NotFound");
    let body = market::json(market.get("/api/v2/stocks-report/offices").await, 404).await;
    assert_eq!(body["detail"], "not found");
    let body = market::json(market.get("/api/v1/supplier/stocks").await, 404).await;
    assert_eq!(body["status"], 404);
}

#[tokio::test]
async fn limits_hold_per_seller_and_say_when_to_come_back() {
    let market = Market::with(|options| options.limit_scale = 1.0).await;
    assert_eq!(header(&market.post(WB, &json!({})).await, "x-ratelimit-remaining"), Some(0));
    let refused = market.post(WB, &json!({})).await;
    assert_eq!(header(&refused, "x-ratelimit-retry"), Some(20));
    assert_eq!(header(&refused, "x-ratelimit-reset"), Some(20));
    assert_eq!(header(&refused, "x-ratelimit-limit"), Some(1));
    let body = market::json(refused, 429).await;
    assert_eq!(body["title"], "too many requests");

    let other = market.client.post(market.url(WB)).header("Authorization", market.token(1)).json(&json!({}));
    assert_eq!(other.send().await.unwrap().status(), 200, "another seller has a limit of its own");
    let second = market.sandbox.issue_token(0, TokenSpec::default()).unwrap();
    let second = market.client.post(market.url(WB)).header("Authorization", second).json(&json!({}));
    assert_eq!(second.send().await.unwrap().status(), 429, "another token of the seller shares it");
    market.pass(TimeDelta::seconds(20));
    assert_eq!(market.post(WB, &json!({})).await.status(), 200);
}

const NO_TASK: &str = "00000000-0000-4000-8000-000000000000";

/// A method, how many requests are granted at once, and the seconds after which there is one more.
type Limit = (Operation, usize, i64);

const LIMITS: [Limit; 14] = [
    (Operation::Ping, 99, 10),
    (Operation::SellerInfo, 10, 60),
    (Operation::Cards, 5, 1),
    (Operation::Trash, 5, 1),
    (Operation::SellerStock, 20, 1),
    (Operation::Warehouses, 20, 1),
    (Operation::AssemblyOrders, 20, 1),
    (Operation::WbStocksReport, 1, 20),
    (Operation::SellerStocksReport, 1, 20),
    (Operation::Orders, 10, 60),
    (Operation::Sales, 1, 60),
    (Operation::RemainsCreate, 5, 60),
    (Operation::RemainsStatus, 5, 5),
    (Operation::RemainsDownload, 1, 60),
];
const BASIC_LIMITS: [Limit; 6] = [
    (Operation::SellerInfo, 1, 86_400),
    (Operation::Orders, 1, 10_800),
    (Operation::Sales, 1, 7200),
    (Operation::RemainsCreate, 1, 900),
    (Operation::RemainsStatus, 1, 900),
    (Operation::RemainsDownload, 1, 900),
];
const TEST_LIMITS: [Limit; 6] = [
    (Operation::Ping, 99, 10),
    (Operation::Cards, 1, 1),
    (Operation::Trash, 1, 1),
    (Operation::SellerStock, 1, 1),
    (Operation::Warehouses, 1, 1),
    (Operation::AssemblyOrders, 1, 1),
];

/// Calls a method until it is refused. None where the token may not call it at all.
async fn limit_of(market: &Market, operation: Operation, token: &str) -> Option<(usize, i64)> {
    let mut granted = 0;
    loop {
        let response = market.call(operation, token, NO_TASK).await;
        match response.status().as_u16() {
            403 => return None,
            429 => {
                assert_eq!(header(&response, "x-ratelimit-limit"), i64::try_from(granted).ok());
                return Some((granted, header(&response, "x-ratelimit-retry").expect("a wait")));
            }
            _ => granted += 1,
        }
    }
}

#[tokio::test]
async fn every_type_of_token_has_the_published_limits() {
    let of = |limits: &[Limit], operation| {
        limits.iter().find(|limit| limit.0 == operation).map(|&(_, burst, wait)| (burst, wait))
    };
    for account_type in [AccountType::Personal, AccountType::Service, AccountType::Basic, AccountType::Test] {
        for operation in Operation::ALL {
            let expected = match (account_type, operation) {
                (AccountType::Basic, Operation::WbStocksReport | Operation::SellerStocksReport) => None,
                (AccountType::Basic, _) => of(&BASIC_LIMITS, operation).or_else(|| of(&LIMITS, operation)),
                (AccountType::Test, _) => of(&TEST_LIMITS, operation),
                _ => of(&LIMITS, operation),
            };
            let market = Market::with(|options| {
                options.limit_scale = 1.0;
                options.cards_per_seller = 3;
            })
            .await;
            let spec = TokenSpec { account_type, ..TokenSpec::default() };
            let token = market.sandbox.issue_token(0, spec).unwrap();
            let found = limit_of(&market, operation, &token).await;
            assert_eq!(found, expected, "{operation:?} with a {account_type:?} token");
            let Some((_, wait)) = found else { continue };
            market.pass(TimeDelta::seconds(wait));
            assert_ne!(market.call(operation, &token, NO_TASK).await.status(), 429, "{operation:?}");
        }
    }
}

#[tokio::test]
async fn limits_of_basic_tokens_are_scaled_like_all_others() {
    let market = Market::with(|options| options.limit_scale = 0.01).await;
    let spec = TokenSpec { account_type: AccountType::Basic, ..TokenSpec::default() };
    let token = market.sandbox.issue_token(0, spec).unwrap();
    assert_eq!(limit_of(&market, Operation::Orders, &token).await, Some((1, 108)));
    assert_eq!(limit_of(&market, Operation::RemainsCreate, &token).await, Some((1, 9)));
}

#[tokio::test]
async fn types_that_a_method_does_not_take_are_told_so() {
    let market = Market::open().await;
    for (account_type, operation, detail) in [
        (AccountType::Basic, Operation::WbStocksReport, "base token is not allowed"),
        (AccountType::Basic, Operation::SellerStocksReport, "base token is not allowed"),
        (AccountType::Test, Operation::SellerInfo, "test token is not allowed"),
        (AccountType::Test, Operation::RemainsCreate, "test token is not allowed"),
    ] {
        let spec = TokenSpec { account_type, ..TokenSpec::default() };
        let token = market.sandbox.issue_token(0, spec).unwrap();
        let body = market::json(market.call(operation, &token, NO_TASK).await, 403).await;
        assert_eq!((&body["title"], &body["detail"]), (&json!("forbidden"), &json!(detail)));
        assert_eq!(market.call(Operation::Ping, &token, NO_TASK).await.status(), 200);
    }
    let spec = TokenSpec { account_type: AccountType::Basic, ..TokenSpec::default() };
    let basic = market.sandbox.issue_token(0, spec).unwrap();
    assert_eq!(market.call(Operation::RemainsCreate, &basic, NO_TASK).await.status(), 200);
    assert_eq!(market.sandbox.reports(0).unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_that_goes_bad_says_why() {
    let market = Market::open().await;
    let withdrawn = market.sandbox.issue_token(0, TokenSpec::default()).unwrap();
    let short = TokenSpec { valid_days: 1, ..TokenSpec::default() };
    let expired = market.sandbox.issue_token(0, short).unwrap();
    assert!(market.sandbox.revoke_token(&withdrawn));
    assert_eq!(get_with(&market, "/ping", &expired).await.status(), 200);
    market.pass(TimeDelta::days(1));
    for (token, why) in
        [(&*withdrawn, "withdrawn"), (&*expired, "expired"), ("", "missing"), ("a.b.c", "unknown")]
    {
        let body = market::json(get_with(&market, "/ping", token).await, 401).await;
        assert_eq!(body["detail"], format!("token problem; token is {why}"));
    }
}

#[tokio::test]
async fn an_error_of_the_seller_stock_methods_costs_ten_requests() {
    let market = Market::with(|options| options.limit_scale = 1.0).await;
    for (remaining, status) in [(Some(10), 404), (Some(0), 404), (None, 429)] {
        let response = market.post("/api/v3/stocks/1", &json!({"chrtIds": []})).await;
        assert_eq!(response.status(), status);
        assert_eq!(header(&response, "x-ratelimit-remaining"), remaining);
    }
    assert_eq!(market.get("/api/v3/warehouses").await.status(), 200, "a group of its own");
}

#[tokio::test]
async fn settings_without_sense_do_not_stop_the_market() {
    for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let market = Market::with(|options| {
            options.speed = odd;
            options.limit_scale = odd;
            options.cards_per_seller = 3;
        })
        .await;
        market.pass(TimeDelta::hours(1));
        assert_eq!(market.get("/ping").await.status(), 200);
    }
}
