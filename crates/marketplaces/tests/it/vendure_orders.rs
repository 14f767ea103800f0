//! Vendure: lines of orders that were placed.

use std::collections::BTreeSet;

use domain::{
    money::Currency,
    reading::{OrderRow, Position},
};
use marketplaces::Error;
use serde_json::{Value, json};

use crate::{
    support::{NOW, Reading, at, read_all},
    vendure_shop::{Open, Shop},
};

const PLACED: &str = "2026-11-18T10:00:00.000Z";
const CHANGED: &str = "2026-11-19T10:00:00.250Z";

/// An order; of each line the units that are left and those that were ordered.
fn order(id: usize, lines: &[(i64, i64)]) -> Value {
    let line = |(number, (quantity, placed)): (usize, &(i64, i64))| {
        json!({
            "id": (id * 10 + number).to_string(), "quantity": quantity, "orderPlacedQuantity": placed,
            "unitPriceWithTax": 12_000, "proratedUnitPriceWithTax": 10_500,
            "productVariant": { "id": "7", "product": { "id": "3" } },
        })
    };
    json!({
        "id": id.to_string(), "code": format!("CODE{id}"), "type": "Regular", "state": "PaymentSettled",
        "orderPlacedAt": PLACED, "updatedAt": CHANGED, "currencyCode": "RUB",
        "lines": lines.iter().enumerate().map(line).collect::<Vec<_>>(),
    })
}

async fn read(open: &Open, since: Option<&Position>) -> Result<Reading<OrderRow>, Error> {
    read_all(async |at| open.account().orders(since, at.as_ref()).await).await
}

async fn lines(order: Value) -> Vec<OrderRow> {
    let open = Open::new(|shop| shop.orders = vec![order]);
    let read = read(&open, None).await.unwrap();
    assert_eq!(read.failed, 0);
    read.rows
}

/// Id, units, and whether they are cancelled.
fn units(rows: &[OrderRow]) -> Vec<(&str, i64, bool)> {
    rows.iter().map(|row| (row.external_id.as_str(), row.quantity, row.cancelled_at.is_some())).collect()
}

#[tokio::test]
async fn a_line_says_what_was_ordered_when_and_for_how_much() {
    let rows = lines(order(5, &[(3, 3), (1, 1)])).await;
    assert_eq!(units(&rows), [("5:50", 3, false), ("5:51", 1, false)]);
    let line = &rows[0];
    assert_eq!(line.basket_id.as_deref(), Some("CODE5"));
    assert_eq!(line.variant_external_id.as_deref(), Some("7"));
    assert_eq!(line.product_external_id.as_deref(), Some("3"));
    assert_eq!((line.location.clone(), line.barcode.clone()), (None, None));
    assert_eq!((line.ordered_at, line.changed_at), (at(PLACED), at(CHANGED)));
    assert_eq!(line.status, "PaymentSettled");
    let minor = [line.price, line.list_price, line.paid_price].map(|money| {
        let money = money.unwrap();
        assert_eq!(money.currency, Currency::RUB);
        money.minor
    });
    assert_eq!(minor, [10_500, 12_000, 10_500]);
}

#[tokio::test]
async fn what_is_cancelled_in_part_is_a_line_beside_what_is_left() {
    let rows = lines(order(5, &[(3, 4)])).await;
    assert_eq!(units(&rows), [("5:50:cancelled", 1, true), ("5:50", 3, false)]);
    assert_eq!((rows[0].cancelled_at, rows[0].status.as_str()), (Some(at(CHANGED)), "Cancelled"));
    assert_eq!(rows[0].ordered_at, at(PLACED), "it counts on the day it was ordered");
}

#[tokio::test]
async fn what_is_cancelled_altogether_is_one_line() {
    let mut whole = order(5, &[(0, 4)]);
    whole["state"] = json!("Cancelled");
    // The other one is told to hold nothing any more, should some units have been cancelled before.
    assert_eq!(units(&lines(whole).await), [("5:50", 4, true), ("5:50:cancelled", 0, true)]);
}

#[tokio::test]
async fn what_was_added_after_the_order_was_placed_counts() {
    assert_eq!(units(&lines(order(5, &[(2, 0), (5, 4)])).await), [("5:50", 2, false), ("5:51", 5, false)]);
    assert_eq!(units(&lines(order(5, &[(0, 0)])).await), [("5:50", 0, true), ("5:50:cancelled", 0, true)]);
}

#[tokio::test]
async fn an_order_split_up_by_seller_counts_once() {
    let open = Open::new(|shop| {
        shop.orders = vec![order(5, &[(3, 3)]), order(6, &[(3, 3)])];
        shop.orders[0]["type"] = json!("Aggregate");
        shop.orders[1]["type"] = json!("Seller");
    });
    assert_eq!(units(&read(&open, None).await.unwrap().rows), [("6:60", 3, false)]);
}

