use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use chrono::TimeDelta;
use sandbox::{ReportEnd, ReportStatus, Side};
use serde_json::{Value, json};

use crate::market::{self, Market};

const CREATE: &str = "/api/v1/warehouse_remains";
const FULL: &str = "?groupByNm=true&groupBySa=true&groupByBarcode=true&groupBySize=true";
const TO_CLIENTS: &str = "В пути до получателей";
const FROM_CLIENTS: &str = "В пути возвраты на склад WB";
const IN_ALL_PLACES: &str = "Всего находится на складах";

async fn create(market: &Market, query: &str) -> String {
    let answer = market.get_json(&format!("{CREATE}{query}")).await;
    answer["data"]["taskId"].as_str().expect("a task").to_owned()
}

fn status_path(task: &str) -> String {
    format!("{CREATE}/tasks/{task}/status")
}

fn download_path(task: &str) -> String {
    format!("{CREATE}/tasks/{task}/download")
}

async fn status(market: &Market, task: &str) -> Value {
    let answer = market.get_json(&status_path(task)).await;
    assert_eq!(answer["data"]["id"], task);
    answer["data"]["status"].clone()
}

/// The rows of a report that is made at once.
async fn rows(market: &Market, query: &str) -> Vec<Value> {
    market.sandbox.set_report_time(Duration::ZERO);
    let task = create(market, query).await;
    market.get_json(&download_path(&task)).await.as_array().expect("rows").clone()
}

fn places(row: &Value) -> BTreeMap<&str, u64> {
    let places = row["warehouses"].as_array().expect("places").iter();
    places
        .map(|place| {
            let quantity = place["quantity"].as_u64().expect("a quantity");
            assert!(quantity > 0, "{row}");
            (place["warehouseName"].as_str().expect("a name"), quantity)
        })
        .collect()
}

fn is_total(name: &str) -> bool {
    [TO_CLIENTS, FROM_CLIENTS, IN_ALL_PLACES].contains(&name)
}

/// The sum of one name over all rows.
fn sum(rows: &[Value], name: &str) -> u64 {
    rows.iter().map(|row| places(row).get(name).copied().unwrap_or_default()).sum()
}

#[tokio::test]
async fn a_report_goes_through_its_states_and_is_deleted_after_its_time() {
    let market = Market::with(|options| options.report_time = Duration::from_mins(10)).await;
    let task = create(&market, FULL).await;
    assert_eq!(status(&market, &task).await, "new");
    let early = market.get(&download_path(&task)).await;
    assert_eq!(early.headers()["content-type"], "application/problem+json");
    assert_eq!(market::json(early, 404).await["detail"], "not found");
    market.pass(TimeDelta::minutes(9));
    assert_eq!(status(&market, &task).await, "processing");
    market.pass(TimeDelta::minutes(1));
    assert_eq!(status(&market, &task).await, "done");
    let first = market.get_json(&download_path(&task)).await;
    market.pass(TimeDelta::minutes(119));
    assert_eq!(market.get_json(&download_path(&task)).await, first, "it can be read again");
    market.pass(TimeDelta::minutes(1));
    assert_eq!(status(&market, &task).await, "purged");
    assert_eq!(market::json(market.get(&download_path(&task)).await, 404).await["detail"], "not found");
    let reports = market.sandbox.reports(0).unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!((reports[0].task_id.to_string(), reports[0].status), (task, ReportStatus::Purged));
}

/// `chrtID` of each barcode.
async fn sizes(market: &Market) -> HashMap<String, i64> {
    let request = json!({"settings": {"cursor": {"limit": 100}}});
    let cards = market.post_json("/content/v2/get/cards/list", &request).await;
    let mut sizes = HashMap::new();
    let listed = cards["cards"].as_array().expect("cards").iter();
    for size in listed.filter_map(|card| card["sizes"].as_array()).flatten() {
        let chrt_id = size["chrtID"].as_i64().expect("an id");
        let codes = size["skus"].as_array().expect("barcodes").iter();
        sizes.extend(codes.map(|code| (code.as_str().expect("a barcode").to_owned(), chrt_id)));
    }
    sizes
}

