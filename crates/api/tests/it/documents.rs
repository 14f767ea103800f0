//! The OpenAPI document and what is served of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use test_support::database::TestDatabase;

use crate::service::Service;

/// Every operation, as the contract has it.
const OPERATIONS: &str = "
GET /
GET /api
GET /api/v1/analytics/dashboard
GET /api/v1/analytics/low-stock
GET /api/v1/analytics/stock-distribution
GET /api/v1/analytics/sync-history
GET /api/v1/analytics/top-products
GET /api/v1/analytics/turnover
GET /api/v1/analytics/warehouses
GET /api/v1/auth/me
GET /api/v1/health/
GET /api/v1/health/live
GET /api/v1/health/ready
GET /api/v1/marketplace-accounts
GET /api/v1/marketplace-accounts/{id}
GET /api/v1/marketplaces
GET /api/v1/orders
GET /api/v1/products
GET /api/v1/products.xlsx
GET /api/v1/products/{id}
GET /api/v1/products/{id}/explain
GET /api/v1/products/{id}/history
GET /api/v1/rate-limits
GET /api/v1/stocks
GET /api/v1/stocks.csv
GET /api/v1/stocks.ndjson
GET /api/v1/syncs
GET /api/v1/syncs/{id}
GET /api/v1/syncs/{id}/events
GET /api/v1/tenants/me
GET /api/v1/warehouses
GET /docs
GET /docs/{file}
GET /health
GET /health/detailed
GET /metrics
GET /openapi.json
GET /redoc
GET /redoc/{file}
DELETE /api/v1/marketplace-accounts/{id}
PATCH /api/v1/marketplace-accounts/{id}
PATCH /api/v1/tenants/me
POST /api/v1/auth/login
POST /api/v1/auth/logout
POST /api/v1/auth/refresh
POST /api/v1/auth/register
POST /api/v1/marketplace-accounts
POST /api/v1/marketplace-accounts/{id}/imports/products
POST /api/v1/marketplace-accounts/{id}/imports/stock
POST /api/v1/marketplace-accounts/{id}/sync
POST /api/v1/marketplace-accounts/{id}/verify
POST /api/v1/products/sync
POST /api/v1/syncs/{id}/cancel
";

/// Every operation of a document, by method and path.
pub(crate) fn operations(document: &Value) -> BTreeMap<String, &Value> {
    let paths = document["paths"].as_object().expect("paths").iter();
    paths
        .flat_map(|(path, item)| {
            let methods = ["get", "post", "put", "patch", "delete"].into_iter();
            methods.filter_map(move |method| {
                Some((format!("{} {path}", method.to_uppercase()), item.get(method)?))
            })
        })
        .collect()
}

/// Whether an operation needs somebody.
pub(crate) fn is_secured(operation: &Value) -> bool {
    operation.get("security").is_none()
}

#[test]
fn the_document_has_exactly_the_operations_of_the_contract() {
    let document = serde_json::to_value(api::openapi()).expect("JSON");
    let listed: BTreeSet<&str> = OPERATIONS.trim().lines().collect();
    let described = operations(&document);
    assert_eq!(described.keys().map(String::as_str).collect::<BTreeSet<_>>(), listed);
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")));
}

#[test]
fn every_operation_is_described_wholly() {
    let document = serde_json::to_value(api::openapi()).expect("JSON");
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        let text = |member: &str| operation[member].as_str().unwrap_or_default();
        assert!(ids.insert(text("operationId").to_owned()), "{name}: its id is another's");
        assert!(!text("summary").is_empty(), "{name} has no summary");
        assert_eq!(operation["tags"].as_array().map_or(0, Vec::len), 1, "{name}");
        let responses = operation["responses"].as_object().expect("responses");
        for (status, response) in responses {
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} {status}");
            let bodiless = matches!(status.as_str(), "204" | "304");
            assert_eq!(response.get("content").is_none(), bodiless, "{name} {status}");
            for member in ["X-Request-ID", "X-Process-Time"] {
                assert!(response["headers"].get(member).is_some(), "{name} {status}: {member}");
            }
        }
        if is_secured(operation) {
            assert!(responses.contains_key("401") && responses.contains_key("403"), "{name}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{name}: {parameter}"
            );
        }
    }
}

