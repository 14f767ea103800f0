//! Wrong inputs, for every operation that takes any: the operations come from the document, so none is forgotten.

use serde_json::{Value, json};
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    documents::{is_secured, operations},
    service::{Call, PASSWORD, Person, Service},
};

on_each_database!(
    bodies_that_are_wrong_are_refused,
    queries_that_are_wrong_are_refused,
    ids_that_are_none_are_missing
);

const ID: &str = "0199c0de-0000-7000-8000-000000000000";

/// A body that an operation takes, as far as it can be told from the body alone.
fn right_body(operation: &str) -> Value {
    match operation {
        "register" => json!({"email": "a@example.com", "password": PASSWORD, "company_name": "A"}),
        "login" => json!({"email": "a@example.com", "password": PASSWORD}),
        "refresh" => json!({"refresh_token": "token"}),
        "changeTenant" => {
            json!({"name": "A", "time_zone": "Europe/Moscow", "locale": "en", "low_stock": {"units": 1}, "sync_interval_minutes": 60})
        }
        "connectMarketplaceAccount" => {
            json!({"marketplace": "wildberries", "name": "A", "credentials": {"token": "x"}})
        }
        "changeMarketplaceAccount" => {
            json!({"name": "A", "paused": true, "sync_interval_minutes": 60, "credentials": {"token": "x"}})
        }
        _ => panic!("{operation} takes a body; say here which"),
    }
}

/// An operation as a request, with ids that could exist.
fn request<'s>(service: &'s Service, person: &Person, name: &str, query: &str) -> Call<'s> {
    let (method, path) = name.split_once(' ').expect("method and path");
    service.call(method, &format!("{}{query}", path.replace("{id}", ID))).token(&person.access)
}

async fn bodies_that_are_wrong_are_refused(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let mut checked = 0;
    for (name, operation) in operations(service.document()) {
        // Files are another matter.
        if operation["requestBody"]["content"].get("application/json").is_none() {
            continue;
        }
        let call = || request(&service, &person, &name, "");
        let right = right_body(operation["operationId"].as_str().expect("an id"));
        call().send().await.problem(400, "invalid_json");
        for text in ["", "{", "{]", "{\"name\": }", "{} {}", "nonsense", "\u{feff}{}"] {
            let refused = call().header("Content-Type", "application/json").body(text).send().await;
            refused.problem(400, "invalid_json");
        }
        call()
            .header("Content-Type", "application/json")
            .body(vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'])
            .send()
            .await
            .problem(400, "invalid_json");
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"]
        {
            let refused = call().header("Content-Type", kind).body(right.to_string()).send().await;
            refused.problem(415, "unsupported_media_type");
        }
        call().body(right.to_string()).send().await.problem(415, "unsupported_media_type");
        let packed = call().header("Content-Encoding", "gzip").json(&right);
        packed.send().await.problem(415, "unsupported_media_type");
        let large = json!({"name": "x".repeat(300 * 1024)});
        call().json(&large).send().await.problem(413, "body_too_large");
        for whole in [json!([]), json!(17), json!("text"), Value::Null, json!([right.clone()])] {
            call().json(&whole).send().await.problem(422, "validation_failed");
        }
        let mut unknown = right.clone();
        unknown["no_such_field"] = json!(1);
        call().json(&unknown).send().await.points_at("/no_such_field");
        check_fields(&call, &right, "").await;
        checked += 1;
    }
    assert!(checked >= 6, "{checked}");
}

/// Puts wrong values in the place of each field in turn.
async fn check_fields<'s>(call: &impl Fn() -> Call<'s>, right: &Value, parent: &str) {
    let fields = right.pointer(parent).and_then(Value::as_object).expect("an object");
    for (field, value) in fields {
        let pointer = format!("{parent}/{field}");
        let wrong = |value: Value| {
            let mut body = right.clone();
            *body.pointer_mut(&pointer).expect("a field") = value;
            body
        };
        for other in [
            json!([1]),
            json!({"a": {"b": 1}}),
            json!(1.5),
            json!(-1),
            Value::Null,
            json!("\u{0}"),
            json!("a\u{0}b"),
            json!("x".repeat(10_000)),
        ] {
            let refused = call().json(&wrong(other.clone())).send().await;
            let problem = refused.problem(422, "validation_failed");
            let found = problem["errors"][0]["pointer"].as_str().expect("a pointer");
            assert!(found.starts_with(&pointer), "{found} for {pointer} = {other}: {problem}");
        }
        if value.is_object() {
            Box::pin(check_fields(call, right, &pointer)).await;
        }
    }
}

