use std::collections::{BTreeMap, HashSet};

use sandbox::Side;
use serde_json::{Value, json};

use crate::market::{self, Market};

const WB: &str = "/api/analytics/v1/stocks-report/wb-warehouses";
const SELLER: &str = "/api/analytics/v1/stocks-report/seller-warehouses";

fn rows(page: &Value) -> &Vec<Value> {
    page["data"]["items"].as_array().expect("rows")
}

/// Adds up a field per size.
fn sums(rows: &[Value], field: &str) -> BTreeMap<i64, u64> {
    let mut sums = BTreeMap::new();
    for row in rows {
        *sums.entry(row["chrtId"].as_i64().expect("an id")).or_default() +=
            row[field].as_u64().expect("a number");
    }
    sums.retain(|_, sum| *sum > 0);
    sums
}

#[tokio::test]
async fn the_masked_report_has_one_row_per_size_and_the_true_sums() {
    let market = Market::open().await;
    let page = market.post_json(WB, &json!({})).await;
    let sizes: HashSet<_> = rows(&page).iter().map(|row| row["chrtId"].as_i64()).collect();
    assert_eq!(sizes.len(), rows(&page).len());
    assert!(
        rows(&page).iter().all(|row| row["warehouseId"] == -999_999 && row["warehouseName"] == "Склад WB")
    );
    let truth = market.truth();
    let expected = |figure: &dyn Fn(&sandbox::Figures) -> u32| -> BTreeMap<i64, u64> {
        let all =
            truth.variants.iter().map(|(chrt_id, variant)| (*chrt_id, u64::from(figure(&variant.figures))));
        all.filter(|(_, units)| *units > 0).collect()
    };
    assert_eq!(sums(rows(&page), "quantity"), expected(&|figures| figures.fbo));
    assert_eq!(sums(rows(&page), "inWayToClient"), expected(&|figures| figures.in_way_to_client));
    assert_eq!(sums(rows(&page), "inWayFromClient"), expected(&|figures| figures.in_way_from_client));
}

#[tokio::test]
async fn unmasked_rows_name_their_warehouses_and_keep_the_sums() {
    let market = Market::open().await;
    let masked = market.post_json(WB, &json!({})).await;
    market.sandbox.set_masked(false);
    let named = market.post_json(WB, &json!({})).await;
    assert_eq!(sums(rows(&masked), "quantity"), sums(rows(&named), "quantity"));
    let names: HashSet<_> = rows(&named).iter().map(|row| row["warehouseName"].as_str().unwrap()).collect();
    assert!(names.contains("Коледино") && names.contains("Подольск 3") && !names.contains("Склад WB"));
}

#[tokio::test]
async fn pages_by_offset_join_to_the_whole_and_end_in_204() {
    let market = Market::open().await;
    let whole = market.post_json(WB, &json!({})).await;
    let mut joined = Vec::new();
    loop {
        let response = market.post(WB, &json!({"limit": 25, "offset": joined.len()})).await;
        if response.status() == 204 {
            break;
        }
        joined.extend(rows(&market::json(response, 200).await).clone());
    }
    assert_eq!(&joined, rows(&whole));
}

#[tokio::test]
async fn seller_stock_is_exact_per_warehouse_and_absent_when_there_is_none() {
    let market = Market::open().await;
    let truth = market.truth();
    let warehouses = market.get_json("/api/v3/warehouses").await;
    let sizes: Vec<i64> = truth.variants.keys().copied().collect();
    let mut found = Vec::new();
    for warehouse in warehouses.as_array().unwrap() {
        let id = warehouse["id"].as_i64().unwrap();
        let answer = market.post_json(&format!("/api/v3/stocks/{id}"), &json!({"chrtIds": sizes})).await;
        for stock in answer["stocks"].as_array().unwrap() {
            found.push((stock["chrtId"].as_i64().unwrap(), id, stock["amount"].as_u64().unwrap()));
        }
    }
    found.sort_unstable();
    let fbs = truth.stock.iter().filter(|stock| stock.side == Side::Fbs);
    let mut expected: Vec<_> =
        fbs.map(|stock| (stock.chrt_id, stock.warehouse_id, u64::from(stock.available))).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let report = market.post_json(SELLER, &json!({})).await;
    assert_eq!(rows(&report).len(), expected.len());
    assert!(rows(&report).iter().all(|row| row.get("inWayToClient").is_none()));
}

#[tokio::test]
async fn a_stock_set_by_hand_is_what_is_told() {
    let market = Market::open().await;
    let stock = market.truth().stock.into_iter().find(|stock| stock.side == Side::Fbs).unwrap();
    let path = format!("/api/v3/stocks/{}", stock.warehouse_id);
    for amount in [41, 0] {
        market.sandbox.set_stock(0, stock.chrt_id, stock.warehouse_id, amount).unwrap();
        let answer = market.post_json(&path, &json!({"chrtIds": [stock.chrt_id]})).await;
        let told = answer["stocks"].as_array().unwrap().first().map(|stock| stock["amount"].clone());
        assert_eq!(told, (amount > 0).then(|| json!(amount)));
    }
}

#[tokio::test]
async fn requests_out_of_bounds_are_refused() {
    let market = Market::open().await;
    let stocks = "/api/v3/stocks/650017";
    let many: Vec<i64> = (0..1001).collect();
    let refused = |path: &'static str, body: Value, status| {
        let market = &market;
        async move { market::json(market.post(path, &body).await, status).await }
    };
    assert_eq!(refused(stocks, json!({"chrtIds": many}), 400).await["code"], "IncorrectRequest");
    assert_eq!(refused(stocks, json!({"skus": ["1"]}), 400).await["code"], "IncorrectRequestBody");
    assert_eq!(
        refused("/api/v3/stocks/main", json!({"chrtIds": []}), 400).await["code"],
        "IncorrectParameter"
    );
    assert_eq!(refused("/api/v3/stocks/1", json!({"chrtIds": []}), 404).await["code"], "NotFound");
    assert_eq!(refused(WB, json!({"limit": 250_001}), 400).await["title"], "Invalid request body");
    assert!(refused(WB, json!({"nmIds": many}), 400).await["detail"].as_str().unwrap().contains("nmIds"));
}
