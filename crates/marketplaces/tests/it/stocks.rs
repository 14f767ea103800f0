//! Reading warehouses and stock.

use std::collections::BTreeSet;

use domain::{
    marketplace::{Capability, Side, WarehouseKind},
    reading::{Location, StockRow},
};
use marketplaces::Error;
use serde_json::{Value, json};

use crate::{
    server::{Asked, Reply, Server},
    support::{Known, Reading, SERVICE, World, read_all, seller_warehouse},
};

const REPORT: &str = "/api/analytics/v1/stocks-report/wb-warehouses";

async fn read(server: &Server, side: Side, known: &Known) -> Result<Reading<StockRow>, Error> {
    let world = World::new(server.url());
    read_all(async |at| world.account("s").stock(side, known, at.as_ref()).await).await
}

#[tokio::test]
async fn a_sellers_warehouses_keep_their_exact_names() {
    let server = Server::start(|_| {
        Reply::json(&json!([
            { "id": 1, "name": "Подольск 3", "isDeleting": false },
            { "id": "2", "name": "Подольск 4 ", "isDeleting": true },
            { "name": "без номера" },
            { "id": 3, "name": "Подольск 3", "cargoType": 1 },
        ]))
    });
    let world = World::new(server.url());
    let page = world.account("s").locations(None).await.unwrap();
    assert_eq!(
        page.rows,
        [
            seller_warehouse("1", "Подольск 3"),
            seller_warehouse("2", "Подольск 4 "),
            seller_warehouse("3", "Подольск 3")
        ],
        "one that is being deleted still holds stock"
    );
    assert_eq!((page.failed, page.next), (1, None));
}

/// Answers with a unit for each asked size, except the odd ones, which have none.
fn shelf(asked: &Asked) -> Reply {
    let sizes = asked.body["chrtIds"].as_array().unwrap();
    assert!((1..=1000).contains(&sizes.len()));
    let has_stock = |size: &&Value| size.as_i64().unwrap() % 2 == 0;
    let stocks: Vec<_> =
        sizes.iter().filter(has_stock).map(|size| json!({ "chrtId": size, "amount": 3 })).collect();
    Reply::json(&json!({ "stocks": stocks }))
}

#[tokio::test]
async fn every_known_size_is_asked_for_in_every_warehouse() {
    let server = Server::start(shelf);
    let known = Known::new(1..=2500, &[("10", "Дом"), ("20", "Склад"), ("9", "Дом")]);
    let reading = read(&server, Side::Fbs, &known).await.unwrap();
    assert_eq!(reading.pages, 9, "three warehouses, three chunks each");
    let mut asked = BTreeSet::new();
    for question in server.asked() {
        let warehouse = question.path.strip_prefix("/api/v3/stocks/").unwrap().to_owned();
        for size in question.body["chrtIds"].as_array().unwrap() {
            assert!(asked.insert((warehouse.clone(), size.as_i64().unwrap())), "asked twice");
        }
    }
    assert_eq!(asked.len(), 7500);
    assert_eq!(reading.rows.len(), 3750);
    let first = &reading.rows[0];
    assert_eq!(first.location, Some(seller_warehouse("10", "Дом")));
    assert_eq!((first.available, first.reserved, first.on_hand), (Some(3), None, None));
}

#[tokio::test]
async fn whole_chunks_end_without_an_empty_question() {
    let server = Server::start(shelf);
    let reading = read(&server, Side::Fbs, &Known::new(1..=2000, &[("1", "A"), ("2", "B")])).await.unwrap();
    assert_eq!((server.asked().len(), reading.rows.len()), (4, 2000));
}

