//! Stock as it was, and the changes that made it so, over HTTP.

use chrono::{SecondsFormat, TimeDelta};
use domain::clock::Clock as _;
use serde_json::Value;
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    catalogue::{get, walk},
    service::{Person, Service},
};

on_each_database!(stock_is_as_it_was, moments_that_cannot_be_are_refused, the_history_is_filtered);

/// A tenant whose first sync has ended, and the path of another one.
async fn begun(service: &Service) -> (Person, String) {
    let person = service.register("anna").await;
    let account = service.connect(&person, 0).await;
    service.carry_all().await;
    let sync = format!("/api/v1/marketplace-accounts/{}/sync", account["id"].as_str().expect("an id"));
    (person, sync)
}

/// A moment as a query wants it; a second later than it was, so that something can follow.
fn now(service: &Service) -> String {
    service.clock.advance(TimeDelta::seconds(1));
    service.clock.now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Trade goes on for half a day, and a sync reads it. The person signs in again.
async fn go_on(service: &Service, person: &Person, sync: &str) -> Person {
    service.clock.advance(TimeDelta::hours(12));
    let person = service.sign_in(person).await;
    service.post(sync).token(&person.access).send().await.expect(202);
    service.carry_all().await;
    person
}

/// Where and how much; places that hold nothing left out.
fn levels(rows: &[Value]) -> Vec<(String, String, i64)> {
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let level = |row: &Value| {
        Some((text(&row["variant_id"]), text(&row["warehouse_id"]), row["available"].as_i64()?))
    };
    rows.iter().filter_map(level).filter(|(_, _, units)| *units != 0).collect()
}

async fn stock_is_as_it_was(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let before = now(&service);
    service.clock.advance(TimeDelta::seconds(1));
    let (person, sync) = begun(&service).await;
    let then = now(&service);
    let seen = walk(&service, &person, "/api/v1/stocks", 7).await;
    let person = go_on(&service, &person, &sync).await;
    let later = now(&service);
    let of_today = walk(&service, &person, "/api/v1/stocks", 7).await;
    assert_ne!(levels(&seen), levels(&of_today), "something was sold");
    let as_of = async |at: &str| walk(&service, &person, &format!("/api/v1/stocks?at={at}"), 7).await;
    assert!(as_of(&before).await.is_empty());
    let told = as_of(&then).await;
    assert_eq!(levels(&told), levels(&seen));
    assert_eq!(levels(&as_of(&later).await), levels(&of_today));
    for row in &told {
        let today = of_today.iter().find(|today| {
            (&today["variant_id"], &today["warehouse_id"]) == (&row["variant_id"], &row["warehouse_id"])
        });
        let names = |row: &Value| row.as_object().expect("a row").keys().cloned().collect::<Vec<_>>();
        assert_eq!(today.map(names), Some(names(row)), "the shape is the same");
        for unknown in ["reserved", "on_hand", "ordered_units"] {
            assert_eq!(row[unknown], Value::Null);
        }
        assert!(row["as_of"].as_str().is_some_and(|at| at < then.as_str()), "{row}");
    }
    let row = &told[0];
    for filter in ["account_id", "product_id", "warehouse_id"] {
        let id = row[filter].as_str().expect("an id");
        let found = walk(&service, &person, &format!("/api/v1/stocks?at={then}&{filter}={id}"), 7).await;
        let expected: Vec<&Value> = told.iter().filter(|other| other[filter] == row[filter]).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    // A cursor goes on where it was made, and nowhere else.
    let part = get(&service, &person, &format!("/api/v1/stocks?at={then}&limit=3")).await;
    let cursor = part["page"]["next_cursor"].as_str().expect("more");
    for elsewhere in [
        format!("at={later}&"),
        String::new(),
        format!("at={then}&product_id={}&", row["product_id"].as_str().expect("an id")),
    ] {
        let path = format!("/api/v1/stocks?{elsewhere}cursor={cursor}");
        service.get(&path).token(&person.access).send().await.problem(422, "invalid_cursor");
    }
}

async fn moments_that_cannot_be_are_refused(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let (person, _) = begun(&service).await;
    let ask =
        async |at: &str| service.get(&format!("/api/v1/stocks?at={at}")).token(&person.access).send().await;
    for wrong in ["yesterday", "2026-11-20", "2026-11-20T09:00:00", "2026-13-01T00:00:00Z", "1763629200"] {
        ask(wrong).await.points_at("/query/at");
    }
    let future = (service.clock.now() + TimeDelta::seconds(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let refused = ask(&future).await;
    refused.points_at("/query/at");
    assert_eq!(refused.json()["errors"][0]["detail"], "must not be in the future");
    let present = service.clock.now().to_rfc3339_opts(SecondsFormat::Micros, true);
    ask(&present).await.expect(200);
    ask("0001-01-01T00:00:00Z").await.expect(200);
    // The same moment, as a clock in Moscow shows it.
    let there = ask("2026-11-20T12:00:00%2B03:00").await.expect(200);
    assert_eq!(there["items"], ask("2026-11-20T09:00:00Z").await.expect(200)["items"]);
}

async fn the_history_is_filtered(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let (mut person, sync) = begun(&service).await;
    let then = now(&service);
    for _ in 0..3 {
        person = go_on(&service, &person, &sync).await;
    }
    let products = walk(&service, &person, "/api/v1/products", 50).await;
    let mut longest: (String, Vec<Value>) = Default::default();
    for product in &products {
        let path = format!("/api/v1/products/{}/history", product["id"].as_str().expect("an id"));
        let history = walk(&service, &person, &path, 5).await;
        if history.len() > longest.1.len() {
            longest = (path, history);
        }
    }
    let (path, all) = longest;
    let (old, new): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|row| row["at"].as_str().is_some_and(|at| at < then.as_str()));
    assert!(!old.is_empty() && !new.is_empty(), "{all:?}");
    let filtered = async |filter: &str| walk(&service, &person, &format!("{path}?{filter}"), 3).await;
    assert_eq!(filtered(&format!("from={then}")).await.iter().collect::<Vec<_>>(), new);
    assert_eq!(filtered(&format!("to={then}")).await.iter().collect::<Vec<_>>(), old);
    assert!(filtered(&format!("from={then}&to={then}")).await.is_empty());
    for name in ["variant_id", "warehouse_id"] {
        let expected: Vec<&Value> = all.iter().filter(|row| row[name] == all[0][name]).collect();
        let id = all[0][name].as_str().expect("an id");
        assert_eq!(filtered(&format!("{name}={id}")).await.iter().collect::<Vec<_>>(), expected, "{name}");
    }
    assert_eq!(filtered("cause=sync").await, all);
    assert!(filtered("cause=import").await.is_empty());
    let part = get(&service, &person, &format!("{path}?limit=2")).await;
    let cursor = part["page"]["next_cursor"].as_str().expect("more");
    let other = service.get(&format!("{path}?cause=sync&cursor={cursor}")).token(&person.access).send().await;
    other.problem(422, "invalid_cursor");
}
