//! Two companies, every operation: what belongs to one is not there for the other.
//!
//! The operations come from the document; one that is not in the table fails the test.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    documents::{is_secured, operations},
    exports::workbook,
    service::{Answer, Person, Service},
};

on_each_database!(nothing_of_one_company_is_there_for_another, nobody_gets_in_without_a_live_session);

/// Nobody has this id.
const NOBODY: &str = "0199c0de-0000-7000-8000-000000000000";

/// What to expect of an operation.
enum Case {
    /// Takes the id of something: another's is answered like nobody's.
    ById(Thing),
    /// Answers for the caller's own company alone; nothing of another is in it.
    Own,
    /// Answers with a file of the caller's own company alone.
    File,
    /// The same for everybody.
    Shared,
    /// Ends what the caller holds; nothing of another does.
    Ending,
    /// Makes something of the caller's own.
    Making,
}

/// What ids are of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Account,
    Product,
    Sync,
}

fn table() -> BTreeMap<&'static str, Case> {
    use Case::{ById, Ending, File, Making, Own, Shared};
    use Thing::{Account, Product, Sync};
    BTreeMap::from([
        ("DELETE /api/v1/marketplace-accounts/{id}", ById(Account)),
        ("GET /api/v1/analytics/dashboard", Own),
        ("GET /api/v1/analytics/low-stock", Own),
        ("GET /api/v1/analytics/stock-distribution", Own),
        ("GET /api/v1/analytics/sync-history", Own),
        ("GET /api/v1/analytics/top-products", Own),
        ("GET /api/v1/analytics/turnover", Own),
        ("GET /api/v1/analytics/warehouses", Own),
        ("GET /api/v1/auth/me", Own),
        ("GET /api/v1/marketplace-accounts", Own),
        ("GET /api/v1/marketplace-accounts/{id}", ById(Account)),
        ("GET /api/v1/marketplaces", Shared),
        ("GET /api/v1/rate-limits", Shared),
        ("GET /api/v1/orders", Own),
        ("GET /api/v1/products", Own),
        ("GET /api/v1/products.xlsx", File),
        ("GET /api/v1/products/{id}", ById(Product)),
        ("GET /api/v1/products/{id}/explain", ById(Product)),
        ("GET /api/v1/products/{id}/history", ById(Product)),
        ("GET /api/v1/stocks", Own),
        ("GET /api/v1/stocks.csv", File),
        ("GET /api/v1/stocks.ndjson", File),
        ("GET /api/v1/syncs", Own),
        ("GET /api/v1/syncs/{id}", ById(Sync)),
        ("GET /api/v1/syncs/{id}/events", ById(Sync)),
        ("GET /api/v1/tenants/me", Own),
        ("GET /api/v1/warehouses", Own),
        ("PATCH /api/v1/marketplace-accounts/{id}", ById(Account)),
        ("PATCH /api/v1/tenants/me", Making),
        ("POST /api/v1/auth/logout", Ending),
        ("POST /api/v1/marketplace-accounts", Making),
        ("POST /api/v1/marketplace-accounts/{id}/imports/products", ById(Account)),
        ("POST /api/v1/marketplace-accounts/{id}/imports/stock", ById(Account)),
        ("POST /api/v1/marketplace-accounts/{id}/sync", ById(Account)),
        ("POST /api/v1/marketplace-accounts/{id}/verify", ById(Account)),
        ("POST /api/v1/products/sync", Making),
        ("POST /api/v1/syncs/{id}/cancel", ById(Sync)),
    ])
}

/// A body that an operation takes.
fn body(name: &str) -> Option<Value> {
    match name {
        "PATCH /api/v1/marketplace-accounts/{id}" => Some(json!({"name": "Stolen", "paused": true})),
        "PATCH /api/v1/tenants/me" => Some(json!({"name": "Mine"})),
        "POST /api/v1/marketplace-accounts" => {
            Some(json!({"marketplace": "wildberries", "name": "Mine", "credentials": {"token": "x"}}))
        }
        _ => None,
    }
}

