use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{NaiveDateTime, TimeDelta};
use serde_json::Value;

use crate::market::Market;

const SALES: &str = "/api/v1/supplier/sales?dateFrom=2026-01-01";
const ORDERS: &str = "/api/v1/supplier/orders?dateFrom=2026-01-01";

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_else(|| panic!("{field} in {row}"))
}

async fn rows(market: &Market, path: &str) -> Vec<Value> {
    market.get_json(path).await.as_array().expect("rows").clone()
}

#[tokio::test]
async fn an_order_is_on_the_way_until_it_is_sold() {
    let market = Market::open().await;
    let (orders, sales) = (rows(&market, ORDERS).await, rows(&market, SALES).await);
    let orders: HashMap<_, _> = orders.iter().map(|row| (text(row, "srid"), row)).collect();
    let mut sold = BTreeMap::new();
    let mut returned = HashSet::new();
    for row in &sales {
        let (srid, id) = (text(row, "srid"), text(row, "saleID"));
        assert_eq!(orders[srid]["isCancel"], false, "{row}");
        for field in ["nmId", "barcode", "gNumber", "warehouseName", "totalPrice"] {
            assert_eq!(row[field], orders[srid][field], "{field}");
        }
        assert!(text(row, "date") > text(orders[srid], "date"));
        match id.split_at(1) {
            ("S", number) => assert_eq!(sold.insert(srid, (number, text(row, "date"))), None, "{row}"),
            ("R", number) => {
                assert!(sold[srid].0 == number && sold[srid].1 < text(row, "date"), "{row}");
                returned.insert(srid);
            }
            _ => panic!("{row}"),
        }
    }
    let cancelled = orders.values().filter(|row| row["isCancel"] == true).count();
    let truth = market.truth().total;
    let on_the_way = usize::try_from(truth.in_way_to_client + truth.fbs_in_way_to_client).unwrap();
    assert_eq!(orders.len() - cancelled - sold.len(), on_the_way);
    assert!(sold.len() > 1000 && !returned.is_empty() && returned.len() < sold.len() / 10);
}

#[tokio::test]
async fn amounts_are_filled_in_later_without_a_change_of_the_row() {
    let market = Market::open().await;
    let before = rows(&market, SALES).await;
    let is_new = |row: &Value| {
        let date: NaiveDateTime = text(row, "date").parse().unwrap();
        date > "2026-06-15T00:00:00".parse().unwrap()
    };
    let (new, old): (Vec<_>, Vec<_>) = before.iter().partition(|row| is_new(row));
    let amounts = |row: &Value| {
        ["forPay", "finishedPrice", "priceWithDisc"].map(|field| row[field].as_f64().expect("an amount"))
    };
    assert!(!new.is_empty() && new.iter().all(|row| amounts(row).iter().all(|amount| *amount == 0.0)));
    assert!(old.iter().all(|row| amounts(row).iter().all(|amount| *amount > 0.0)));
    market.pass(TimeDelta::hours(12));
    let after = rows(&market, SALES).await;
    let after: HashMap<_, _> = after.iter().map(|row| (text(row, "saleID"), row)).collect();
    for row in new {
        let filled = after[text(row, "saleID")];
        assert_eq!(text(filled, "lastChangeDate"), text(row, "lastChangeDate"));
        let [for_pay, _, discounted] = amounts(filled);
        assert!(0.0 < for_pay && for_pay < discounted, "{filled}");
    }
}

#[tokio::test]
async fn pages_go_on_from_the_last_change_and_a_day_can_be_asked_for() {
    let market = Market::with(|options| options.orders_page_rows = 300).await;
    let mut all: HashMap<String, Value> = HashMap::new();
    let mut from = "2026-01-01".to_owned();
    loop {
        let page = rows(&market, &format!("/api/v1/supplier/sales?dateFrom={from}&flag=0")).await;
        let before = all.len();
        let next = page.last().map_or_else(String::new, |row| text(row, "lastChangeDate").to_owned());
        assert!(page.is_sorted_by_key(|row| text(row, "lastChangeDate").to_owned()));
        all.extend(page.into_iter().map(|row| (text(&row, "saleID").to_owned(), row)));
        if all.len() == before {
            break;
        }
        from = next;
    }
    let whole = rows(&Market::open().await, SALES).await;
    assert_eq!(all.len(), whole.len());
    let day = rows(&market, "/api/v1/supplier/sales?dateFrom=2026-06-10&flag=1").await;
    let expected = whole.iter().filter(|row| text(row, "date").starts_with("2026-06-10")).count();
    assert!(expected > 0 && day.len() == expected);
    assert_eq!(market.get("/api/v1/supplier/sales").await.status(), 400);
}
