//! Figures over many things at once, as a sync of a marketplace has left them: they agree with the lists.

use serde_json::{Value, json};
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    catalogue::{FIGURES, assert_members, get, sum, walk},
    service::{Person, Service},
};

on_each_database!(
    sums_agree_with_the_lists,
    rankings_agree_with_the_lists,
    syncs_are_counted_by_day,
    a_new_company_has_figures_too,
);

const PRODUCT: &str =
    "id, account_id, marketplace, external_id, seller_article, name, brand, category, status, updated_at";

/// A company with a marketplace read twice over: two sellers.
async fn synced(database: TestDatabase) -> (Service, Person, [String; 2]) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let mut accounts = Vec::new();
    for seller in 0..2 {
        let account = service.connect(&person, seller).await;
        accounts.push(account["id"].as_str().expect("an id").to_owned());
    }
    service.carry_all().await;
    (service, person, accounts.try_into().expect("two"))
}

fn ids(items: &[Value]) -> Vec<&Value> {
    items.iter().map(|item| &item["id"]).collect()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no count"))
}

/// A quotient of counts with one decimal, half up.
#[expect(clippy::cast_precision_loss, reason = "a few units")]
fn tenths(dividend: i64, divisor: i64) -> Value {
    json!(((20 * dividend + divisor) / (2 * divisor)) as f64 / 10.0)
}

async fn sums_agree_with_the_lists(database: TestDatabase) {
    let (service, person, [first, _]) = synced(database).await;
    let ask = async |path: &str| get(&service, &person, &format!("/api/v1/analytics/{path}")).await;
    for of in [String::new(), format!("account_id={first}"), "marketplace=wildberries".to_owned()] {
        let products = walk(&service, &person, &format!("/api/v1/products?{of}"), 7).await;
        let (stock, orders) = (sum(&products, "total_stock"), sum(&products, "ordered_units"));
        assert!(stock > 0 && orders > 0);

        let steps = ask(&format!("stock-distribution?{of}")).await;
        for step in ["out", "critical", "low", "medium", "good", "excellent"] {
            let there = products.iter().filter(|product| product["stock_state"] == step).count();
            assert_eq!(steps[step], there, "{step}: {steps}");
        }
        assert_eq!((&steps["unknown"], &steps["total_products"]), (&json!(0), &json!(products.len())));

        let places = walk(&service, &person, &format!("/api/v1/analytics/warehouses?{of}"), 2).await;
        assert_members(
            &places[0],
            "warehouse_id, account_id, marketplace, external_id, warehouse_name, kind, total_stock, total_orders, product_count, as_of",
        );
        assert_eq!((sum(&places, "total_stock"), sum(&places, "total_orders")), (stock, orders));
        let known: Vec<i64> = places.iter().filter_map(|place| place["total_stock"].as_i64()).collect();
        assert!(known.is_sorted_by(|a, b| a >= b), "{known:?}");

        let turnover = ask(&format!("turnover?{of}")).await;
        let totals = &turnover["totals"];
        assert_eq!(totals["products"], products.len());
        assert_eq!((number(&totals["total_stock"]), number(&totals["ordered_units"])), (stock, orders));
        assert_eq!((&totals["window_days"], &totals["cover_state"]), (&json!(7), &json!("ok")));
        assert_eq!(totals["days_of_cover"], tenths(stock * 7, orders));
        if of.is_empty() {
            let dashboard = ask("dashboard").await;
            assert_eq!(dashboard["total_stock"], totals["total_stock"]);
            assert_eq!(dashboard["total_orders"], totals["ordered_units"]);
            assert_eq!(dashboard["out_of_stock_count"], steps["out"]);
            let listed = walk(&service, &person, "/api/v1/warehouses", 3).await;
            assert_eq!(listed.len(), places.len());
            for place in &places {
                let same = listed.iter().find(|other| other["id"] == place["warehouse_id"]).expect("listed");
                for (here, there) in [
                    ("warehouse_name", "name"),
                    ("total_stock", "total_stock"),
                    ("total_orders", "ordered_units"),
                    ("product_count", "product_count"),
                    ("kind", "kind"),
                    ("as_of", "as_of"),
                ] {
                    assert_eq!(place[here], same[there], "{here} of {place}");
                }
            }
        }
    }
}