async fn send(service: &Service, person: &Person, name: &str, id: &str) -> Answer {
    let (method, path) = name.split_once(' ').expect("method and path");
    let call = service.call(method, &path.replace("{id}", id)).token(&person.access);
    match body(name) {
        Some(body) => call.json(&body).send().await,
        None => call.send().await,
    }
}

/// Everything that can be read, as it is.
async fn everything(service: &Service, person: &Person) -> BTreeMap<String, Value> {
    let mut read = BTreeMap::new();
    for (name, case) in table() {
        if let (Case::Own, Some(path)) = (case, name.strip_prefix("GET ")) {
            let whole = ["dashboard", "me", "stock-distribution", "sync-history"];
            let limit = if whole.iter().any(|end| path.ends_with(end)) { "" } else { "?limit=200" };
            let answer = service.get(&format!("{path}{limit}")).token(&person.access).send().await;
            read.insert(name.to_owned(), answer.expect(200));
        }
    }
    read
}

/// Every id of ours in an answer; marketplaces have ids that sellers share.
fn ids(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| match member.as_str() {
            Some(text) if (name == "id" || name.ends_with("_id")) && text.len() == 36 => {
                found.insert(text.to_owned());
            }
            _ => ids(member, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
        _ => {}
    }
}

/// What stands in a file, be it a workbook.
fn text_of(file: &Answer) -> String {
    assert_eq!(file.status, 200, "{}", String::from_utf8_lossy(&file.body));
    match String::from_utf8(file.body.clone()) {
        Ok(text) => text,
        Err(_) => workbook(&file.body).concat().concat().join("\n"),
    }
}

/// The marketplace's articles of the products in a list.
fn articles(products: &Value) -> BTreeSet<String> {
    let items = products["items"].as_array().expect("items").iter();
    items.filter_map(|item| item["external_id"].as_str().map(str::to_owned)).collect()
}

async fn nothing_of_one_company_is_there_for_another(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let (anna, boris) = (service.register("anna").await, service.register("boris").await);
    service.connect(&anna, 0).await;
    service.connect(&boris, 1).await;
    service.carry_all().await;
    let (of_anna, of_boris) = (everything(&service, &anna).await, everything(&service, &boris).await);
    let first = |name: &str| {
        let list = &of_anna[name]["items"];
        assert!(
            list.as_array()
                .is_some_and(|items| items.len() > 1 || name.contains("accounts") || name.contains("syncs")),
            "{name}: {list}"
        );
        list[0]["id"].as_str().unwrap_or_default().to_owned()
    };
    let things = BTreeMap::from([
        (Thing::Account, first("GET /api/v1/marketplace-accounts")),
        (Thing::Product, first("GET /api/v1/products")),
        (Thing::Sync, first("GET /api/v1/syncs")),
    ]);
    for name in ["GET /api/v1/stocks", "GET /api/v1/orders", "GET /api/v1/warehouses"] {
        first(name);
    }
    let (mut annas, mut boriss) = (BTreeSet::new(), BTreeSet::new());
    for (answers, found) in [(&of_anna, &mut annas), (&of_boris, &mut boriss)] {
        for answer in answers.values() {
            ids(answer, found);
        }
    }
    assert!(
        annas.len() > 50 && annas.is_disjoint(&boriss),
        "{:?}",
        annas.intersection(&boriss).collect::<Vec<_>>()
    );

    let table = table();
    for (name, operation) in operations(service.document()) {
        if !is_secured(operation) {
            continue;
        }
        let case = table.get(name.as_str()).unwrap_or_else(|| panic!("{name} is in no table of tenancy"));
        match case {
            Case::ById(thing) => {
                let (theirs, nobodys) = (
                    send(&service, &boris, &name, &things[thing]).await,
                    send(&service, &boris, &name, NOBODY).await,
                );
                theirs.problem(404, "not_found");
                assert_eq!(theirs.anonymous(), nobodys.anonymous(), "{name}");
                let headers = |answer: &Answer| -> BTreeSet<String> {
                    answer.headers.keys().map(ToString::to_string).collect()
                };
                assert_eq!(headers(&theirs), headers(&nobodys), "{name}");
            }
            Case::Own | Case::Shared => {
                let answer = send(&service, &boris, &name, NOBODY).await;
                let text = answer.expect(200).to_string();
                for id in &annas {
                    assert!(!text.contains(&format!("\"{id}\"")), "{name} shows {id}");
                }
            }
            Case::File => {
                let text = text_of(&send(&service, &boris, &name, NOBODY).await);
                let own = articles(&of_boris["GET /api/v1/products"]);
                assert!(own.iter().any(|article| text.contains(article)), "{name} shows nothing");
                for theirs in articles(&of_anna["GET /api/v1/products"]).difference(&own).chain(&annas) {
                    assert!(!text.contains(theirs), "{name} shows {theirs}");
                }
            }
            Case::Making | Case::Ending => {}
        }
    }
    assert_eq!(table.len(), operations(service.document()).values().filter(|o| is_secured(o)).count());

    // Filters by another's ids find nothing of the other.
    for (path, thing, filter) in [
        ("/api/v1/products", Thing::Account, "account_id"),
        ("/api/v1/stocks", Thing::Account, "account_id"),
        ("/api/v1/stocks", Thing::Product, "product_id"),
        ("/api/v1/orders", Thing::Account, "account_id"),
        ("/api/v1/orders", Thing::Product, "product_id"),
        ("/api/v1/warehouses", Thing::Account, "account_id"),
        ("/api/v1/syncs", Thing::Account, "account_id"),
        ("/api/v1/analytics/low-stock", Thing::Account, "account_id"),
        ("/api/v1/analytics/top-products", Thing::Account, "account_id"),
        ("/api/v1/analytics/turnover", Thing::Account, "account_id"),
        ("/api/v1/analytics/warehouses", Thing::Account, "account_id"),
    ] {
        let ask = async |id: &str| {
            service.get(&format!("{path}?{filter}={id}")).token(&boris.access).send().await.json()
        };
        let found = ask(&things[&thing]).await;
        assert_eq!(found["items"].as_array().map_or(0, Vec::len), 0, "{path} {filter}");
        assert_eq!(found["items"], ask(NOBODY).await["items"]);
    }

    // Boris changes what is his, and signs out; Anna's is as it was.
    send(&service, &boris, "PATCH /api/v1/tenants/me", NOBODY).await.expect(200);
    send(&service, &boris, "POST /api/v1/products/sync", NOBODY).await.expect(202);
    send(&service, &boris, "POST /api/v1/auth/logout", NOBODY).await.expect(204);
    assert_eq!(everything(&service, &anna).await, of_anna);
}

async fn nobody_gets_in_without_a_live_session(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    service.post("/api/v1/auth/logout").token(&person.access).send().await.expect(204);
    for (name, operation) in operations(service.document()) {
        let (method, path) = name.split_once(' ').expect("method and path");
        let path = path.replace("{id}", NOBODY).replace("/docs/{file}", "/docs/swagger-ui.css");
        let path = path.replace("/redoc/{file}", "/redoc/LICENSE.txt");
        let bare = service.call(method, &path).send().await;
        if is_secured(operation) {
            bare.problem(401, "unauthenticated");
            service.call(method, &path).token("x.y.z").send().await.problem(401, "invalid_token");
            service.call(method, &path).token(&person.access).send().await.problem(401, "session_ended");
            // Who calls comes before what is asked.
            let nonsense =
                service.call(method, &format!("{path}?nonsense=1")).token(&person.access).body("{");
            nonsense.send().await.problem(401, "session_ended");
        } else {
            assert!(![401, 404, 405].contains(&bare.status), "{name}: {}", bare.status);
        }
    }
}
