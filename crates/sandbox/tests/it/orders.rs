use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta};
use sandbox::{EdgeRows, Side};
use serde_json::{Value, json};

use crate::market::{self, Market};

const REPORT: &str = "/api/v1/supplier/orders";

async fn page(market: &Market, date_from: &str, flag: u8) -> Vec<Value> {
    let page = market.get_json(&format!("{REPORT}?dateFrom={date_from}&flag={flag}")).await;
    page.as_array().expect("rows").clone()
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_else(|| panic!("{field} in {row}"))
}

/// Reads page after page until nothing new comes, as the published text asks for.
async fn read_all(market: &Market) -> HashMap<String, Value> {
    let mut all = HashMap::new();
    let mut from = "2026-01-01".to_owned();
    loop {
        let rows = page(market, &from, 0).await;
        let before = all.len();
        let Some(last) = rows.last() else { return all };
        let next = text(last, "lastChangeDate").to_owned();
        all.extend(rows.into_iter().map(|row| (text(&row, "srid").to_owned(), row)));
        if all.len() == before && next == from {
            return all;
        }
        from = next;
    }
}

#[tokio::test]
async fn seven_moscow_days_of_rows_are_the_true_figures() {
    let market = Market::open().await;
    let rows = read_all(&market).await;
    let truth = market.truth();
    let chrt_ids = chrt_ids_by_barcode(&market).await;
    let mut ordered: BTreeMap<(i64, &str), u32> = BTreeMap::new();
    let mut cancelled = 0;
    for row in rows.values().filter(|row| ("2026-06-08".."2026-06-15").contains(&text(row, "date"))) {
        if row["isCancel"] == true {
            cancelled += 1;
            assert_ne!(row["cancelDate"], "0001-01-01T00:00:00");
        } else {
            *ordered.entry((chrt_ids[text(row, "barcode")], text(row, "warehouseName"))).or_default() += 1;
        }
    }
    let mut expected: BTreeMap<(i64, &str), u32> = BTreeMap::new();
    for entry in &truth.ordered {
        *expected.entry((entry.chrt_id, entry.warehouse_name)).or_default() += entry.units;
    }
    assert_eq!(ordered, expected);
    assert_eq!(cancelled, truth.total.cancelled);
    assert!(expected.values().sum::<u32>() > 100);
}

async fn chrt_ids_by_barcode(market: &Market) -> HashMap<String, i64> {
    let request = json!({"settings": {"cursor": {"limit": 100}}});
    let cards = market.post_json("/content/v2/get/cards/list", &request).await;
    let sizes = cards["cards"]
        .as_array()
        .expect("cards")
        .iter()
        .filter_map(|card| card["sizes"].as_array())
        .flatten();
    let codes =
        sizes.flat_map(|size| size["skus"].as_array().into_iter().flatten().map(move |code| (code, size)));
    codes
        .map(|(code, size)| {
            (code.as_str().expect("a code").to_owned(), size["chrtID"].as_i64().expect("an id"))
        })
        .collect()
}

#[tokio::test]
async fn small_pages_lead_to_the_same_rows_whatever_happens_at_their_edges() {
    let whole = read_all(&Market::open().await).await;
    for edge_rows in [EdgeRows::Repeated, EdgeRows::Skipped] {
        let market = Market::with(|options| {
            options.orders_page_rows = 300;
            options.edge_rows = edge_rows;
        })
        .await;
        let first = page(&market, "2026-01-01", 0).await;
        assert!((300..400).contains(&first.len()));
        assert!(first.is_sorted_by_key(|row| text(row, "lastChangeDate").to_owned()));
        assert_eq!(read_all(&market).await, whole);
    }
}

#[tokio::test]
async fn rows_of_one_change_fill_a_page_and_the_next_can_still_go_on() {
    let market = Market::with(|options| options.orders_page_rows = 3).await;
    let stock = market.truth().stock.into_iter().find(|stock| stock.available >= 8).unwrap();
    market.pass(TimeDelta::seconds(10));
    let srids = market.sandbox.place_order(0, stock.chrt_id, stock.warehouse_id, 8).unwrap();
    let rows = page(&market, "2026-06-15T12:00:10", 0).await;
    let found: HashSet<_> = rows.iter().map(|row| text(row, "srid").to_owned()).collect();
    assert!(srids.iter().all(|srid| found.contains(srid)));
}

#[tokio::test]
async fn flag_one_gives_the_orders_of_one_day() {
    let market = Market::open().await;
    let rows = page(&market, "2026-06-10T15:00:00", 1).await;
    let all = read_all(&market).await;
    let expected = all.values().filter(|row| text(row, "date").starts_with("2026-06-10")).count();
    assert_eq!(rows.len(), expected);
    assert!(expected > 0 && rows.iter().all(|row| text(row, "date").starts_with("2026-06-10")));
}

