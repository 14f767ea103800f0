//! Why each figure of a product says what it says, over HTTP.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{clock::Clock as _, explain::Figure};
use sandbox::{Fault, FaultKind, Operation, Times};
use serde_json::{Value, json};
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    catalogue::{assert_members, get, walk},
    documents::operations,
    service::Service,
};

on_each_database!(every_figure_is_explained, what_is_old_or_not_granted_says_so);

const EVERY: &str = "value, stored, agrees, rule, unknown_because, as_of, stale, follows_from, window, counted, excluded, sources";

fn total(rows: &Value) -> i64 {
    rows.as_array().expect("a list").iter().filter_map(|row| row["units"].as_i64()).sum()
}

async fn every_figure_is_explained(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    service.connect(&person, 0).await;
    service.carry_all().await;
    let products = walk(&service, &person, "/api/v1/products", 50).await;
    let truth = service.sandbox().truth(0, service.clock.now()).expect("a seller");
    let mut explained_units = 0;
    for product in &products {
        let id = product["id"].as_str().expect("an id");
        let told = get(&service, &person, &format!("/api/v1/products/{id}/explain")).await;
        assert_eq!((&told["product_id"], &told["agrees"]), (&product["id"], &json!(true)), "{told:#}");
        assert_eq!(told["running_sync_id"], Value::Null);
        assert_eq!(told["figures"]["total_stock"]["as_of"], product["as_of"]);
        let figures = told["figures"].as_object().expect("figures");
        let names: BTreeSet<&str> = figures.keys().map(String::as_str).collect();
        assert_eq!(names, Figure::ALL.iter().map(|figure| figure.name()).collect());
        for (name, figure) in figures {
            assert_members(figure, EVERY);
            assert_eq!((&figure["agrees"], &figure["value"]), (&json!(true), &figure["stored"]), "{name}");
            // The verdict is told here alone; everything else is a field of the product.
            if name != "low_stock" {
                assert_eq!(figure["value"], product[name], "{name}");
            }
            let sources = figure["sources"].as_array().expect("sources");
            assert!(!sources.is_empty(), "{name}");
            for source in sources {
                assert_members(
                    source,
                    "subject, granted, call, as_of, stale, stale_because, sync_id, variants_known, variants_unknown",
                );
                assert!(source["call"].as_str().is_some_and(|call| call.contains(" /")), "{source}");
                let sync = source["sync_id"].as_str().expect("the sync that read it");
                let sync = get(&service, &person, &format!("/api/v1/syncs/{sync}")).await;
                assert_eq!(sync["account_id"], told["account_id"]);
            }
        }
        let stock = &figures["total_stock"];
        assert_eq!(Some(total(&stock["counted"]["by_warehouse"])), stock["value"].as_i64());
        let ordered = &figures["ordered_units"];
        assert_eq!(Some(total(&ordered["counted"]["by_day"])), ordered["value"].as_i64());
        assert_eq!(
            ordered["window"],
            json!({"first_day": "2026-11-13", "last_day": "2026-11-19", "today": "2026-11-20", "days": 7,
                "zone": "Europe/Moscow", "is_current": true})
        );
        assert_eq!(figures["days_of_cover"]["cover_state"], product["cover_state"]);
        assert_eq!(figures["days_of_cover"]["follows_from"], json!(["total_stock", "ordered_units"]));
        let lines = walk(
            &service,
            &person,
            &format!("/api/v1/orders?product_id={id}&from=2026-10-20T21:00:00Z"),
            500,
        )
        .await;
        let all = ordered["counted"]["rows"].as_i64().expect("rows")
            + ordered["excluded"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(|e| e["rows"].as_i64())
                .sum::<i64>();
        assert_eq!(
            all,
            i64::try_from(lines.len()).expect("a few"),
            "each line of a month counts or has a reason"
        );
        explained_units += ordered["value"].as_i64().expect("units");
    }
    assert_eq!(explained_units, truth.ordered.iter().map(|row| i64::from(row.units)).sum::<i64>());
    everything_is_described(&service, &products, &person).await;
}

/// Every member of an answer is in the document, with its words.
async fn everything_is_described(service: &Service, products: &[Value], person: &crate::service::Person) {
    let document = service.document();
    let operation = operations(document)["GET /api/v1/products/{id}/explain"];
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    for product in products {
        let id = product["id"].as_str().expect("an id");
        let told = get(service, person, &format!("/api/v1/products/{id}/explain")).await;
        described(document, schema, &told, "");
    }
}

/// The schemas that describe a value together: those a reference leads to, and all of an `allOf`.
fn parts<'d>(document: &'d Value, schema: &'d Value, found: &mut Vec<&'d Value>) {
    if let Some(reference) = schema["$ref"].as_str() {
        return parts(document, document.pointer(&reference[1..]).expect("a schema"), found);
    }
    found.push(schema);
    for several in ["allOf", "oneOf", "anyOf"] {
        for part in schema[several].as_array().into_iter().flatten() {
            parts(document, part, found);
        }
    }
}

