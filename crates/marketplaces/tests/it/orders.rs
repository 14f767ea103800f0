//! Reading order lines.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{NaiveDateTime, TimeDelta};
use domain::{
    clock::Clock as _,
    marketplace::WarehouseKind,
    reading::{OrderRow, Position, ReadPage},
};
use marketplaces::{Error, Settings};
use serde_json::{Value, json};

use crate::{
    server::{Asked, Reply, Server},
    support::{ALL, BASIC, NOW, Reading, Turning, World, at, read_all},
};

/// What becomes of the lines of the very moment that is asked from.
#[derive(Debug, Clone, Copy)]
enum EdgeLines {
    Included,
    Missing,
}

/// A report of lines `(srid, lastChangeDate)` in the order of change, cut after so many rows.
struct Report {
    lines: Mutex<Vec<(String, String)>>,
    cap: usize,
    edge: EdgeLines,
}

impl Report {
    fn new(lines: &[(&str, &str)], cap: usize, edge: EdgeLines) -> Arc<Self> {
        let lines = lines.iter().map(|(id, changed)| ((*id).to_owned(), (*changed).to_owned())).collect();
        Arc::new(Self { lines: Mutex::new(lines), cap, edge })
    }

    fn answer(&self, asked: &Asked) -> Reply {
        assert_eq!((asked.path.as_str(), asked.query["flag"].as_str()), ("/api/v1/supplier/orders", "0"));
        let from = &asked.query["dateFrom"];
        let wanted = |(_, changed): &&(String, String)| match self.edge {
            EdgeLines::Included => changed >= from,
            EdgeLines::Missing => changed > from,
        };
        let lines = self.lines.lock().unwrap();
        let rows: Vec<_> =
            lines.iter().filter(wanted).take(self.cap).map(|(id, changed)| line(id, changed)).collect();
        Reply::json(&json!(rows))
    }
}

fn line(srid: &str, changed: &str) -> Value {
    json!({
        "srid": srid, "date": "2026-11-18T12:00:00", "lastChangeDate": changed, "gNumber": "basket-1", "nmId": 55,
        "barcode": "4600000000017", "techSize": "M", "warehouseName": "Коледино", "warehouseType": "Склад WB",
        "totalPrice": 1999.90, "priceWithDisc": 1499.925, "finishedPrice": "1399", "isCancel": false,
        "cancelDate": "0001-01-01T00:00:00", "discountPercent": 25, "countryName": "Россия",
    })
}

async fn read(server: &Server, since: Option<&Position>) -> Reading<OrderRow> {
    let world = World::new(server.url());
    read_all(async |at| world.account("s").orders(since, at.as_ref()).await).await.unwrap()
}

/// Reads an answer of some lines and so many good ones.
async fn among_good(lines: &[Value], good: usize) -> Result<Reading<OrderRow>, Error> {
    let good = (0..good).map(|n| line(&format!("good-{n}"), "2026-11-19T10:00:00"));
    let answer: Vec<_> = lines.iter().cloned().chain(good).collect();
    let server =
        Server::start(move |asked| Reply::json(&if asked.earlier == 0 { json!(answer) } else { json!([]) }));
    let world = World::new(server.url());
    read_all(async |at| world.account("s").orders(None, at.as_ref()).await).await
}

/// Reads a page with a token that may seldom ask, when it may.
async fn slow_page(
    world: &World,
    since: Option<&Position>,
    at: Option<&Position>,
) -> Result<ReadPage<OrderRow>, Error> {
    let account = world.account_with("s", BASIC, &ALL);
    loop {
        match account.orders(since, at).await {
            Err(Error::RateLimited { retry_after, .. }) => tokio::time::sleep(retry_after).await,
            page => return page,
        }
    }
}

async fn one(line: Value) -> Reading<OrderRow> {
    let server =
        Server::start(move |asked| Reply::json(&if asked.earlier == 0 { json!([line]) } else { json!([]) }));
    read(&server, None).await
}

