//! The stock picture over HTTP, as a sync of a marketplace has left it.

use std::collections::BTreeSet;

use domain::clock::Clock as _;
use serde_json::{Value, json};
use test_support::{database::TestDatabase, on_each_database};

use crate::service::{Person, Service};

on_each_database!(
    the_picture_agrees_with_the_marketplace,
    lists_are_walked_page_by_page,
    credentials_never_come_back,
    accounts_are_changed_and_removed,
);

pub(crate) async fn get(service: &Service, person: &Person, path: &str) -> Value {
    service.get(path).token(&person.access).send().await.expect(200)
}

/// Every item of a list, a few at a time.
pub(crate) async fn walk(service: &Service, person: &Person, path: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let join = if path.contains('?') { '&' } else { '?' };
        let part = get(service, person, &format!("{path}{join}limit={limit}{cursor}")).await;
        let part_items = part["items"].as_array().expect("items");
        assert!(part_items.len() <= limit);
        items.extend(part_items.iter().cloned());
        match part["page"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

pub(crate) fn sum(items: &[Value], field: &str) -> i64 {
    items.iter().filter_map(|item| item[field].as_i64()).sum()
}

/// The members of an object, for comparison with the contract.
fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

pub(crate) fn assert_members(value: &Value, expected: &str) {
    let expected: BTreeSet<&str> = expected.split(", ").collect();
    let missing: Vec<_> = expected.difference(&members(value)).copied().collect::<Vec<_>>();
    assert!(missing.is_empty(), "{missing:?} not in {value}");
}

pub(crate) const FIGURES: &str = "total_stock, fbo_stock, fbs_stock, incomplete, in_transit_to_customer, in_transit_returns, ordered_units, cancelled_units, ordered_today, window_days, velocity_per_day, days_of_cover, cover_state, revenue, stock_state, as_of, stale";

async fn the_picture_agrees_with_the_marketplace(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let account = service.connect(&person, 0).await;
    service.carry_all().await;
    let truth = service.sandbox().truth(0, service.clock.now()).expect("a seller");
    let truly = truth.stock.iter().map(|row| i64::from(row.available)).sum::<i64>();
    let ordered = truth.ordered.iter().map(|row| i64::from(row.units)).sum::<i64>();

    let products = walk(&service, &person, "/api/v1/products", 5).await;
    let stocks = walk(&service, &person, "/api/v1/stocks", 7).await;
    let orders = walk(&service, &person, "/api/v1/orders", 500).await;
    let warehouses = walk(&service, &person, "/api/v1/warehouses", 2).await;
    assert_eq!(products.len(), 12);
    assert_eq!(sum(&products, "total_stock"), truly);
    assert_eq!(sum(&stocks, "available"), truly);
    assert_eq!(sum(&warehouses, "total_stock"), truly);
    assert_eq!(sum(&stocks, "ordered_units"), ordered);
    assert_eq!(sum(&products, "ordered_units"), ordered);
    let dashboard = get(&service, &person, "/api/v1/analytics/dashboard").await;
    assert_eq!(dashboard["total_products"], 12);
    assert_eq!(dashboard["total_stock"], truly);
    assert_eq!(dashboard["total_orders"], ordered);
    assert_eq!(dashboard["last_sync"]["account_id"], account["id"]);
    assert_members(
        &dashboard,
        "total_products, total_stock, total_orders, low_stock_count, out_of_stock_count, average_stock_per_product, last_sync, health_score",
    );

    let product = products.iter().max_by_key(|product| product["ordered_units"].as_i64()).expect("products");
    assert_members(
        product,
        "id, account_id, marketplace, external_id, seller_article, name, brand, category, status, updated_at",
    );
    assert_members(product, FIGURES);
    let units = product["ordered_units"].as_i64().expect("a count");
    let velocity = product["velocity_per_day"].as_f64().expect("a number");
    #[expect(clippy::cast_precision_loss, reason = "a few units")]
    let exact = units as f64 / 7.0;
    assert!((velocity - exact).abs() <= 0.0005, "{product}");
    assert_eq!(product["revenue"]["currency"], "RUB");
    assert!(product["revenue"]["amount"].as_str().is_some_and(|amount| amount.contains('.')), "{product}");
    let id = product["id"].as_str().expect("an id");
    let detail = get(&service, &person, &format!("/api/v1/products/{id}")).await;
    assert_members(&detail, "variants, warehouses, reconciliation");
    assert_members(&detail["variants"][0], "id, external_id, sku, barcodes, name");
    assert_members(&detail["variants"][0], FIGURES);
    assert_members(
        &detail["warehouses"][0],
        "warehouse_id, external_id, name, kind, available, reserved, on_hand, ordered_units, days_of_cover, as_of",
    );
    assert_members(&detail["reconciliation"], "marketplace_total, sum, difference");
    assert_eq!(detail["reconciliation"]["sum"], product["total_stock"]);
    for member in members(product) {
        assert_eq!(detail[member], product[member], "{member}");
    }
    assert_members(
        &stocks[0],
        "account_id, marketplace, product_id, variant_id, external_product_id, external_variant_id, seller_article, sku, name, warehouse_id, warehouse_external_id, warehouse_name, warehouse_kind, available, reserved, on_hand, ordered_units, as_of",
    );
    assert_members(
        &warehouses[0],
        "id, account_id, marketplace, external_id, name, kind, total_stock, ordered_units, product_count, as_of",
    );
    assert_members(
        &orders[0],
        "id, account_id, marketplace, external_id, basket_id, variant_id, external_variant_id, warehouse_id, warehouse_name, quantity, price, list_price, paid_price, ordered_at, changed_at, cancelled_at, status",
    );
    assert!(orders[0]["ordered_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{}", orders[0]);
    let history = walk(&service, &person, &format!("/api/v1/products/{id}/history"), 3).await;
    assert_members(&history[0], "at, variant_id, warehouse_id, from, to, cause, sync_id");
    assert_eq!(sum(&history, "to"), product["total_stock"].as_i64().expect("a count"));
}

async fn lists_are_walked_page_by_page(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let account = service.connect(&person, 0).await;
    service.carry_all().await;
    let by = async |query: &str| walk(&service, &person, &format!("/api/v1/products?{query}"), 5).await;
    let all = by("status=all").await;
    let ids = |items: &[Value]| items.iter().map(|item| item["id"].to_string()).collect::<Vec<_>>();
    for sort in [
        "name",
        "seller_article",
        "total_stock",
        "ordered_units",
        "days_of_cover",
        "revenue",
        "in_transit_to_customer",
        "updated_at",
    ] {
        for order in ["asc", "desc"] {
            let sorted = by(&format!("sort_by={sort}&sort_order={order}")).await;
            let (sorted, unique) = (ids(&sorted), ids(&sorted).into_iter().collect::<BTreeSet<_>>());
            assert_eq!((sorted.len(), unique.len()), (all.len(), all.len()), "{sort} {order}");
            let mut numbered = Vec::new();
            for page in 1..=3 {
                let path =
                    format!("/api/v1/products?sort_by={sort}&sort_order={order}&page={page}&page_size=5");
                let part = get(&service, &person, &path).await;
                assert_eq!(
                    (&part["total"], &part["total_pages"], &part["page"], &part["page_size"]),
                    (&json!(12), &json!(3), &json!(page), &json!(5))
                );
                assert!(part.get("page").is_some_and(Value::is_number));
                numbered.extend(ids(part["items"].as_array().expect("items")));
            }
            assert_eq!(numbered, sorted, "{sort} {order}");
        }
    }
    let stock: Vec<i64> =
        by("sort_by=total_stock").await.iter().filter_map(|item| item["total_stock"].as_i64()).collect();
    assert!(stock.is_sorted());
    let middle = stock[stock.len() / 2];
    assert!(
        by(&format!("min_stock={middle}"))
            .await
            .iter()
            .all(|item| item["total_stock"].as_i64() >= Some(middle))
    );
    assert!(
        by(&format!("max_stock={middle}"))
            .await
            .iter()
            .all(|item| item["total_stock"].as_i64() <= Some(middle))
    );
    assert_eq!(by(&format!("account_id={}", account["id"].as_str().expect("an id"))).await.len(), all.len());
    assert_eq!(by("marketplace=wildberries").await.len(), all.len());
    assert!(by("status=inactive").await.is_empty());
    let article = all[0]["seller_article"].as_str().expect("an article");
    let found = by(&format!("search={article}")).await;
    assert!(found.iter().any(|item| item["id"] == all[0]["id"]), "{article}");
    // A cursor of one order is none of another.
    let part = get(&service, &person, "/api/v1/products?limit=5&sort_by=total_stock").await;
    let cursor = part["page"]["next_cursor"].as_str().expect("more");
    let other =
        service.get(&format!("/api/v1/products?limit=5&sort_by=name&cursor={cursor}")).token(&person.access);
    other.send().await.problem(422, "invalid_cursor");
    let beyond = get(&service, &person, "/api/v1/products?page=1000").await;
    assert_eq!((beyond["items"].as_array().map(Vec::len), &beyond["total"]), (Some(0), &json!(12)));
}

async fn credentials_never_come_back(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let account = service.connect(&person, 0).await;
    assert_members(
        &account,
        "id, marketplace, name, state, seller, capabilities, credentials, sync_interval_minutes, last_sync, next_sync_at",
    );
    assert_eq!(
        members(&account["credentials"]),
        BTreeSet::from(["expires_at", "kind", "masked", "notes", "scopes"])
    );
    let token = &service.sandbox().sellers()[0].token;
    let id = account["id"].as_str().expect("an id");
    for path in ["/api/v1/marketplace-accounts".to_owned(), format!("/api/v1/marketplace-accounts/{id}")] {
        let text = get(&service, &person, &path).await.to_string();
        for part in token.split('.') {
            assert!(!text.contains(part), "{path} shows the credential");
        }
    }
    // A token that the marketplace does not know, one of another seller, and the same seller twice.
    let connect = async |token: &str| {
        let body = json!({"marketplace": "wildberries", "name": "X", "credentials": {"token": token}});
        service.post("/api/v1/marketplace-accounts").token(&person.access).json(&body).send().await
    };
    let refused = connect("not a token").await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/credentials/token");
    assert!(!String::from_utf8_lossy(&refused.body).contains("not a token"));
    connect(token).await.problem(409, "account_exists");
    let stranger = json!({"credentials": {"token": service.sandbox().sellers()[1].token}});
    let path = format!("/api/v1/marketplace-accounts/{id}");
    service
        .call("PATCH", &path)
        .token(&person.access)
        .json(&stranger)
        .send()
        .await
        .problem(409, "seller_changed");
    assert!(service.sandbox().revoke_token(token));
    let verified = service.post(&format!("{path}/verify")).token(&person.access).send().await;
    verified.problem(422, "credentials_invalid");
}

async fn accounts_are_changed_and_removed(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let account = service.connect(&person, 0).await;
    let path = format!("/api/v1/marketplace-accounts/{}", account["id"].as_str().expect("an id"));
    assert_eq!(account["last_sync"], Value::Null);
    service.carry_all().await;
    let synced = get(&service, &person, &path).await;
    assert_eq!(members(&synced["last_sync"]), BTreeSet::from(["finished_at", "state"]));
    let change = json!({"name": "Другой", "paused": true, "sync_interval_minutes": 60});
    let changed = service.call("PATCH", &path).token(&person.access).json(&change).send().await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["state"], &changed["sync_interval_minutes"]),
        (&json!("Другой"), &json!("paused"), &json!(60))
    );
    assert_eq!(get(&service, &person, &path).await, changed);
    let resumed =
        service.call("PATCH", &path).token(&person.access).json(&json!({"paused": false})).send().await;
    assert_ne!(resumed.expect(200)["state"], "paused");
    service.post(&format!("{path}/verify")).token(&person.access).send().await.expect(200);
    service.call("DELETE", &path).token(&person.access).send().await.expect(204);
    service.get(&path).token(&person.access).send().await.problem(404, "not_found");
    service.call("DELETE", &path).token(&person.access).send().await.problem(404, "not_found");
    assert!(walk(&service, &person, "/api/v1/products", 50).await.is_empty());
}
