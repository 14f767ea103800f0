//! The largest answers that the marketplace gives, and the memory they take.
//!
//! The bounds are for the whole process of the test, the marketplace included; where tests share a process, the other
//! tests count as well.

use domain::{marketplace::Side, reading::Position};

use crate::{
    server::{Reply, Server},
    support::{ALL, BASIC, Known, World},
};

/// The most memory that this process has had so far, in MiB; none where the system does not say.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

/// Far below what a process may have in all.
const BOUND: u64 = 150;

fn assert_small(what: &str) {
    let Some(peak) = peak() else {
        eprintln!("{what}: this system does not tell how much memory is used");
        return;
    };
    eprintln!("{what}: {peak} MiB");
    assert!(peak < BOUND, "{what}: {peak} MiB");
}

/// About a kilobyte.
fn order_line(n: usize) -> String {
    let (minute, second) = (n / 60 % 60, n % 60);
    let (day, hour) = (1 + n / 3600 / 24 % 18, n / 3600 % 24);
    let changed = format!("2026-11-{day:02}T{hour:02}:{minute:02}:{second:02}");
    format!(
        r#"{{"date":"2026-11-01T12:00:00","lastChangeDate":"{changed}","warehouseName":"Электросталь","warehouseType":"Склад WB","countryName":"Россия","oblastOkrugName":"Центральный федеральный округ","regionName":"Московская область","supplierArticle":"article-{n:08}-blue","nmId":{},"barcode":"{}","category":"Бытовая техника","subject":"Мультистайлеры","brand":"Очень длинное имя","techSize":"XXL","incomeID":{n},"isSupply":false,"isRealization":true,"totalPrice":1887.5,"discountPercent":18,"spp":26,"finishedPrice":1145.25,"priceWithDisc":1547.75,"isCancel":false,"cancelDate":"0001-01-01T00:00:00","sticker":"9269{n:08}","gNumber":"343434622182{n:08}","srid":"11.rf9ef11fce1684117b0nhj{n:016}.3.0","more":"{}"}}"#,
        100_000_000 + n / 3,
        2_000_000_000_000 + n,
        "x".repeat(180),
    )
}

#[tokio::test]
async fn the_longest_answer_about_orders_takes_little_memory() {
    const LINES: usize = 80_000;
    let length: usize = (0..10).map(|n| order_line(n).len()).sum();
    assert!((9_000..12_000).contains(&length), "{length}");
    let server = Server::start(|_| Reply::rows(LINES, order_line));
    let account = World::new(server.url()).account("s");
    let (mut lines, mut pages) = (0, 0);
    let mut at: Option<Position> = None;
    while lines < LINES {
        let page = account.orders(None, at.as_ref()).await.unwrap();
        assert_eq!(page.failed, 0);
        lines += page.rows.len();
        pages += 1;
        at = page.next;
    }
    assert_eq!(server.asked().len(), 1);
    assert!(pages > 1, "a page is a part of it");
    assert_small("80,000 order lines of a kilobyte");
}

fn stock_row(n: usize) -> String {
    format!(
        r#"{{"nmId":{},"chrtId":{},"warehouseId":{},"warehouseName":"Санкт-Петербург Уткина Заводь","regionName":"Северо-Западный федеральный округ","quantity":{},"inWayToClient":3,"inWayFromClient":2}}"#,
        100_000_000 + n / 10,
        200_000_000 + n / 5,
        500 + n % 5,
        n % 100,
    )
}

#[tokio::test]
async fn a_page_of_the_stock_report_takes_little_memory() {
    let server = Server::start(|asked| {
        let rows = usize::try_from(asked.body["limit"].as_u64().unwrap()).unwrap();
        Reply::rows(rows, stock_row).within(r#"{"data":{"items":"#, "}}")
    });
    let page = World::new(server.url()).account("s").stock(Side::Fbo, &Known::default(), None).await.unwrap();
    assert_eq!((page.rows.len(), page.failed), (50_000, 0));
    assert_small("50,000 rows of stock");
}

fn size_row(n: usize) -> String {
    let shelf = |name: &str, units: usize| format!(r#"{{"warehouseName":"{name}","quantity":{units}}}"#);
    let shelves = [
        shelf("В пути до получателей", 3),
        shelf("В пути возвраты на склад WB", 2),
        shelf("Всего находится на складах", 3 * (n % 50)),
        shelf("Электросталь", n % 50),
        shelf("Санкт-Петербург Уткина Заводь", n % 50),
        shelf("Екатеринбург - Испытателей 14г", n % 50),
    ];
    format!(
        r#"{{"brand":"Очень длинное имя","subjectName":"Мультистайлеры","vendorCode":"article-{n:08}-blue","nmId":{},"barcode":"{}","techSize":"{}","volume":1.33,"warehouses":[{}]}}"#,
        100_000_000 + n / 4,
        2_000_000_000_000 + n,
        n % 4,
        shelves.join(","),
    )
}

#[tokio::test]
async fn a_report_of_a_hundred_thousand_sizes_takes_little_memory() {
    const SIZES: usize = 100_000;
    let server = Server::start(|asked| match &asked.path {
        path if path.ends_with("/status") => {
            Reply::new(200, "application/json", r#"{"data":{"id":"t","status":"done"}}"#)
        }
        path if path.ends_with("/download") => Reply::rows(SIZES, size_row),
        _ => Reply::new(200, "application/json", r#"{"data":{"taskId":"t"}}"#),
    });
    let (world, clock) = World::turning(server.url());
    let account = world.account_with("s", BASIC, &ALL);
    let (mut rows, mut at) = (0, None);
    loop {
        let page = account.stock(Side::Fbo, &Known::default(), at.as_ref()).await.unwrap();
        clock.turn(page.pause.unwrap_or_default());
        rows += page.rows.len();
        at = page.next;
        if at.is_none() {
            break;
        }
    }
    assert_eq!(rows, 4 * SIZES, "three places and what is on its way");
    assert_eq!(server.asked().len(), 3);
    assert_small("a report of 100,000 sizes");
}