fn ids(reading: &Reading<OrderRow>) -> Vec<&str> {
    let mut ids: Vec<_> = reading.rows.iter().map(|row| row.external_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[tokio::test]
async fn lines_that_share_a_moment_straddle_pages_and_none_is_lost() {
    let lines = [
        ("a", "2026-11-19T10:00:00"),
        ("b", "2026-11-19T10:00:01"),
        ("c", "2026-11-19T10:00:01"),
        ("d", "2026-11-19T10:00:01"),
        ("e", "2026-11-19T10:00:02"),
        ("f", "2026-11-19T10:00:03"),
    ];
    // A page of 3 is cut within the moment that three lines share.
    for (cap, edge) in [
        (4, EdgeLines::Included),
        (6, EdgeLines::Included),
        (100, EdgeLines::Included),
        (3, EdgeLines::Missing),
        (4, EdgeLines::Missing),
        (100, EdgeLines::Missing),
    ] {
        let report = Report::new(&lines, cap, edge);
        let server = Server::start(move |asked| report.answer(asked));
        let reading = read(&server, None).await;
        assert_eq!(ids(&reading), ["a", "b", "c", "d", "e", "f"], "{edge:?} {cap}");
        assert!(reading.pages <= 9, "{edge:?} {cap}: {} pages", reading.pages);
    }
}

#[tokio::test]
async fn a_page_that_brings_nothing_new_is_the_end() {
    let same = "2026-11-19T10:00:00";
    let report = Report::new(&[("a", same), ("b", same)], 100, EdgeLines::Included);
    let server = Server::start(move |asked| report.answer(asked));
    let reading = read(&server, None).await;
    assert_eq!((ids(&reading), reading.pages), (vec!["a", "b"], 3));
    assert_eq!(server.asked()[1].query["dateFrom"], "2026-11-19T09:59:59", "a little before the end");
    assert_eq!(server.asked()[2].query["dateFrom"], same, "what came was all of a page: perhaps it was cut");
}

#[tokio::test]
async fn a_token_that_may_seldom_ask_reads_to_the_day_it_is() {
    // Three hours behind Moscow, its day has begun at 21:00.
    for (latest, answers) in [("2026-11-20T00:00:00", 1), ("2026-11-19T23:59:59", 3)] {
        let lines = [("a", "2026-11-18T10:00:00"), ("b", latest)];
        let report = Report::new(&lines, 10, EdgeLines::Included);
        let server = Server::start(move |asked| report.answer(asked));
        let (world, _) = World::turning(server.url());
        let reading = read_all(async |at| slow_page(&world, None, at.as_ref()).await);
        assert_eq!(ids(&reading.await.unwrap()), ["a", "b"]);
        assert_eq!(server.asked().len(), answers, "{latest}");
    }
}

#[tokio::test]
async fn a_token_that_may_seldom_ask_comes_to_the_end_though_answers_are_cut() {
    // More lines in an hour than one answer has.
    let lines: Vec<_> =
        (0..40).map(|n| (format!("line-{n:02}"), format!("2026-11-20T11:{n:02}:00"))).collect();
    let lines: Vec<_> = lines.iter().map(|(id, changed)| (id.as_str(), changed.as_str())).collect();
    let report = Report::new(&lines, 10, EdgeLines::Included);
    let server = Server::start(move |asked| report.answer(asked));
    let (world, _) = World::turning(server.url());
    let (mut found, mut watermark) = (std::collections::BTreeSet::new(), None);
    for _ in 0..10 {
        let reading =
            read_all(async |at| slow_page(&world, watermark.as_ref(), at.as_ref()).await).await.unwrap();
        found.extend(reading.rows.into_iter().map(|row| row.external_id));
        watermark = reading.watermark.or(watermark);
    }
    assert_eq!(found.len(), 40);
}

#[tokio::test]
async fn a_new_line_of_the_same_moment_is_progress() {
    let (same, later) = ("2026-11-19T10:00:00", "2026-11-19T10:00:01");
    let server = Server::start(move |asked| {
        let lines = [line("a", same), line("b", same), line("c", later)];
        Reply::json(&json!(lines[..(asked.earlier + 1).min(3)]))
    });
    let reading = read(&server, None).await;
    assert_eq!((ids(&reading), reading.pages), (vec!["a", "b", "c"], 5));
}

#[tokio::test]
async fn the_first_reading_goes_back_ninety_days_and_later_ones_overlap() {
    let report = Report::new(&[("a", "2026-11-19T10:30:00.25")], 100, EdgeLines::Missing);
    let server = Server::start({
        let report = Arc::clone(&report);
        move |asked| report.answer(asked)
    });
    let first = read(&server, None).await;
    assert_eq!(server.asked()[0].query["dateFrom"], "2026-08-22T12:00:00", "90 days before now, in Moscow");
    assert_eq!(
        server.asked()[2].query["dateFrom"],
        "2026-11-19T10:30:00.250",
        "the full time of the last line"
    );

    report.lines.lock().unwrap().insert(0, ("late".to_owned(), "2026-11-19T09:45:00".to_owned()));
    let asked = server.asked().len();
    let second = read(&server, first.watermark.as_ref()).await;
    assert_eq!(server.asked()[asked].query["dateFrom"], "2026-11-19T09:30:00.250");
    assert_eq!(ids(&second), ["a", "late"], "a line that came late is found");
    let changed = |watermark: Option<Position>| {
        serde_json::from_str::<Value>(&watermark.unwrap().0).unwrap()["changed"].clone()
    };
    assert_eq!(changed(second.watermark), changed(first.watermark.clone()));

    report.lines.lock().unwrap().clear();
    assert_eq!(
        read(&server, first.watermark.as_ref()).await.watermark,
        None,
        "nothing read, nothing to keep"
    );
}

#[tokio::test]
async fn a_line_from_the_future_does_not_take_the_watermark_with_it() {
    let report = Report::new(
        &[("a", "2026-11-19T10:00:00"), ("odd", "2027-01-01T00:00:00")],
        100,
        EdgeLines::Included,
    );
    let server = Server::start({
        let report = Arc::clone(&report);
        move |asked| report.answer(asked)
    });
    let first = read(&server, None).await;
    assert_eq!(ids(&first), ["a", "odd"]);
    report.lines.lock().unwrap().insert(1, ("new".to_owned(), "2026-11-20T11:59:00".to_owned()));
    let second = read(&server, first.watermark.as_ref()).await;
    assert_eq!(ids(&second), ["a", "new", "odd"]);
    assert!(server.asked().iter().any(|asked| asked.query["dateFrom"] == "2026-11-20T11:58:59"));
}

/// Lines of a seller of whom an order comes in every two seconds, up to the present moment of a clock that goes on by a
/// minute with every question. An answer holds so many lines.
fn busy(cap: usize) -> (Server, World, Arc<Turning>) {
    let clock = Turning::new();
    let told = Arc::clone(&clock);
    let server = Server::start(move |asked| {
        told.turn(Duration::from_mins(1));
        let from = asked.query["dateFrom"].parse::<NaiveDateTime>().unwrap() - TimeDelta::hours(3);
        let now = told.now().naive_utc();
        let first = (from - (at(NOW).naive_utc() - TimeDelta::hours(2))).num_seconds().max(0);
        let moments = (first + first % 2..).step_by(2);
        let moment = |n: i64| at(NOW).naive_utc() - TimeDelta::hours(2) + TimeDelta::seconds(n);
        let rows: Vec<_> = moments
            .take_while(|n| moment(*n) <= now)
            .take(cap)
            .map(|n| {
                line(&format!("line-{n}"), &(moment(n) + TimeDelta::hours(3)).format("%FT%T").to_string())
            })
            .collect();
        Reply::json(&json!(rows))
    });
    let settings = Settings { limit_scale: 0.0001, ..Settings::default() };
    let world = World::with(&settings, server.url(), false, clock.clone());
    (server, world, clock)
}

#[tokio::test]
async fn a_reading_of_a_busy_seller_ends() {
    for (cap, pages) in [(100_000, 1), (1000, 4)] {
        let (server, world, _) = busy(cap);
        let reading = read_all(async |at| world.account("s").orders(None, at.as_ref()).await).await.unwrap();
        // Two hours and a minute for each answer: nothing that changed before the reading began is missing.
        assert_eq!((reading.pages, server.asked().len()), (pages, pages), "{cap}");
        let ids = ids(&reading);
        assert!((0..=3600).all(|n| ids.binary_search(&&*format!("line-{}", 2 * n)).is_ok()), "{cap}");
    }
}

#[tokio::test]
async fn a_reading_goes_on_while_what_it_reads_is_older_than_itself() {
    // The newest line is a second older than the reading: one more may come of that moment.
    let report = Report::new(&[("a", "2026-11-20T11:59:59")], 100, EdgeLines::Missing);
    let server = Server::start(move |asked| report.answer(asked));
    assert_eq!(read(&server, None).await.pages, 3);
    let report = Report::new(&[("a", "2026-11-20T12:00:00")], 100, EdgeLines::Missing);
    let server = Server::start(move |asked| report.answer(asked));
    assert_eq!(read(&server, None).await.pages, 1);
}

/// So many lines, three of which share each second.
fn crowd(count: usize) -> Vec<Value> {
    let begin = at("2026-11-18T00:00:00Z");
    let changed = |n: usize| (begin + Duration::from_secs(n as u64 / 3)).format("%FT%T").to_string();
    (0..count).map(|n| line(&format!("line-{n:05}"), &changed(n))).collect()
}

#[tokio::test]
async fn an_answer_too_long_for_a_page_is_cut_and_none_of_it_is_lost() {
    let lines = crowd(25_000);
    let server = Server::start(move |asked| {
        let from = json!(asked.query["dateFrom"]);
        let wanted = lines.iter().filter(|line| line["lastChangeDate"].as_str() >= from.as_str());
        // Nobody says that the lines of an answer are in order.
        Reply::json(&wanted.rev().cloned().collect())
    });
    let world = World::new(server.url());
    let alive = world.account("s");
    let whole = read_all(async |at| alive.orders(None, at.as_ref()).await).await.unwrap();
    assert_eq!((ids(&whole).len(), whole.rows.len()), (25_000, 25_000 + 4));
    assert!(whole.pages >= 3 && server.asked().len() == 2, "who has the rest does not ask for it");

    let killed = read_all(async |at| world.account("s").orders(None, at.as_ref()).await).await.unwrap();
    assert_eq!(ids(&killed), ids(&whole));
    assert!(server.asked().len() > 4, "who lost it asks again");
    assert_eq!(killed.watermark, whole.watermark);
}

#[tokio::test]
async fn nothing_new_since_a_reading_takes_one_answer() {
    let lines: Vec<_> =
        (0..50).map(|n| (format!("l{n}"), format!("2026-11-19T{:02}:00:00", n / 5))).collect();
    let lines: Vec<_> = lines.iter().map(|(id, changed)| (id.as_str(), changed.as_str())).collect();
    let report = Report::new(&lines, 100, EdgeLines::Included);
    let server = Server::start(move |asked| report.answer(asked));
    let first = read(&server, None).await;
    assert_eq!((ids(&first).len(), first.pages), (50, 2));
    let second = read(&server, first.watermark.as_ref()).await;
    assert_eq!((second.pages, second.watermark), (1, first.watermark));
}

#[tokio::test]
async fn an_impossible_amount_is_unreadable() {
    let mut dear = line("dear", "2026-11-19T10:00:00");
    dear["totalPrice"] = json!(92_233_720_368_547_758_i64);
    let reading = among_good(&[dear], 99).await.unwrap();
    assert_eq!((reading.rows.len(), ids(&reading).contains(&"dear"), reading.failed), (99, false, 1));
}

#[tokio::test]
async fn only_the_line_id_tells_lines_apart() {
    let server = Server::start(|asked| {
        let lines = json!([line("unit-1", "2026-11-19T10:00:00"), line("unit-2", "2026-11-19T10:00:00")]);
        Reply::json(&if asked.earlier == 0 { lines } else { json!([]) })
    });
    let reading = read(&server, None).await;
    assert_eq!(ids(&reading), ["unit-1", "unit-2"]);
    assert!(reading.rows.iter().all(|row| row.basket_id.as_deref() == Some("basket-1") && row.quantity == 1));
}

#[tokio::test]
async fn a_line_changed_today_keeps_the_day_it_was_ordered() {
    let mut old = line("a", "2026-11-20T08:00:00");
    old["date"] = json!("2026-09-01T00:10:00");
    let reading = one(old).await;
    assert_eq!(reading.rows[0].ordered_at, at("2026-08-31T21:10:00Z"), "Moscow time, without saying so");
    assert_eq!(reading.rows[0].changed_at, at("2026-11-20T05:00:00Z"));
}

#[tokio::test]
async fn money_is_exact() {
    let reading = one(line("a", "2026-11-19T10:00:00")).await;
    let row = &reading.rows[0];
    let minor = [row.price, row.list_price, row.paid_price].map(|money| money.unwrap().minor);
    assert_eq!(minor, [149_993, 199_990, 139_900]);

    let mut bare = line("b", "2026-11-19T10:00:00");
    bare["totalPrice"] = json!(null);
    bare["gNumber"] = json!(null);
    bare.as_object_mut().unwrap().remove("finishedPrice");
    let row = &one(bare).await.rows[0];
    assert_eq!((row.list_price, row.paid_price), (None, None));
}

#[tokio::test]
async fn a_cancelled_line_says_when() {
    let mut cancelled = line("a", "2026-11-19T10:00:00");
    cancelled["isCancel"] = json!(true);
    let unknown = &one(cancelled.clone()).await.rows[0];
    assert_eq!(unknown.cancelled_at, Some(at("2026-11-19T07:00:00Z")), "the year 1 is no time");
    assert_eq!(unknown.status, "cancelled");

    cancelled["cancelDate"] = json!("2026-11-19T00:00:00");
    assert_eq!(one(cancelled.clone()).await.rows[0].cancelled_at, Some(at("2026-11-18T21:00:00Z")));

    cancelled["isCancel"] = json!(false);
    let row = &one(cancelled).await.rows[0];
    assert_eq!((row.cancelled_at, row.status.as_str()), (None, "ordered"));
}

#[tokio::test]
async fn a_warehouse_is_known_by_its_exact_name_only() {
    for (name, kind, expected) in [
        ("Подольск 4", "Склад WB", Some(WarehouseKind::Marketplace)),
        ("Подольск 4", "Склад продавца", Some(WarehouseKind::Seller)),
        ("Подольск 4", "Новый вид", Some(WarehouseKind::Marketplace)),
        ("", "Склад WB", None),
    ] {
        let mut line = line("a", "2026-11-19T10:00:00");
        line["warehouseName"] = json!(name);
        line["warehouseType"] = json!(kind);
        let location = one(line).await.rows[0].location.clone();
        assert_eq!(location.as_ref().map(|location| location.kind), expected);
        assert!(location.is_none_or(|location| location.external_id.is_none() && location.name == name));
    }
}

#[tokio::test]
async fn a_size_called_nought_is_no_size() {
    for (size, expected) in [
        (json!("0"), None),
        (json!(""), None),
        (json!(null), None),
        (json!("XL"), Some("XL")),
        (json!(42), Some("42")),
    ] {
        let mut line = line("a", "2026-11-19T10:00:00");
        line["techSize"] = size;
        assert_eq!(one(line).await.rows[0].size.as_deref(), expected);
    }
}

#[tokio::test]
async fn one_bad_line_does_not_take_its_page_with_it() {
    let mut bad: Vec<_> = (0..5).map(|n| line(&format!("bad-{n}"), "2026-11-19T10:00:00")).collect();
    bad[0].as_object_mut().unwrap().remove("srid");
    bad[1]["date"] = json!("a while ago");
    bad[2]["lastChangeDate"] = json!(null);
    bad[3]["priceWithDisc"] = json!("cheap");
    bad[4]["isCancel"] = json!("no");
    let reading = among_good(&bad, 495).await.unwrap();
    assert_eq!((ids(&reading).len(), reading.failed), (495, 5));
    assert!(ids(&reading).iter().all(|id| id.starts_with("good")));
    let error = among_good(&bad, 494).await.unwrap_err();
    assert_eq!(error.code(), "contract_changed", "none of an answer is kept of which much cannot be read");
}