async fn rankings_agree_with_the_lists(database: TestDatabase) {
    let (service, person, [first, _]) = synced(database).await;
    let list = async |path: &str| walk(&service, &person, &format!("/api/v1/{path}"), 3).await;
    let all = list("products?sort_by=total_stock").await;
    let dashboard = get(&service, &person, "/api/v1/analytics/dashboard").await;

    let low = list("analytics/low-stock?include_out_of_stock=false").await;
    let with_out = list("analytics/low-stock").await;
    assert_eq!(dashboard["low_stock_count"], low.len());
    assert_eq!(dashboard["out_of_stock_count"], with_out.len() - low.len());
    assert_eq!(with_out, list("products?low_stock_only=true&sort_by=total_stock").await);
    let below = |threshold: i64, product: &&Value| product["total_stock"].as_i64() < Some(threshold);
    for threshold in [0, 1, 40, 1_000_000] {
        let found = list(&format!("analytics/low-stock?threshold={threshold}")).await;
        let expected: Vec<_> = all.iter().filter(|product| below(threshold.max(1), product)).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{threshold}");
    }
    let answer = get(&service, &person, "/api/v1/analytics/low-stock?threshold=40&limit=1").await;
    let rule = json!({"units": 40, "days_of_cover": null, "includes_out_of_stock": true});
    assert_eq!(answer["rule"], rule);
    let change = json!({"low_stock": {"units": 15, "days_of_cover": 9}});
    service.call("PATCH", "/api/v1/tenants/me").token(&person.access).json(&change).send().await.expect(200);
    let answer =
        get(&service, &person, "/api/v1/analytics/low-stock?include_out_of_stock=false&limit=200").await;
    let rule = json!({"units": 15, "days_of_cover": 9, "includes_out_of_stock": false});
    assert_eq!(answer["rule"], rule, "the company's own");
    let dashboard = get(&service, &person, "/api/v1/analytics/dashboard").await;
    assert_eq!(dashboard["low_stock_count"], answer["items"].as_array().map_or(0, Vec::len));

    let top = list("analytics/top-products").await;
    assert_members(&top[0], PRODUCT);
    assert_members(&top[0], FIGURES);
    let by_orders = list("products?sort_by=ordered_units&sort_order=desc").await;
    let ordered: Vec<Value> =
        by_orders.iter().filter(|product| number(&product["ordered_units"]) > 0).cloned().collect();
    assert!(!ordered.is_empty() && ordered.len() == top.len());
    for (product, listed) in top.iter().zip(&ordered) {
        let (stock, units) = (number(&listed["total_stock"]), number(&listed["ordered_units"]));
        assert_eq!(product["stock_to_orders_ratio"], tenths(stock, units), "{product}");
        let mut product = product.clone();
        product.as_object_mut().expect("an object").remove("stock_to_orders_ratio");
        assert_eq!(product, *listed);
    }
    let of_first = list(&format!("analytics/top-products?account_id={first}")).await;
    assert!(of_first.len() < top.len() && of_first.iter().all(|product| product["account_id"] == first));

    assert_eq!(list("analytics/turnover").await, by_orders);
    for (query, same) in [
        ("sort_by=velocity&sort_order=asc", "sort_by=ordered_units"),
        ("sort_by=days_of_cover", "sort_by=days_of_cover"),
        ("sort_by=days_of_cover&sort_order=desc", "sort_by=days_of_cover&sort_order=desc"),
    ] {
        let (found, listed) =
            (list(&format!("analytics/turnover?{query}")).await, list(&format!("products?{same}")).await);
        assert_eq!(ids(&found), ids(&listed), "{query}");
    }
}