#[tokio::test]
async fn an_order_takes_stock_and_its_cancellation_gives_it_back() {
    let market = Market::open().await;
    let stock = market
        .truth()
        .stock
        .into_iter()
        .find(|stock| stock.side == Side::Fbo && stock.available > 3)
        .unwrap();
    market.sandbox.set_stock(0, stock.chrt_id, stock.warehouse_id, 3).unwrap();
    let figures = || market.truth().variants[&stock.chrt_id].figures;
    let before = figures();
    let srids = market.sandbox.place_order(0, stock.chrt_id, stock.warehouse_id, 2).unwrap();
    let after = figures();
    assert_eq!(after.fbo, before.fbo - 2);
    assert_eq!(after.in_way_to_client, before.in_way_to_client + 2);
    assert_eq!(after.ordered_today, before.ordered_today + 2);
    let rows = read_all(&market).await;
    let [first, second] = [&rows[&srids[0]], &rows[&srids[1]]];
    assert_eq!(first["gNumber"], second["gNumber"]);
    assert_eq!(
        (text(first, "warehouseName"), text(first, "warehouseType")),
        (stock.warehouse_name, "Склад WB")
    );

    market.pass(TimeDelta::seconds(61));
    market.sandbox.cancel_order(0, &srids[0]).unwrap();
    let row = &page(&market, "2026-06-15T12:01:00", 0).await;
    let row = row.iter().find(|row| row["srid"] == *srids[0]).unwrap();
    assert_eq!((&row["isCancel"], text(row, "date")), (&json!(true), "2026-06-15T12:00:00"));
    assert_eq!(
        (text(row, "lastChangeDate"), text(row, "cancelDate")),
        ("2026-06-15T12:01:01", "2026-06-15T12:01:01")
    );
    assert_eq!(figures().fbo, before.fbo - 1);
}

#[tokio::test]
async fn assembly_orders_tell_two_warehouses_of_one_name_apart() {
    let market = Market::open().await;
    let rows = read_all(&market).await;
    let mut next = 0;
    let mut orders = Vec::new();
    loop {
        let page = market.get_json(&format!("/api/v3/orders?limit=50&next={next}")).await;
        orders.extend(page["orders"].as_array().unwrap().clone());
        next = page["next"].as_i64().unwrap();
        if next == 0 {
            break;
        }
    }
    let mut warehouses = HashSet::new();
    for order in &orders {
        let row = &rows[text(order, "rid")];
        assert_eq!(text(row, "warehouseType"), "Склад продавца");
        assert_eq!(order["nmId"], row["nmId"]);
        let created: DateTime<chrono::Utc> = text(order, "createdAt").parse().unwrap();
        assert_eq!((created + TimeDelta::hours(3)).format("%FT%T").to_string(), text(row, "date"));
        if text(row, "warehouseName") == "Основной склад" {
            warehouses.insert(order["warehouseId"].as_i64().unwrap());
        }
    }
    assert_eq!(warehouses.len(), 2);
    let from = (market.now() - TimeDelta::days(30)).format("%FT%T").to_string();
    let expected = rows.values().filter(|row| {
        let date: chrono::NaiveDateTime = text(row, "date").parse().unwrap();
        let date = (date - TimeDelta::hours(3)).format("%FT%T").to_string();
        text(row, "warehouseType") == "Склад продавца" && date >= from
    });
    assert_eq!(orders.len(), expected.count());
}

#[tokio::test]
async fn parameters_are_validated() {
    let market = Market::open().await;
    let refused = |path: &'static str| {
        let market = &market;
        async move { market::json(market.get(path).await, 400).await }
    };
    assert_eq!(refused("/api/v1/supplier/orders").await, json!({"errors": ["dateFrom: field required"]}));
    let body = refused("/api/v1/supplier/orders?dateFrom=yesterday").await;
    assert_eq!(body, json!({"errors": "dateFrom: Value not validated"}));
    for query in ["limit=50", "limit=1001&next=0", "limit=0&next=0", "limit=5&next=0&dateFrom=1700000000"] {
        let body = market::json(market.get(&format!("/api/v3/orders?{query}")).await, 400).await;
        assert_eq!(body["code"], "IncorrectParameter", "{query}");
    }
}

#[tokio::test]
async fn orders_arrive_while_time_passes() {
    let market = Market::with(|options| options.speed = 60.0).await;
    let before = read_all(&market).await.len();
    market.pass(TimeDelta::minutes(30));
    let rows = read_all(&market).await;
    assert!(rows.len() > before + 10, "{before} and then {}", rows.len());
    assert!(rows.values().all(|row| text(row, "lastChangeDate") <= "2026-06-15T12:30:00"));
}