#[tokio::test]
async fn every_row_adds_up_and_all_of_them_are_the_truth() {
    let market = Market::with(|options| options.masked = false).await;
    let rows = rows(&market, FULL).await;
    let sizes = sizes(&market).await;
    let truth = market.truth();
    let mut stock: BTreeMap<(i64, &str), u64> = BTreeMap::new();
    let (mut to_clients, mut from_clients) = (BTreeMap::new(), BTreeMap::new());
    for row in &rows {
        let places = places(row);
        let chrt_id = sizes[row["barcode"].as_str().unwrap()];
        assert_eq!(row["nmId"], truth.variants[&chrt_id].nm_id);
        let all: u64 = places.iter().filter(|(name, _)| !is_total(name)).map(|(_, units)| units).sum();
        assert_eq!(places.get(IN_ALL_PLACES).copied().unwrap_or_default(), all, "{row}");
        for (name, units) in places {
            match name {
                TO_CLIENTS => *to_clients.entry(chrt_id).or_default() += units,
                FROM_CLIENTS => *from_clients.entry(chrt_id).or_default() += units,
                IN_ALL_PLACES => {}
                _ => *stock.entry((chrt_id, name)).or_default() += units,
            }
        }
    }
    let fbo = truth.stock.iter().filter(|stock| stock.side == Side::Fbo);
    let expected: BTreeMap<_, _> =
        fbo.map(|stock| ((stock.chrt_id, stock.warehouse_name), u64::from(stock.available))).collect();
    assert_eq!(stock, expected);
    let expected = |of: fn(&sandbox::Figures) -> u32| -> BTreeMap<i64, u64> {
        let all = truth.variants.iter().map(|(id, variant)| (*id, u64::from(of(&variant.figures))));
        all.filter(|(_, units)| *units > 0).collect()
    };
    assert_eq!(to_clients, expected(|figures| figures.in_way_to_client));
    assert_eq!(from_clients, expected(|figures| figures.in_way_from_client));
    let barcodes: BTreeSet<_> = rows.iter().map(|row| row["barcode"].as_str().unwrap()).collect();
    assert_eq!(barcodes.len(), rows.len(), "a row for each barcode");
    let sizes: BTreeSet<_> = barcodes.iter().map(|code| sizes[*code]).collect();
    assert!(sizes.len() < rows.len(), "some sizes have two barcodes, and stock under both");
}

#[tokio::test]
async fn masked_places_of_one_kind_are_one_and_those_abroad_keep_their_names() {
    let market = Market::open().await;
    let masked = rows(&market, FULL).await;
    let names: BTreeSet<_> = masked.iter().flat_map(places).map(|(name, _)| name).collect();
    let expected = ["Склад WB РФ", "Склад WB СГТ РФ", "Минск", TO_CLIENTS, FROM_CLIENTS, IN_ALL_PLACES];
    assert_eq!(names, expected.into());
    market.sandbox.set_masked(false);
    let named = rows(&market, FULL).await;
    assert!(sum(&named, "Коледино") > 0 && sum(&named, "Склад WB РФ") == 0);
    for name in [TO_CLIENTS, FROM_CLIENTS, IN_ALL_PLACES, "Минск"] {
        assert_eq!(sum(&masked, name), sum(&named, name), "{name}");
    }
}

fn heads(rows: &[Value]) -> BTreeSet<&str> {
    let names = rows.iter().flat_map(|row| row.as_object().expect("a row").keys());
    names.map(String::as_str).filter(|name| *name != "warehouses").collect()
}

#[tokio::test]
async fn rows_are_split_by_what_is_asked_for_and_by_nothing_else() {
    let market = Market::open().await;
    let whole = rows(&market, "").await;
    assert_eq!((whole.len(), heads(&whole)), (1, BTreeSet::new()));
    for (query, expected) in [
        ("?groupByBrand=true", &["brand"][..]),
        ("?groupBySubject=1", &["subjectName"]),
        ("?groupBySa=True", &["vendorCode"]),
        ("?groupByNm=true", &["brand", "nmId", "subjectName", "volume"]),
        ("?groupByBarcode=true&groupByNm=false", &["barcode"]),
        ("?groupBySize=true&groupBySubject=true", &["subjectName", "techSize"]),
        (FULL, &["barcode", "brand", "nmId", "subjectName", "techSize", "vendorCode", "volume"]),
    ] {
        let rows = rows(&market, query).await;
        assert_eq!(heads(&rows), expected.iter().copied().collect(), "{query}");
        let heads: BTreeSet<_> = rows
            .iter()
            .map(|row| {
                let mut head = row.clone();
                head.as_object_mut().expect("a row").remove("warehouses");
                head.to_string()
            })
            .collect();
        assert_eq!(heads.len(), rows.len(), "{query}: no two rows of one head");
        assert!(rows.len() > 1, "{query}");
        for name in [TO_CLIENTS, FROM_CLIENTS, IN_ALL_PLACES, "Минск"] {
            assert_eq!(sum(&rows, name), sum(&whole, name), "{query} {name}");
        }
    }
}