async fn syncs_are_counted_by_day(database: TestDatabase) {
    let (service, person, [first, _]) = synced(database).await;
    let ask =
        async |query: &str| get(&service, &person, &format!("/api/v1/analytics/sync-history?{query}")).await;
    let listed = walk(&service, &person, "/api/v1/syncs", 1).await;
    let history = ask("").await;
    let days = history["items"].as_array().expect("days");
    assert_eq!((days.len(), &history["time_zone"]), (30, &json!("Europe/Moscow")));
    let today = &days[29];
    assert_eq!((&today["date"], &days[0]["date"]), (&json!("2026-11-20"), &json!("2026-10-22")));
    assert_eq!((&today["syncs"], &today["completed"]), (&json!(listed.len()), &json!(2)));
    let longest = listed.iter().filter_map(|sync| sync["duration_ms"].as_i64()).max();
    assert_eq!(today["longest_duration_ms"].as_i64(), longest);
    assert_members(
        today,
        "date, syncs, completed, partial, failed, skipped, cancelled, average_duration_ms, longest_duration_ms",
    );
    assert_eq!((&days[28]["syncs"], &days[28]["average_duration_ms"]), (&json!(0), &Value::Null));
    assert_eq!((&history["totals"]["syncs"], &history["pending_or_running"]), (&json!(2), &json!(0)));
    assert_eq!(ask(&format!("account_id={first}&days=1")).await["totals"]["completed"], 1);

    // One that waits is on no day; one that is stopped before it begins has no duration.
    let asked = service.post(&format!("/api/v1/marketplace-accounts/{first}/sync")).token(&person.access);
    let sync = asked.send().await.expect(202);
    assert_eq!(ask("days=1").await["pending_or_running"], 1);
    let path = format!("/api/v1/syncs/{}/cancel", sync["sync_id"].as_str().expect("an id"));
    service.post(&path).token(&person.access).send().await.expect(200);
    let history = ask("days=1").await;
    assert_eq!((&history["totals"]["cancelled"], &history["totals"]["syncs"]), (&json!(1), &json!(3)));
    assert_eq!(history["pending_or_running"], 0);
    assert_eq!(history["totals"]["longest_duration_ms"].as_i64(), longest);
}

async fn a_new_company_has_figures_too(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let ask = async |path: &str| get(&service, &person, &format!("/api/v1/analytics/{path}")).await;
    for list in ["low-stock", "top-products", "warehouses", "turnover"] {
        let answer = ask(list).await;
        assert_eq!(
            (&answer["items"], &answer["page"]),
            (&json!([]), &json!({"next_cursor": null})),
            "{list}"
        );
    }
    assert_eq!(
        ask("low-stock").await["rule"],
        json!({"units": 10, "days_of_cover": null, "includes_out_of_stock": true})
    );
    assert_eq!(ask("stock-distribution").await["total_products"], 0);
    let totals = ask("turnover").await["totals"].clone();
    assert_eq!(
        (&totals["products"], &totals["total_stock"], &totals["days_of_cover"]),
        (&json!(0), &json!(0), &Value::Null)
    );
    let history = ask("sync-history?days=90").await;
    assert_eq!(history["items"].as_array().map(Vec::len), Some(90));
    assert_eq!(history["totals"]["average_duration_ms"], Value::Null);
}

#[tokio::test]
async fn wrong_questions_are_told_where() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let person = service.register("anna").await;
    for (query, pointer) in [
        ("low-stock?threshold=-1", "/query/threshold"),
        ("low-stock?threshold=1000001", "/query/threshold"),
        ("low-stock?threshold=few", "/query/threshold"),
        ("low-stock?include_out_of_stock=perhaps", "/query/include_out_of_stock"),
        ("low-stock?account_id=17", "/query/account_id"),
        ("low-stock?limit=201", "/query/limit"),
        ("top-products?marketplace=bazaar", "/query/marketplace"),
        ("top-products?sort_by=name", "/query/sort_by"),
        ("turnover?sort_by=name", "/query/sort_by"),
        ("turnover?sort_order=up", "/query/sort_order"),
        ("stock-distribution?limit=1", "/query/limit"),
        ("warehouses?kind=seller", "/query/kind"),
        ("sync-history?days=0", "/query/days"),
        ("sync-history?days=91", "/query/days"),
        ("sync-history?cursor=x", "/query/cursor"),
        ("dashboard?account_id=17", "/query/account_id"),
    ] {
        let path = format!("/api/v1/analytics/{query}");
        service.get(&path).token(&person.access).send().await.points_at(pointer);
    }
    for list in ["low-stock", "top-products", "turnover", "warehouses"] {
        let path = format!("/api/v1/analytics/{list}?cursor=nonsense");
        service.get(&path).token(&person.access).send().await.problem(422, "invalid_cursor");
    }
}
