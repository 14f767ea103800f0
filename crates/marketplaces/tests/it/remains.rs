//! Reading stock from the report that is made on request.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{
    marketplace::{Capability, Side, WarehouseKind},
    reading::{Location, Position, ReadPage, StockRow},
};
use marketplaces::{Error, Marketplace};
use serde_json::{Value, json};

use crate::{
    server::{Asked, Reply, Server},
    support::{ALL, BASIC, Known, Reading, Turning, World, read_all},
};

const PATH: &str = "/api/v1/warehouse_remains";

/// A marketplace that makes reports: each look has a status, the last of which stands for all that follow.
struct Maker {
    looks: Mutex<Vec<&'static str>>,
    report: Reply,
    created: AtomicUsize,
}

impl Maker {
    fn start(looks: &[&'static str], report: &Value) -> (Server, Arc<Self>) {
        Self::start_with(looks, Reply::json(report))
    }

    fn start_with(looks: &[&'static str], report: Reply) -> (Server, Arc<Self>) {
        let looks = looks.iter().rev().copied().collect::<Vec<_>>().into();
        let maker = Arc::new(Self { looks, report, created: AtomicUsize::new(0) });
        let shared = Arc::clone(&maker);
        (Server::start(move |asked| shared.answer(asked)), maker)
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let Some(task) = asked.path.strip_prefix(PATH) else { panic!("{}", asked.path) };
        let Some((id, step)) = task.strip_prefix("/tasks/").and_then(|task| task.split_once('/')) else {
            for group in ["groupByNm", "groupByBarcode", "groupBySize"] {
                assert_eq!(asked.query[group], "true");
            }
            let id = self.created.fetch_add(1, Ordering::Relaxed) + 1;
            return Reply::json(&json!({ "data": { "taskId": format!("task-{id}") } }));
        };
        assert_eq!(id, format!("task-{}", self.created()), "of all reports, the last one is looked for");
        if step == "download" {
            return self.report.clone();
        }
        let mut looks = self.looks.lock().unwrap();
        let status = if looks.len() > 1 { looks.pop() } else { looks.last().copied() };
        match status.unwrap() {
            "404" => {
                Reply::new(404, "application/problem+json", r#"{"title":"Not Found","detail":"not found"}"#)
            }
            status => Reply::json(&json!({ "data": { "id": id, "status": status } })),
        }
    }

    fn created(&self) -> usize {
        self.created.load(Ordering::Relaxed)
    }

    fn calls(server: &Server, step: &str) -> usize {
        server.paths().iter().filter(|path| path.ends_with(step)).count()
    }
}

fn row(nm: u32, size: &str, barcode: &str, shelves: &[(&str, u32)]) -> Value {
    let shelf = |(name, quantity): &(&str, u32)| json!({ "warehouseName": name, "quantity": quantity });
    json!({
        "brand": "Глина", "subjectName": "Кружки", "vendorCode": format!("art-{nm}"), "nmId": nm, "barcode": barcode,
        "techSize": size, "volume": 1.5, "warehouses": shelves.iter().map(shelf).collect::<Vec<_>>(),
    })
}

const TO: &str = "В пути до получателей";
const BACK: &str = "В пути возвраты на склад WB";
const ALL_PLACES: &str = "Всего находится на складах";

/// A report of so many sizes, each in one place.
fn sizes(count: u32) -> Value {
    (0..count)
        .map(|n| {
            row(n / 2 + 1, &format!("{}", n % 2), &format!("46{n:011}"), &[(ALL_PLACES, n), ("Тула", n)])
        })
        .collect()
}

fn account(world: &World) -> Box<dyn Marketplace> {
    world.account_with("s", BASIC, &ALL)
}

async fn page(account: &dyn Marketplace, at: Option<&Position>) -> Result<ReadPage<StockRow>, Error> {
    loop {
        match account.stock(Side::Fbo, &Known::default(), at).await {
            Err(Error::RateLimited { retry_after, .. }) => tokio::time::sleep(retry_after).await,
            page => return page,
        }
    }
}

/// Reads to the end, each page with a new connector; what is being made is there as soon as it is asked for again.
async fn read(world: &World, clock: &Turning) -> Result<Reading<StockRow>, Error> {
    read_all(async |at| {
        let page = page(account(world).as_ref(), at.as_ref()).await?;
        clock.turn(page.pause.unwrap_or_default());
        Ok(page)
    })
    .await
}

/// Product, size, barcode, place, units, to customers, returns.
type Told<'a> =
    (&'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<i64>, Option<i64>, Option<i64>);

fn told(row: &StockRow) -> Told<'_> {
    assert_eq!((&row.variant_external_id, row.reserved, row.on_hand), (&None, None, None));
    let place = row.location.as_ref().map(|Location { kind, external_id, name }| {
        assert_eq!((*kind, external_id), (WarehouseKind::Marketplace, &None));
        name.as_str()
    });
    (
        row.product_external_id.as_deref().unwrap(),
        row.size.as_deref(),
        row.barcode.as_deref(),
        place,
        row.available,
        row.in_transit_to_customer,
        row.in_transit_returns,
    )
}

#[tokio::test]
async fn barcodes_of_a_size_are_added_up_and_what_is_no_place_is_none() {
    let report = json!([
        row(7, "M", "46001", &[(TO, 2), (ALL_PLACES, 5), ("Тула", 4), ("Склад WB РФ", 1)]),
        row(8, "0", "46003", &[(BACK, 3)]),
        row(7, "L", "", &[(ALL_PLACES, 9), ("Тула", 9)]),
        row(7, "M", "46002", &[(TO, 1), (BACK, 1), (ALL_PLACES, 6), ("Тула", 6)]),
    ]);
    let (server, _) = Maker::start(&["done"], &report);
    let (world, clock) = World::turning(server.url());
    let reading = read(&world, &clock).await.unwrap();
    let rows: Vec<_> = reading.rows.iter().map(told).collect();
    let (m, l) = (Some("M"), Some("L"));
    assert_eq!(
        rows,
        [
            ("7", l, None, Some("Тула"), Some(9), None, None),
            ("7", l, None, None, None, Some(0), Some(0)),
            ("7", m, Some("46001"), Some("Тула"), Some(10), None, None),
            ("7", m, Some("46001"), Some("Склад WB РФ"), Some(1), None, None),
            ("7", m, Some("46001"), None, None, Some(3), Some(1)),
            ("8", None, Some("46003"), None, None, Some(0), Some(3)),
        ]
    );
    assert_eq!(reading.failed, 0);
    assert_eq!(account(&world).source(Capability::StockMarketplace), "GET /api/v1/warehouse_remains");
}

#[tokio::test]
async fn a_report_is_waited_for_without_holding_anybody_and_asked_for_once() {
    let (server, maker) = Maker::start(&["new", "processing", "postponed", "processing", "done"], &sizes(3));
    let (world, clock) = World::turning(server.url());
    let reading = read(&world, &clock).await.unwrap();
    assert_eq!(reading.rows.len(), 6);
    // A ten-thousandth of 60, 30, 60, 90 and 90 seconds.
    assert_eq!(reading.pauses, [6, 3, 6, 9, 9].map(Duration::from_millis));
    assert_eq!((maker.created(), Maker::calls(&server, "/status")), (1, 5));
    assert_eq!(Maker::calls(&server, "/download"), 1);
}

#[tokio::test]
async fn who_comes_too_early_does_not_look() {
    let (server, _) = Maker::start(&["done"], &sizes(1));
    let (world, clock) = World::turning(server.url());
    let created = page(account(&world).as_ref(), None).await.unwrap();
    clock.turn(Duration::from_millis(4));
    let early = page(account(&world).as_ref(), created.next.as_ref()).await.unwrap();
    assert_eq!((early.pause, &early.next), (Some(Duration::from_millis(2)), &created.next));
    assert_eq!(server.asked().len(), 1);
    clock.turn(Duration::from_millis(2));
    let ready = page(account(&world).as_ref(), early.next.as_ref()).await.unwrap();
    assert_eq!((ready.pause, ready.rows.len(), ready.next.is_some()), (None, 0, true));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_report_that_ends_unread_is_asked_for_again_but_not_for_ever() {
    for end in ["purged", "canceled", "404"] {
        let (server, maker) = Maker::start(&["processing", end, "done"], &sizes(1));
        let (world, clock) = World::turning(server.url());
        assert_eq!(read(&world, &clock).await.unwrap().rows.len(), 2, "{end}");
        assert_eq!(maker.created(), 2);

        let (server, maker) = Maker::start(&[end], &sizes(1));
        let (world, clock) = World::turning(server.url());
        let error = read(&world, &clock).await.unwrap_err();
        assert!(matches!(error, Error::Transient { operation: "remains_create", .. }), "{error}");
        assert_eq!((maker.created(), Maker::calls(&server, "/status")), (3, 3), "{end}");
    }
}

#[tokio::test]
async fn a_report_that_is_gone_when_it_is_fetched_is_asked_for_again_but_not_for_ever() {
    let gone = Reply::new(404, "application/problem+json", r#"{"title":"Not Found","detail":"not found"}"#);
    let (server, maker) = Maker::start_with(&["done"], gone);
    let (world, clock) = World::turning(server.url());
    assert_eq!(read(&world, &clock).await.unwrap_err().code(), "marketplace_unavailable");
    assert_eq!((maker.created(), Maker::calls(&server, "/download")), (3, 3));
}

#[tokio::test]
async fn a_report_that_takes_too_long_is_looked_for_again_by_the_next_try() {
    let (server, maker) = Maker::start(&["new", "processing", "done"], &sizes(1));
    let (world, clock) = World::turning(server.url());
    let created = page(account(&world).as_ref(), None).await.unwrap();
    clock.turn(Duration::from_millis(6));
    let waiting = page(account(&world).as_ref(), created.next.as_ref()).await.unwrap();
    // A ten-thousandth of a quarter of an hour in all.
    clock.turn(Duration::from_millis(84));
    let error = page(account(&world).as_ref(), waiting.next.as_ref()).await.unwrap_err();
    assert_eq!(error.code(), "marketplace_unavailable");
    let ready = page(account(&world).as_ref(), waiting.next.as_ref()).await.unwrap();
    let last = page(account(&world).as_ref(), ready.next.as_ref()).await.unwrap();
    assert_eq!((last.rows.len(), last.next, maker.created()), (2, None, 1));
}

#[tokio::test]
async fn a_long_report_comes_in_pages_whoever_reads_them() {
    let (server, maker) = Maker::start(&["done"], &sizes(25_000));
    let (world, clock) = World::turning(server.url());
    let killed = read(&world, &clock).await.unwrap();
    assert_eq!((killed.rows.len(), maker.created()), (50_000, 1));
    assert_eq!(Maker::calls(&server, "/download"), 3, "who lost it fetches it again");
    let mut keys: Vec<_> = killed.rows.iter().map(told).map(|row| (row.0, row.1, row.3)).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 50_000, "no size comes twice");

    let alive = account(&world);
    let mut fetched = Vec::new();
    let mut at = None;
    loop {
        let page = page(alive.as_ref(), at.as_ref()).await.unwrap();
        clock.turn(page.pause.unwrap_or_default());
        fetched.extend(page.rows);
        at = page.next;
        if at.is_none() {
            break;
        }
    }
    assert_eq!(fetched, killed.rows);
    assert_eq!(Maker::calls(&server, "/download"), 4, "who has it does not");
}

#[tokio::test]
async fn a_seller_of_whom_nothing_is_there_has_an_empty_report() {
    for report in [Reply::new(204, "application/json", ""), Reply::json(&json!([]))] {
        let (server, _) = Maker::start_with(&["done"], report);
        let (world, clock) = World::turning(server.url());
        let reading = read(&world, &clock).await.unwrap();
        assert_eq!((reading.rows.len(), reading.failed), (0, 0));
    }
}

#[tokio::test]
async fn a_size_of_which_a_row_cannot_be_read_is_not_told_by_the_others() {
    let mut report: Vec<_> = sizes(400).as_array().unwrap().clone();
    report.push(row(1, "1", "4699", &[(ALL_PLACES, 5), ("Тула", 5)]));
    report.last_mut().unwrap()["warehouses"][1]["quantity"] = json!("lots");
    report.push(row(5, "1", "4698", &[(ALL_PLACES, 5), ("Тула", 5)]));
    report.last_mut().unwrap()["techSize"] = json!(1);
    report.push(row(9, "0", "4697", &[(ALL_PLACES, 4), ("Тула", 5)]));
    report.push(json!({ "techSize": "0" }));
    let (server, _) = Maker::start(&["done"], &json!(report));
    let (world, clock) = World::turning(server.url());
    let reading = read(&world, &clock).await.unwrap();
    assert_eq!(reading.failed, 4);
    let rows: Vec<_> = reading.rows.iter().map(told).map(|row| (row.0, row.1)).collect();
    assert!(rows.contains(&("1", None)) && !rows.contains(&("1", Some("1"))), "one size of a product");
    assert!(rows.iter().all(|(product, _)| *product != "5"), "which size it was is not known");
    assert!(
        rows.contains(&("9", Some("1"))) && !rows.contains(&("9", None)),
        "more in the places than in all"
    );
    assert_eq!(rows.len(), 800 - 2 - 4 - 2);
}

#[tokio::test]
async fn a_barcode_that_comes_again_is_not_added_to_itself() {
    let mut report: Vec<_> = sizes(200).as_array().unwrap().clone();
    report.push(report[3].clone());
    let (server, _) = Maker::start(&["done"], &json!(report));
    let (world, clock) = World::turning(server.url());
    let reading = read(&world, &clock).await.unwrap();
    let rows: Vec<_> = reading.rows.iter().map(told).map(|row| (row.0, row.1)).collect();
    assert_eq!((reading.failed, rows.len()), (1, 400 - 2));
    assert!(!rows.contains(&("2", Some("1"))), "which of its rows is right cannot be told");
}

#[tokio::test]
async fn a_report_that_has_changed_is_not_read() {
    let mut bad = sizes(100).as_array().unwrap().clone();
    for row in &mut bad[..2] {
        row["nmId"] = json!(null);
    }
    let renamed = json!([
        row(1, "0", "46", &[("Total", 5), ("Тула", 5)]),
        row(2, "0", "47", &[(TO, 5)]),
        row(3, "0", "48", &[("Тула", 2), (BACK, 1), ("Казань", 3), ("Total", 5)]),
    ]);
    let all_renamed = json!([
        row(1, "0", "46", &[("Total", 5), ("Тула", 5)]),
        row(2, "0", "47", &[("To customers", 5)]),
        row(3, "0", "48", &[("Тула", 2), ("Returns", 1), ("Казань", 3), ("Total", 5)]),
    ]);
    let without_total = json!([row(1, "0", "46", &[("Тула", 5), ("To customers", 2)])]);
    for report in [json!(bad), renamed, all_renamed, without_total, json!({ "rows": [] })] {
        let (server, maker) = Maker::start(&["done"], &report);
        let (world, clock) = World::turning(server.url());
        let error = read(&world, &clock).await.unwrap_err();
        assert!(matches!(error, Error::ContractChanged { endpoint: "remains_download", .. }), "{error}");
        assert_eq!(maker.created(), 1);
    }
}