#[tokio::test]
async fn amounts_are_in_the_digits_that_the_shop_keeps() {
    let open = Open::new(|shop| {
        shop.orders = vec![order(5, &[(1, 1)])];
        shop.orders[0]["currencyCode"] = json!("JPY");
    });
    let price = read(&open, None).await.unwrap().rows[0].price.unwrap();
    assert_eq!((price.minor, price.currency.code()), (105, "JPY"));
}

#[tokio::test]
async fn only_placed_orders_are_asked_for_and_ninety_days_of_them() {
    let open = Open::new(|_| {});
    assert_eq!(read(&open, None).await.unwrap().rows, []);
    let query = open.server.asked()[0].body["query"].as_str().unwrap().to_owned();
    assert!(query.contains("orderPlacedAt: { isNull: false }"), "{query}");
    assert_eq!(open.asked_of("orders")[0]["after"], "2026-08-22T09:00:00.000Z");
}

/// Orders that changed at these moments.
fn changed(moments: Vec<String>) -> impl FnOnce(&mut Shop) {
    move |shop| {
        shop.orders = moments
            .into_iter()
            .enumerate()
            .map(|(id, moment)| {
                let mut order = order(id + 1, &[(1, 1)]);
                order["updatedAt"] = json!(moment);
                order
            })
            .collect();
    }
}

fn distinct(reading: &Reading<OrderRow>) -> usize {
    reading.rows.iter().map(|row| row.external_id.as_str()).collect::<BTreeSet<_>>().len()
}

#[tokio::test]
async fn more_orders_than_a_page_are_read_by_the_time_of_their_change() {
    let open =
        Open::new(changed((0..250).map(|n| format!("2026-11-19T10:00:{:02}.{n:03}Z", n / 5)).collect()));
    let reading = read(&open, None).await.unwrap();
    assert_eq!(distinct(&reading), 250);
    assert!(reading.rows.len() < 260, "{} lines for 250", reading.rows.len());
    assert!(open.asked_of("orders").iter().all(|asked| asked["skip"] == 0));
}

#[tokio::test]
async fn more_orders_of_one_moment_than_a_page_are_read_all() {
    let open = Open::new(changed(vec![CHANGED.to_owned(); 350]));
    assert_eq!(distinct(&read(&open, None).await.unwrap()), 350);
}

#[tokio::test]
async fn an_order_that_changes_while_orders_are_read_hides_no_other() {
    let open = Open::new(|shop| {
        changed((0..250).map(|n| format!("2026-11-19T10:00:00.{n:03}Z")).collect())(shop);
        shop.after = Some(Box::new(|shop, page| {
            if page == 0 {
                let mut first = shop.orders.remove(0);
                first["updatedAt"] = json!("2026-11-19T11:00:00.000Z");
                shop.orders.push(first);
            }
        }));
    });
    assert_eq!(distinct(&read(&open, None).await.unwrap()), 250);
}

#[tokio::test]
async fn the_next_reading_starts_a_little_before_the_last_change() {
    let open = Open::new(changed(vec![CHANGED.to_owned()]));
    let watermark = read(&open, None).await.unwrap().watermark.unwrap();
    let again = read(&open, Some(&watermark)).await.unwrap();
    assert_eq!(again.rows.len(), 1, "the last line comes again");
    assert_eq!(open.asked_of("orders")[1]["after"], "2026-11-19T09:00:00.250Z");
    let empty = Open::new(|_| {});
    assert_eq!(read(&empty, Some(&watermark)).await.unwrap().watermark, None, "the old one stays");
}

#[tokio::test]
async fn a_change_in_the_future_does_not_take_the_next_reading_past_what_comes() {
    let open = Open::new(changed(vec!["2031-01-01T00:00:00.000Z".to_owned()]));
    let watermark = read(&open, None).await.unwrap().watermark.unwrap();
    read(&open, Some(&watermark)).await.unwrap();
    let after = open.asked_of("orders")[1]["after"].as_str().unwrap().to_owned();
    assert!(at(&after) < at(NOW), "{after}");
}

#[tokio::test]
async fn a_shop_that_allows_fewer_orders_is_asked_for_fewer() {
    let open = Open::new(|shop| {
        changed((0..60).map(|n| format!("2026-11-19T10:00:00.{n:03}Z")).collect())(shop);
        shop.limit = 25;
    });
    assert_eq!(distinct(&read(&open, None).await.unwrap()), 60);
    let takes: Vec<_> = open.asked_of("orders").iter().map(|v| v["take"].as_u64().unwrap()).collect();
    assert_eq!(takes[0], 100);
    assert!(takes[1..].iter().all(|take| *take == 25), "{takes:?}");
}