#[tokio::test]
async fn nothing_known_or_nowhere_to_look_asks_nothing() {
    let server = Server::start(shelf);
    for known in [Known::new(1..=3, &[]), Known::new([], &[("1", "A")])] {
        assert!(read(&server, Side::Fbs, &known).await.unwrap().rows.is_empty());
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_warehouse_that_went_away_between_pages_is_passed_over() {
    let server = Server::start(shelf);
    let account = World::new(server.url()).account("s");
    let before = Known::new(1..=1500, &[("1", "A"), ("2", "B"), ("3", "C")]);
    let first = account.stock(Side::Fbs, &before, None).await.unwrap();
    let at_two = account.stock(Side::Fbs, &before, first.next.as_ref()).await.unwrap().next;
    let after = Known::new(1..=1500, &[("1", "A"), ("3", "C")]);
    let page = account.stock(Side::Fbs, &after, at_two.as_ref()).await.unwrap();
    assert_eq!(page.rows[0].location, Some(seller_warehouse("3", "C")));
    assert_eq!(server.paths().last().unwrap(), "/api/v3/stocks/3");
}

#[tokio::test]
async fn a_missing_list_is_not_an_empty_shelf() {
    for body in [json!({}), json!({ "stocks": null }), json!({ "stocks": {} })] {
        let server = Server::start(move |_| Reply::json(&body));
        let outcome = read(&server, Side::Fbs, &Known::new([2], &[("1", "A")])).await;
        assert!(matches!(outcome, Err(Error::ContractChanged { .. })), "{outcome:?}");
    }
    for body in [json!({}), json!({ "data": null }), json!({ "data": { "items": null } })] {
        let server = Server::start(move |_| Reply::json(&body));
        let outcome = read(&server, Side::Fbo, &Known::default()).await;
        assert!(matches!(outcome, Err(Error::ContractChanged { .. })), "{outcome:?}");
    }
}

/// Row `n` of the report.
fn row(n: u64) -> Value {
    json!({
        "nmId": n / 2 + 1, "chrtId": n, "warehouseId": -999_999, "warehouseName": "Склад WB", "regionName": "Склад WB",
        "quantity": 5, "inWayToClient": 2, "inWayFromClient": 1,
    })
}

/// A report of so many rows; what lies beyond its end is 204.
fn report(asked: &Asked, rows: u64) -> Reply {
    assert_eq!(asked.path, REPORT);
    assert_eq!((&asked.body["nmIds"], &asked.body["chrtIds"]), (&json!([]), &json!([])));
    let (limit, offset) = (asked.body["limit"].as_u64().unwrap(), asked.body["offset"].as_u64().unwrap());
    let items: Vec<_> = (offset..rows.min(offset + limit)).map(|n| row(n + 1)).collect();
    if items.is_empty() {
        Reply::new(204, "application/json", "")
    } else {
        Reply::json(&json!({ "data": { "items": items } }))
    }
}

#[tokio::test]
async fn the_report_is_read_to_its_end() {
    // Only an empty page is the end: one cut short by the marketplace is not.
    for (rows, pages) in [(0, 1), (3, 2), (50_000, 2), (50_001, 3)] {
        let server = Server::start(move |asked| report(asked, rows));
        let reading = read(&server, Side::Fbo, &Known::default()).await.unwrap();
        assert_eq!((reading.rows.len() as u64, reading.pages, reading.failed), (rows, pages, 0));
    }
}

#[tokio::test]
async fn what_is_on_its_way_and_sums_are_no_places() {
    let server = Server::start(|_| {
        let pseudo = ["В пути до получателей", "В пути возвраты на склад WB", "Всего находится на складах"];
        let mut items: Vec<_> = pseudo
            .into_iter()
            .zip(10..)
            .map(|(name, n)| {
                let mut row = row(n);
                row["warehouseName"] = json!(name);
                row
            })
            .collect();
        items.push(row(1));
        Reply::json(&json!({ "data": { "items": items } }))
    });
    let reading = read(&server, Side::Fbo, &Known::default()).await.unwrap();
    assert_eq!((reading.rows.len(), reading.failed), (1, 0));
    assert_eq!(place(&reading.rows[0]).name, "Склад WB");
}

#[tokio::test]
async fn masked_rows_are_one_aggregate_and_named_rows_are_places() {
    let server = Server::start(|_| {
        let mut named = row(2);
        named["warehouseId"] = json!(507);
        named["warehouseName"] = json!("СЦ Тверь 1");
        let mut odd = row(3);
        odd["quantity"] = json!("12");
        odd["nmId"] = json!("7");
        let mut broken = row(4);
        broken["quantity"] = json!("lots");
        Reply::json(&json!({ "data": { "items": [row(1), named, odd, broken] } }))
    });
    let reading = read(&server, Side::Fbo, &Known::default()).await.unwrap();
    let [masked, named, odd] = &reading.rows[..] else { panic!("{reading:?}") };
    assert_eq!(place(masked).kind, WarehouseKind::Aggregate);
    assert_eq!(place(masked).external_id.as_deref(), Some("-999999"));
    assert_eq!(
        (masked.variant_external_id.as_deref(), masked.product_external_id.as_deref()),
        (Some("1"), Some("1"))
    );
    assert_eq!(
        (masked.available, masked.in_transit_to_customer, masked.in_transit_returns),
        (Some(5), Some(2), Some(1)),
        "what is on its way is told apart and never part of the stock"
    );
    assert_eq!(place(named).kind, WarehouseKind::Marketplace);
    assert_eq!(
        (place(named).external_id.as_deref(), place(named).name.as_str()),
        (Some("507"), "СЦ Тверь 1")
    );
    assert_eq!((odd.available, odd.product_external_id.as_deref()), (Some(12), Some("7")));
    assert_eq!(reading.failed, 1);
}

fn place(row: &StockRow) -> &Location {
    row.location.as_ref().unwrap()
}

/// What a token of the categories Content and Analytics can read.
const WITHOUT_WAREHOUSES: [Capability; 3] =
    [Capability::Products, Capability::StockMarketplace, Capability::StockSeller];

#[tokio::test]
async fn a_token_that_does_not_open_the_sellers_warehouses_reads_the_report_on_them() {
    const PATH: &str = "/api/analytics/v1/stocks-report/seller-warehouses";
    let server = Server::start(|asked| {
        assert_eq!(asked.path, PATH);
        assert_eq!(asked.body["limit"], 50_000);
        let rows: Vec<_> = (0..3)
            .map(|n| {
                json!({
                    "nmId": 1 + n, "chrtId": 10 + n, "warehouseId": 7, "warehouseName": "Дом", "regionName": "Дальний",
                    "quantity": n,
                })
            })
            .collect();
        let rows = if asked.body["offset"] == 0 { rows } else { vec![] };
        Reply::json(&json!({ "data": { "items": rows } }))
    });
    let world = World::new(server.url());
    let account = || world.account_with("s", SERVICE, &WITHOUT_WAREHOUSES);
    let known = Known::default();
    let reading = read_all(async |at| account().stock(Side::Fbs, &known, at.as_ref()).await).await.unwrap();
    assert_eq!((reading.rows.len(), reading.pages, reading.failed), (3, 2, 0));
    let row = &reading.rows[2];
    assert_eq!(row.location, Some(seller_warehouse("7", "Дом")));
    assert_eq!((row.variant_external_id.as_deref(), row.available), (Some("12"), Some(2)));
    assert_eq!((row.in_transit_to_customer, row.in_transit_returns), (None, None));
    assert_eq!(account().source(Capability::StockSeller), format!("POST {PATH}"));
    assert_eq!(world.account("s").source(Capability::StockSeller), "POST /api/v3/stocks/{warehouseId}");
}

#[tokio::test]
async fn a_size_without_a_number_is_not_asked_for() {
    let server = Server::start(shelf);
    let mut known = Known::new([2, 4], &[("1", "A"), ("2", "B")]);
    known.variants.push("barcode:4600000000017".to_owned());
    assert_eq!(read(&server, Side::Fbs, &known).await.unwrap().rows.len(), 4);
    known.variants = vec!["barcode:4600000000017".to_owned()];
    let reading = read(&server, Side::Fbs, &known).await.unwrap();
    assert_eq!((reading.rows.len(), reading.pages, server.asked().len()), (0, 2, 2));
}

#[tokio::test]
async fn the_sides_fail_apart() {
    let server = Server::start(|asked| if asked.path == REPORT { Reply::status(403) } else { shelf(asked) });
    let known = Known::new([2], &[("1", "A")]);
    let marketplace_side = read(&server, Side::Fbo, &known).await.unwrap_err();
    assert_eq!(marketplace_side.code(), "credentials_scope");
    assert_eq!(read(&server, Side::Fbs, &known).await.unwrap().rows.len(), 1);
}