#[tokio::test]
async fn filters_choose_goods_by_photo_and_volume() {
    let market = Market::open().await;
    let all = sum(&rows(&market, "").await, IN_ALL_PLACES);
    let with = sum(&rows(&market, "?filterPics=1").await, IN_ALL_PLACES);
    let without = sum(&rows(&market, "?filterPics=-1").await, IN_ALL_PLACES);
    assert!(with > 0 && without > 0);
    assert_eq!(with + without, all);
    let volumes = |rows: Vec<Value>| -> Vec<f64> {
        rows.iter().map(|row| row["volume"].as_f64().expect("a volume")).collect()
    };
    let large = volumes(rows(&market, "?groupByNm=true&filterVolume=3").await);
    assert!(!large.is_empty() && large.iter().all(|volume| *volume > 3.0));
    let unmeasured = volumes(rows(&market, "?groupByNm=true&filterVolume=-1").await);
    assert!(!unmeasured.is_empty() && unmeasured.iter().all(|volume| *volume == 0.0));
}

#[tokio::test]
async fn subjects_are_named_in_the_language_asked_for() {
    let market = Market::open().await;
    let russian = rows(&market, "?groupBySubject=true").await;
    let english = rows(&market, "?groupBySubject=true&locale=en").await;
    let has = |rows: &[Value], name: &str| rows.iter().any(|row| row["subjectName"] == name);
    assert!(has(&russian, "Платья") && !has(&russian, "Dresses"));
    assert!(has(&english, "Dresses") && !has(&english, "Платья"));
}

#[tokio::test]
async fn a_report_is_of_the_moment_at_which_it_was_asked_for() {
    let market = Market::with(|options| options.masked = false).await;
    let stock = market.truth().stock.into_iter().find(|stock| stock.side == Side::Fbo).unwrap();
    market.sandbox.set_report_time(Duration::from_mins(1));
    let task = create(&market, "").await;
    let (size, place) = (stock.chrt_id, stock.warehouse_id);
    market.sandbox.set_stock(0, size, place, stock.available + 1000).unwrap();
    market.pass(TimeDelta::minutes(1));
    let before = market.get_json(&download_path(&task)).await;
    let after = rows(&market, "").await;
    let name = stock.warehouse_name;
    assert_eq!(sum(before.as_array().unwrap(), name) + 1000, sum(&after, name));
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_there() {
    let market = Market::open().await;
    market.sandbox.set_report_time(Duration::ZERO);
    let task = create(&market, FULL).await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for path in [status_path(unknown), download_path(unknown)] {
        assert_eq!(market::json(market.get(&path).await, 404).await["title"], "Not Found");
    }
    for path in [status_path(&task), download_path(&task)] {
        let request = market.client.get(market.url(&path)).header("Authorization", market.token(1));
        assert_eq!(request.send().await.unwrap().status(), 404, "a report of another seller");
        assert_eq!(market.get(&path).await.status(), 200);
    }
    for path in [status_path("17"), download_path("17")] {
        let body = market::json(market.get(&path).await, 400).await;
        assert!(body["detail"].as_str().unwrap().contains("task_id"), "{body}");
    }
}

#[tokio::test]
async fn parameters_are_validated_and_make_no_report() {
    let market = Market::open().await;
    for (query, name) in [
        ("?groupByNm=", "groupByNm"),
        ("?groupBySize=yes", "groupBySize"),
        ("?filterPics=2", "filterPics"),
        ("?filterVolume=large", "filterVolume"),
    ] {
        let body = market::json(market.get(&format!("{CREATE}{query}")).await, 400).await;
        assert!(body["detail"].as_str().unwrap().contains(name), "{body}");
        assert_eq!(body["title"], "Bad Request");
    }
    assert!(market.sandbox.reports(0).unwrap().is_empty());
}

#[tokio::test]
async fn a_report_of_nothing_has_no_content() {
    let market = Market::with(|options| options.cards_per_seller = 0).await;
    market.sandbox.set_report_time(Duration::ZERO);
    let task = create(&market, FULL).await;
    assert_eq!(status(&market, &task).await, "done");
    assert_eq!(market.get(&download_path(&task)).await.status(), 204);
}

#[tokio::test]
async fn a_report_can_be_ended_by_hand() {
    let market = Market::open().await;
    market.sandbox.set_report_time(Duration::ZERO);
    for (end, expected) in [(ReportEnd::Purged, "purged"), (ReportEnd::Canceled, "canceled")] {
        let task = create(&market, FULL).await;
        assert_eq!(status(&market, &task).await, "done");
        assert!(!market.sandbox.end_report(1, task.parse().unwrap(), end), "it is not theirs");
        assert!(market.sandbox.end_report(0, task.parse().unwrap(), end));
        assert_eq!(status(&market, &task).await, expected);
        assert_eq!(market.get(&download_path(&task)).await.status(), 404);
    }
    assert_eq!(market.sandbox.reports(0).unwrap().len(), 2);
    assert!(market.sandbox.reports(2).is_err());
}