#[test]
fn every_reference_has_a_target_and_every_schema_its_words() {
    let document = serde_json::to_value(api::openapi()).expect("JSON");
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.contains("#/components/schemas/Problem"));
    for reference in references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        let described = schema["description"].as_str().is_some_and(|text| !text.is_empty());
        assert!(described || schema.get("oneOf").is_some(), "{name} has no description");
        assert!(
            !name.ends_with("View") && !name.ends_with("Input"),
            "{name} is a name of ours, not of the API"
        );
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[tokio::test]
async fn document_and_swagger_ui_come_from_this_origin() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let served = service.get("/openapi.json").send().await.expect(200);
    assert_eq!(served["paths"], service.document()["paths"]);
    assert_eq!(served["info"]["version"], "1.2.3");

    let page = service.get("/docs").send().await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    let html = String::from_utf8_lossy(&page.body).into_owned();
    assert!(html.contains("<base href=\"/docs/\">"), "{html}");
    let mut files = 0;
    for attribute in ["src=\"", "href=\""] {
        for rest in html.split(attribute).skip(1) {
            let file = rest.split('"').next().unwrap_or_default();
            assert!(!file.contains("://"), "{file} is not ours");
            if file != "/docs/" {
                let file = file.trim_start_matches("./");
                assert_eq!(service.get(&format!("/docs/{file}")).send().await.status, 200, "{file}");
                files += 1;
            }
        }
    }
    assert!(files >= 3, "{html}");
    assert!(!html.contains("<script>"), "an inline script would not run: {html}");
    let start = service.get("/docs/swagger-initializer.js").send().await;
    assert!(String::from_utf8_lossy(&start.body).contains("/openapi.json"));
    service.get("/docs/nothing.js").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn redoc_comes_from_this_origin() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let page = service.get("/redoc").send().await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for directive in policy.split(';') {
        let sources = directive.split_whitespace().skip(1);
        for source in sources {
            let ours = ["'none'", "'self'", "'unsafe-inline'", "data:", "blob:"].contains(&source);
            assert!(ours, "{source} is not ours");
        }
    }
    assert!(policy.contains("script-src 'self';"), "no script but files of ours: {policy}");
    let html = String::from_utf8_lossy(&page.body).into_owned();
    assert!(html.contains("spec-url=\"/openapi.json\"") && !html.contains("<script>"), "{html}");
    for attribute in ["src=\"", "href=\"", "spec-url=\""] {
        for rest in html.split(attribute).skip(1) {
            let file = rest.split('"').next().unwrap_or_default();
            assert!(!file.contains("//"), "{file} is not ours");
            if file.starts_with('/') {
                assert_eq!(service.get(file).send().await.status, 200, "{file}");
            }
        }
    }
    let script = service.get("/redoc/redoc.standalone.js").send().await;
    assert_eq!(script.header("content-encoding"), "gzip");
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert!(script.body.starts_with(&[0x1f, 0x8b]), "as it says, it is packed");
    for licence in ["LICENSE.txt", "redoc.standalone.js.LICENSE.txt"] {
        let text = service.get(&format!("/redoc/{licence}")).send().await;
        assert!(String::from_utf8_lossy(&text.body).contains("Copyright"), "{licence}");
    }
    service.get("/redoc/nothing.js").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn production_serves_no_documents_unless_told_to() {
    let service = Service::start_with(TestDatabase::sqlite().await, |settings| {
        *settings = api::Settings::new(api::Environment::Production, "1.2.3");
    })
    .await;
    for path in
        ["/openapi.json", "/docs", "/docs/swagger-ui.css", "/redoc", "/redoc/redoc.standalone.js", "/metrics"]
    {
        service.get(path).begin().await.error_for_status().expect_err(path);
    }
    let root = service.get("/").send().await.expect(200);
    assert_eq!(root["docs"], Value::Null);
    assert_eq!(root["name"], "Stock Tracker");
    assert_eq!(root["version"], "1.2.3");
    let information = service.get("/api").send().await.expect(200);
    assert_eq!(information["docs"], Value::Null);
}
