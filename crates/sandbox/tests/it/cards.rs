use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::market::{self, Market};

const LIST: &str = "/content/v2/get/cards/list?locale=ru";
const TRASH: &str = "/content/v2/get/cards/trash";

fn request(limit: u32, cursor: &Value) -> Value {
    let mut request =
        json!({"settings": {"sort": {"ascending": true}, "filter": {"withPhoto": -1}, "cursor": {}}});
    request["settings"]["cursor"] = cursor.clone();
    request["settings"]["cursor"]["limit"] = limit.into();
    request
}

/// Reads all pages after a cursor; returns the cards and the last cursor.
async fn read_all(market: &Market, limit: u32, mut cursor: Value) -> (Vec<Value>, Value) {
    let mut cards = Vec::new();
    loop {
        let page = market.post_json(LIST, &request(limit, &cursor)).await;
        cards.extend(page["cards"].as_array().expect("cards").clone());
        cursor = json!({"updatedAt": page["cursor"]["updatedAt"], "nmID": page["cursor"]["nmID"]});
        if page["cursor"]["total"].as_u64() < Some(u64::from(limit)) {
            return (cards, cursor);
        }
    }
}

#[tokio::test]
async fn pages_meet_every_card_once_in_order_of_change() {
    let market = Market::open().await;
    let (cards, _) = read_all(&market, 7, json!({})).await;
    let keys: Vec<_> = cards.iter().map(|card| (card["updatedAt"].as_str(), card["nmID"].as_i64())).collect();
    assert_eq!(keys.len(), 60);
    assert!(keys.is_sorted());
    let sizes = cards.iter().flat_map(|card| card["sizes"].as_array().unwrap());
    let listed: BTreeSet<i64> = sizes.map(|size| size["chrtID"].as_i64().unwrap()).collect();
    assert_eq!(listed, market.truth().variants.into_keys().collect());
}

#[tokio::test]
async fn the_last_cursor_is_a_watermark_for_changes() {
    let market = Market::open().await;
    let (cards, watermark) = read_all(&market, 100, json!({})).await;
    assert_eq!(read_all(&market, 100, watermark.clone()).await.0, Vec::<Value>::new());
    market.pass(TimeDelta::minutes(5));
    let renamed = cards[3]["nmID"].as_i64().unwrap();
    market.sandbox.rename_card(0, renamed, "Другое имя").unwrap();
    let added = market.sandbox.add_card(0).unwrap();
    let (changed, _) = read_all(&market, 100, watermark).await;
    let ids: BTreeSet<_> = changed.iter().map(|card| card["nmID"].as_i64().unwrap()).collect();
    assert_eq!(ids, BTreeSet::from([renamed, added.nm_id]));
    assert!(changed.iter().any(|card| card["title"] == "Другое имя"));
}

#[tokio::test]
async fn a_trashed_card_changes_lists_and_loses_its_stock() {
    let market = Market::open().await;
    let (cards, _) = read_all(&market, 100, json!({})).await;
    let nm_id = cards[0]["nmID"].as_i64().unwrap();
    market.sandbox.trash_card(0, nm_id).unwrap();
    assert_eq!(read_all(&market, 100, json!({})).await.0.len(), 59);
    let trash = market.post_json(TRASH, &request(100, &json!({}))).await;
    assert_eq!(trash["cards"][0]["nmID"], nm_id);
    assert_eq!(trash["cursor"]["total"], 1);
    let truth = market.truth();
    let left = truth.variants.values().filter(|variant| variant.nm_id == nm_id);
    assert!(left.into_iter().all(|variant| !variant.active && variant.figures.total() == 0));
}

#[tokio::test]
async fn bad_requests_are_refused_in_the_dialect_of_the_service() {
    let market = Market::open().await;
    let body = market::json(market.post(LIST, &request(101, &json!({}))).await, 400).await;
    assert_eq!((&body["error"], &body["data"]), (&json!(true), &Value::Null));
    let response = market.post(LIST, &json!({"settings": 5})).await;
    assert_eq!(response.status(), 400);
    assert_eq!(response.text().await.unwrap(), "Request body can not be decoded");
}

#[tokio::test]
async fn ten_newest_cards_are_the_default() {
    let market = Market::open().await;
    let page = market.post_json(LIST, &json!({})).await;
    let moments: Vec<_> =
        page["cards"].as_array().unwrap().iter().map(|card| card["updatedAt"].as_str()).collect();
    assert_eq!(moments.len(), 10);
    assert!(moments.is_sorted_by(|a, b| a >= b));
}
