use serde_json::{Value, json};

use crate::market::{self, Market};

async fn send(market: &Market, method: reqwest::Method, path: &str, body: &Value) -> reqwest::Response {
    let url = market.url(&format!("/sandbox/v1{path}"));
    market.client.request(method, url).json(body).send().await.expect("an answer")
}

#[tokio::test]
async fn the_world_can_be_read_and_changed_over_http() {
    use reqwest::Method;
    let market = Market::open().await;
    let sellers = market::json(send(&market, Method::GET, "/sellers", &Value::Null).await, 200).await;
    assert_eq!(sellers[1]["token"], market.token(1));

    let stock = market.truth().stock.swap_remove(0);
    let change = json!({"chrt_id": stock.chrt_id, "warehouse_id": stock.warehouse_id, "amount": 5});
    assert_eq!(send(&market, Method::PUT, "/sellers/0/stock", &change).await.status(), 204);
    let order = json!({"chrt_id": stock.chrt_id, "warehouse_id": stock.warehouse_id, "units": 2});
    let placed = market::json(send(&market, Method::POST, "/sellers/0/orders", &order).await, 201).await;
    let path = format!("/sellers/0/orders/{}", placed["srids"][0].as_str().unwrap());
    assert_eq!(send(&market, Method::DELETE, &path, &Value::Null).await.status(), 204);
    assert_eq!(send(&market, Method::DELETE, &path, &Value::Null).await.status(), 404);
    let too_many = json!({"chrt_id": stock.chrt_id, "warehouse_id": stock.warehouse_id, "units": 5});
    assert_eq!(send(&market, Method::POST, "/sellers/0/orders", &too_many).await.status(), 409);

    let card = market::json(send(&market, Method::POST, "/sellers/0/cards", &Value::Null).await, 201).await;
    let path = format!("/sellers/0/cards/{}", card["nm_id"]);
    assert_eq!(send(&market, Method::PATCH, &path, &json!({"title": "Новое"})).await.status(), 204);
    assert_eq!(send(&market, Method::DELETE, &path, &Value::Null).await.status(), 204);

    let truth = market::json(send(&market, Method::GET, "/sellers/0/truth", &Value::Null).await, 200).await;
    assert_eq!(truth["variants"][card["chrt_ids"][0].to_string()]["active"], false);
    let levels = truth["stock"].as_array().unwrap().iter();
    let level = levels
        .into_iter()
        .find(|level| level["chrt_id"] == stock.chrt_id && level["warehouse_id"] == stock.warehouse_id);
    assert_eq!(level.unwrap()["available"], 4);
    assert_eq!(send(&market, Method::GET, "/sellers/9/truth", &Value::Null).await.status(), 404);
}

#[tokio::test]
async fn tokens_faults_and_the_log_of_requests() {
    use reqwest::Method;
    let market = Market::open().await;
    let spec = json!({"account_type": "basic", "categories": ["content"]});
    let token = market::json(send(&market, Method::POST, "/sellers/1/tokens", &spec).await, 201).await;
    let token = token["token"].as_str().unwrap();
    let fault =
        json!({"path_prefix": "/ping", "seller": 1, "times": {"next": 1}, "kind": "status", "status": 500});
    assert_eq!(send(&market, Method::POST, "/faults", &fault).await.status(), 204);
    let listed = market::json(send(&market, Method::GET, "/faults", &Value::Null).await, 200).await;
    assert_eq!(listed, json!([fault]));

    let ping = || market.client.get(market.url("/ping?a=b")).header("Authorization", token).send();
    assert_eq!(ping().await.unwrap().status(), 500);
    assert_eq!(ping().await.unwrap().status(), 200);
    let path = format!("/tokens/{token}");
    assert_eq!(send(&market, Method::DELETE, &path, &Value::Null).await.status(), 204);
    assert_eq!(ping().await.unwrap().status(), 401);

    let log = market::json(send(&market, Method::GET, "/requests", &Value::Null).await, 200).await;
    let seen: Vec<_> =
        log.as_array().unwrap().iter().map(|line| (&line["status"], &line["seller"])).collect();
    let (one, nobody) = (json!(1), Value::Null);
    assert_eq!(seen, [(&json!(500), &one), (&json!(200), &one), (&json!(401), &nobody)]);
    assert_eq!((&log[0]["path"], &log[0]["query"]), (&json!("/ping"), &json!("a=b")));
    assert_eq!(send(&market, Method::DELETE, "/requests", &Value::Null).await.status(), 204);
    assert!(market.sandbox.requests().is_empty());
}

#[tokio::test]
async fn asynchronous_reports_are_counted_and_ended_over_http() {
    use reqwest::Method;
    let market = Market::open().await;
    let reports = async |seller: usize| {
        let path = format!("/sellers/{seller}/reports");
        market::json(send(&market, Method::GET, &path, &Value::Null).await, 200).await
    };
    assert_eq!(reports(0).await, json!({"created": 0, "reports": []}));
    assert_eq!(send(&market, Method::PUT, "/report-seconds", &json!(90)).await.status(), 204);
    let answer = market.get_json("/api/v1/warehouse_remains").await;
    let task = answer["data"]["taskId"].as_str().unwrap();
    let made = reports(0).await;
    assert_eq!(made["created"], 1);
    let expected = json!({
        "task_id": task, "created_at": "2026-06-15T09:00:00Z", "ready_at": "2026-06-15T09:01:30Z", "status": "new",
    });
    assert_eq!(made["reports"], json!([expected]));
    assert_eq!(reports(1).await["created"], 0);

    let path = format!("/sellers/0/reports/{task}");
    assert_eq!(send(&market, Method::PUT, &path, &json!("canceled")).await.status(), 204);
    assert_eq!(reports(0).await["reports"][0]["status"], "canceled");
    assert_eq!(send(&market, Method::PUT, &path, &json!("done")).await.status(), 400);
    let foreign = format!("/sellers/1/reports/{task}");
    assert_eq!(send(&market, Method::PUT, &foreign, &json!("purged")).await.status(), 404);
    assert_eq!(send(&market, Method::GET, "/sellers/9/reports", &Value::Null).await.status(), 404);
}

#[tokio::test]
async fn a_fault_says_what_it_is_for() {
    use reqwest::Method;
    let market = Market::open().await;
    let fault =
        json!({"operation": "cards", "times": {"from": 2}, "kind": "rename_field", "field": "a", "to": "b"});
    assert_eq!(send(&market, Method::POST, "/faults", &fault).await.status(), 204);
    for wrong in [
        json!({"times": {"next": 1}, "kind": "truncated"}),
        json!({"operaton": "cards", "times": {"next": 1}, "kind": "truncated"}),
        json!({"operation": "prices", "times": {"next": 1}, "kind": "truncated"}),
        json!({"operation": "cards", "times": {"never": 1}, "kind": "truncated"}),
        json!({"operation": "cards", "times": {"next": 1}, "kind": "meteor"}),
    ] {
        assert_eq!(send(&market, Method::POST, "/faults", &wrong).await.status(), 400, "{wrong}");
    }
    let listed = market::json(send(&market, Method::GET, "/faults", &Value::Null).await, 200).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["operation"], "cards");
}

#[tokio::test]
async fn a_stopped_sandbox_frees_its_port() {
    let market = Market::open().await;
    let url = market.url("/ping");
    assert_eq!(market.get("/ping").await.status(), 200);
    let Market { sandbox, client, .. } = market;
    sandbox.stop().await.unwrap();
    assert!(client.get(url).send().await.is_err());
}