fn described(document: &Value, schema: &Value, value: &Value, path: &str) {
    let mut found = Vec::new();
    parts(document, schema, &mut found);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let property = found.iter().find_map(|part| part["properties"].get(name));
                let property = property.unwrap_or_else(|| panic!("{path}/{name} is not in the document"));
                described(document, property, member, &format!("{path}/{name}"));
            }
        }
        Value::Array(items) => {
            let property = found.iter().find_map(|part| part.get("items"));
            for item in items {
                described(document, property.expect("items"), item, &format!("{path}/*"));
            }
        }
        Value::String(word) => {
            let words: Vec<&Value> =
                found.iter().filter_map(|part| part["enum"].as_array()).flatten().collect();
            assert!(words.is_empty() || words.iter().any(|known| *known == word), "{path}: {word}");
        }
        _ => {}
    }
}

async fn what_is_old_or_not_granted_says_so(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let account = service.connect(&person, 0).await;
    service.carry_all().await;
    let sync = async || {
        service.clock.advance(TimeDelta::hours(2));
        let person = service.sign_in(&person).await;
        let id = account["id"].as_str().expect("an id");
        let asked = service.post(&format!("/api/v1/marketplace-accounts/{id}/sync")).token(&person.access);
        asked.send().await.expect(202);
        service.carry_all().await;
        service.sandbox().clear_faults();
    };
    let product =
        walk(&service, &person, "/api/v1/products?sort_by=total_stock&sort_order=desc", 50).await.remove(0);
    let id = product["id"].as_str().expect("an id");
    let figure = async |name: &str| {
        let person = service.sign_in(&person).await;
        let told = get(&service, &person, &format!("/api/v1/products/{id}/explain")).await;
        assert_eq!(told["agrees"], json!(true), "{told:#}");
        told["figures"][name].clone()
    };
    let down = FaultKind::Status { status: 503 };
    service.sandbox().inject(Fault::on(Operation::WbStocksReport, Times::Every(1), down));
    sync().await;
    let source = figure("fbo_stock").await["sources"][0].clone();
    assert_eq!((&source["stale"], &source["stale_because"]), (&json!(true), &json!("too_old")), "{source}");
    let renamed = FaultKind::RenameField { field: "quantity".to_owned(), to: "amount".to_owned() };
    service.sandbox().inject(Fault::on(Operation::WbStocksReport, Times::Every(1), renamed));
    sync().await;
    let source = figure("fbo_stock").await["sources"][0].clone();
    assert_eq!((&source["stale"], &source["stale_because"]), (&json!(true), &json!("contract_changed")));
    let forbidden = FaultKind::Status { status: 403 };
    service.sandbox().inject(Fault::on(Operation::WbStocksReport, Times::Every(1), forbidden));
    sync().await;
    let told = figure("fbo_stock").await;
    assert_eq!((&told["value"], &told["unknown_because"]), (&Value::Null, &json!("not_granted")), "{told:#}");
    let excluded = told["excluded"].as_array().expect("a list");
    let old =
        excluded.iter().find(|excluded| excluded["reason"] == "not_granted").expect("what it once said");
    assert!(old["rows"].as_i64() > Some(0) && old["units"].as_i64() > Some(0), "{old}");
    assert_eq!(told["sources"][0]["granted"], json!(false));
    let total = figure("total_stock").await;
    assert_eq!(total["value"], figure("fbs_stock").await["value"]);
}