async fn queries_that_are_wrong_are_refused(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let mut checked = 0;
    for (name, operation) in operations(service.document()) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let queried: Vec<&Value> = parameters.iter().filter(|parameter| parameter["in"] == "query").collect();
        if queried.is_empty() {
            continue;
        }
        let send = async |query: &str| request(&service, &person, &name, query).send().await;
        send("?no_such_parameter=1").await.points_at("/query/no_such_parameter");
        for parameter in queried {
            let field = parameter["name"].as_str().expect("a name");
            let pointer = format!("/query/{field}");
            for value in ["%00", "a%00b", "", &"x".repeat(2000)] {
                send(&format!("?{field}={value}")).await.points_at(&pointer);
            }
            send(&format!("?{field}=1&{field}=2")).await.problem(422, "validation_failed");
            let schema = &parameter["schema"];
            if schema["type"].to_string().contains("integer") {
                for value in ["-1", "1.5", "x", "99999999999999999999", "%D9%A1"] {
                    send(&format!("?{field}={value}")).await.points_at(&pointer);
                }
            } else if !matches!(field, "search" | "cursor" | "status" | "warehouse")
                || schema.get("enum").is_some()
            {
                send(&format!("?{field}=nonsense")).await.points_at(&pointer);
            }
            checked += 1;
        }
        let has_cursor = parameters.iter().any(|parameter| parameter["name"] == "cursor");
        if name.contains("{id}") || !has_cursor {
            // What is not there comes first.
            continue;
        }
        for cursor in ["nonsense", "e30", "AAAA", "%F0%9F%98%80", "0"] {
            send(&format!("?cursor={cursor}")).await.problem(422, "invalid_cursor");
        }
    }
    assert!(checked >= 25, "{checked}");
    for (name, operation) in operations(service.document()) {
        let under_api = name.contains("/api/v1/") && !name.contains("/health/");
        if under_api {
            let call = request(&service, &person, &name, "?no_such_parameter=1");
            let answer = match operation["requestBody"]["content"].get("application/json") {
                Some(_) => {
                    call.json(&right_body(operation["operationId"].as_str().expect("an id"))).send().await
                }
                None => call.send().await,
            };
            answer.points_at("/query/no_such_parameter");
        }
    }
    let mixed = request(&service, &person, "GET /api/v1/products", "?page=1&cursor=abc").send().await;
    mixed.points_at("/query/cursor");
    request(&service, &person, "GET /api/v1/products", "?page_size=5&limit=5")
        .send()
        .await
        .points_at("/query/limit");
}

async fn ids_that_are_none_are_missing(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let mut checked = 0;
    for (name, operation) in operations(service.document()) {
        if !name.contains("{id}") {
            continue;
        }
        assert!(is_secured(operation), "{name}");
        let (method, path) = name.split_once(' ').expect("method and path");
        let send = async |id: &str| {
            let call = service.call(method, &path.replace("{id}", id)).token(&person.access);
            let body = operation.get("requestBody").map(|_| json!({"name": "B"}));
            match body {
                Some(body) => call.json(&body).send().await,
                None => call.send().await,
            }
        };
        let missing = send(ID).await;
        missing.problem(404, "not_found");
        for id in [
            "1",
            "nonsense",
            "%00",
            "0199c0de000070008000000000000000",
            "0199c0de-0000-7000-8000-00000000000g",
            "%F0%9F%98%80",
            "..%2F..",
            "{0199c0de-0000-7000-8000-000000000000}",
        ] {
            let malformed = send(id).await;
            assert_eq!(malformed.anonymous(), missing.anonymous(), "{name} {id}");
        }
        checked += 1;
    }
    assert!(checked >= 9, "{checked}");
}
