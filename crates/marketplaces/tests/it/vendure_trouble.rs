//! Vendure: a shop that does not answer as it should, and answers that have changed.

use std::sync::{Arc, Mutex};

use domain::marketplace::Side;
use marketplaces::{CallOutcome, CatalogueScope, Error, Marketplace};
use serde_json::{Value, json};

use crate::{
    server::{Reply, Server},
    support::Known,
    vendure_shop::{KEY, Open, account, fault, variant, world},
};

#[tokio::test]
async fn a_shop_that_is_being_restarted_is_asked_again() {
    for reply in [
        Reply::status(502),
        Reply::new(404, "text/plain", "404 page not found"),
        Reply::new(200, "text/html", "<html>We will be back soon</html>"),
        Reply::new(200, "application/json", r#"{"data":{"list":{"tot"#),
        fault("INTERNAL_SERVER_ERROR", "Connection terminated"),
    ] {
        let name = format!("{reply:?}");
        let good = Reply::json(&json!({ "data": { "list": { "totalItems": 0, "items": [] } } }));
        let server = Server::start(move |asked| if asked.earlier < 2 { reply.clone() } else { good.clone() });
        let page = account(&world(&server), &server).locations(None).await;
        assert_eq!((page.unwrap().rows.len(), server.asked().len()), (0, 3), "{name}");
    }
}

#[tokio::test]
async fn what_will_not_pass_is_tried_once_and_kept_from_figures() {
    for (reply, code) in [
        (fault("GRAPHQL_VALIDATION_FAILED", "Cannot query field \"stockLevels\""), "contract_changed"),
        (Reply::new(200, "application/json", r#"{"data":{"list":null}}"#), "contract_changed"),
        (Reply::new(200, "application/json", r#"{"data":{}}"#), "contract_changed"),
        (Reply::new(429, "text/plain", "").header("retry-after", "90"), "rate_limited"),
    ] {
        let server = Server::start(move |_| reply.clone());
        let world = world(&server);
        let error = account(&world, &server).stock(Side::Fbs, &Known::default(), None).await.unwrap_err();
        assert_eq!((error.code(), server.asked().len()), (code, 1), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let elsewhere = Server::start(|_| Reply::status(200));
    let to = elsewhere.url().to_string();
    let server = Server::start(move |_| Reply::new(307, "text/plain", "").header("location", &to));
    let error = account(&world(&server), &server).locations(None).await.unwrap_err();
    assert_eq!(error.code(), "marketplace_unavailable");
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_refusal_of_so_many_rows_is_not_repeated_for_ever() {
    for (says, asked) in [("Cannot take more than 1 results", 2), ("No more than 1000 results", 7), ("No", 7)]
    {
        let server = Server::start(move |_| fault("USER_INPUT_ERROR", says));
        let world = world(&server);
        let error = account(&world, &server).locations(None).await.unwrap_err();
        assert_eq!((error.code(), server.asked().len()), ("invalid_request", asked), "{says}");
        let heard = world.heard.0.lock().unwrap().clone();
        assert!(
            heard.iter().all(|(_, outcome)| *outcome == CallOutcome::Ok),
            "no reason for alarm: {heard:?}"
        );
    }
}

#[tokio::test]
async fn the_key_is_in_no_error() {
    let server = Server::start(|asked| {
        let key = &asked.headers["vendure-api-key"];
        fault("SOMETHING", &format!("{key} is no good, says {}", key.split_once(':').unwrap().1))
    });
    let error = account(&world(&server), &server).locations(None).await.unwrap_err();
    let said = format!("{error} {error:?}");
    for secret in KEY.split(':') {
        assert!(!said.contains(secret), "{said}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Read {
    Products,
    Locations,
    Stock,
    Orders,
}

impl Read {
    /// An answer that holds one row.
    fn good(self) -> Value {
        let row = match self {
            Self::Products | Self::Stock => variant(7, 3, &[("1", 5, 2)]),
            Self::Locations => json!({ "id": "1", "name": "Main" }),
            Self::Orders => json!({
                "id": "5", "code": "C5", "type": "Regular", "state": "PaymentSettled",
                "orderPlacedAt": "2026-11-18T10:00:00.000Z", "updatedAt": "2026-11-19T10:00:00.000Z",
                "currencyCode": "RUB",
                "lines": [{
                    "id": "50", "quantity": 2, "orderPlacedQuantity": 3, "unitPriceWithTax": 100,
                    "proratedUnitPriceWithTax": 90, "productVariant": { "id": "7", "product": { "id": "3" } },
                }],
            }),
        };
        let settings = json!({ "trackInventory": true, "serverConfig": { "moneyStrategyPrecision": 2 } });
        json!({ "data": { "list": { "totalItems": 1, "items": [row] }, "settings": settings } })
    }

    /// Rows that were read and rows that could not be.
    async fn read(self, account: &dyn Marketplace) -> Result<(usize, u64), Error> {
        let known = Known::default();
        Ok(match self {
            Self::Products => {
                let page = account.products(&CatalogueScope::Full, None).await?;
                (page.rows.len(), page.failed)
            }
            Self::Locations => {
                let page = account.locations(None).await?;
                (page.rows.len(), page.failed)
            }
            Self::Stock => {
                let page = account.stock(Side::Fbs, &known, None).await?;
                (page.rows.len(), page.failed)
            }
            Self::Orders => {
                let page = account.orders(None, None).await?;
                (page.rows.len(), page.failed)
            }
        })
    }
}

/// Every field that a figure depends on, by what reads it.
const FIELDS: &[(Read, &[&str])] = &[
    (Read::Products, &["/id", "/enabled", "/product", "/product/id", "/product/enabled"]),
    (Read::Locations, &["/id", "/name"]),
    (
        Read::Stock,
        &[
            "/id",
            "/trackInventory",
            "/product",
            "/product/id",
            "/stockLevels",
            "/stockLevels/0/stockOnHand",
            "/stockLevels/0/stockAllocated",
            "/stockLevels/0/stockLocation",
            "/stockLevels/0/stockLocation/id",
            "/stockLevels/0/stockLocation/name",
        ],
    ),
    (
        Read::Orders,
        &[
            "/id",
            "/code",
            "/type",
            "/state",
            "/orderPlacedAt",
            "/updatedAt",
            "/currencyCode",
            "/lines",
            "/lines/0/id",
            "/lines/0/quantity",
            "/lines/0/orderPlacedQuantity",
            "/lines/0/unitPriceWithTax",
            "/lines/0/proratedUnitPriceWithTax",
            "/lines/0/productVariant",
            "/lines/0/productVariant/id",
            "/lines/0/productVariant/product",
            "/lines/0/productVariant/product/id",
        ],
    ),
];

/// The same for what is not in rows.
const AROUND: &[(Read, &[&str])] = &[
    (Read::Products, &["/list", "/list/totalItems", "/list/items"]),
    (Read::Locations, &["/list", "/list/totalItems", "/list/items"]),
    (Read::Stock, &["/list/totalItems", "/list/items", "/settings", "/settings/trackInventory"]),
    (
        Read::Orders,
        &[
            "/list/totalItems",
            "/list/items",
            "/settings/serverConfig",
            "/settings/serverConfig/moneyStrategyPrecision",
        ],
    ),
];

/// An answer with a field that is gone, and with one that is something else.
fn changed(good: &Value, pointer: &str) -> Vec<Value> {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let mut gone = good.clone();
    gone.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    let something_else = [json!(null), json!({ "value": 1 }), json!(true), json!("words")].map(|value| {
        let mut other = good.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        other
    });
    std::iter::once(gone).chain(something_else).collect()
}

/// Whether a value means the same whatever its type: texts of people and ids are texts of any kind, switches are.
fn is_still_one(pointer: &str, value: &Value) -> bool {
    let name = pointer.rsplit('/').next().unwrap();
    match value {
        Value::String(_) => matches!(name, "id" | "code" | "type" | "state" | "name"),
        Value::Bool(_) => name == "enabled" || pointer == "/settings/trackInventory",
        _ => false,
    }
}

#[tokio::test]
async fn a_field_that_has_changed_is_never_a_wrong_figure() {
    let in_rows = FIELDS.iter().map(|(read, fields)| (*read, "/data/list/items/0", *fields));
    let around = AROUND.iter().map(|(read, fields)| (*read, "/data", *fields));
    for (read, base, fields) in in_rows.chain(around) {
        let answer = Arc::new(Mutex::new(Value::Null));
        let answering = Arc::clone(&answer);
        let server = Server::start(move |_| Reply::json(&answering.lock().unwrap()));
        let world = world(&server);
        for field in fields {
            let pointer = format!("{base}{field}");
            let good = read.good();
            for bad in changed(&good, &pointer) {
                if bad.pointer(&pointer).is_some_and(|value| is_still_one(field, value)) {
                    continue;
                }
                let told = format!("{read:?} {pointer}: {:?}", bad.pointer(&pointer));
                *answer.lock().unwrap() = bad;
                match read.read(account(&world, &server).as_ref()).await {
                    Ok(outcome) => assert_eq!(outcome, (0, 1), "{told}"),
                    Err(error) => assert_eq!(error.code(), "contract_changed", "{told}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn every_good_answer_of_that_table_is_read() {
    for read in [Read::Products, Read::Locations, Read::Stock, Read::Orders] {
        let server = Server::start(move |_| Reply::json(&read.good()));
        let outcome = read.read(account(&world(&server), &server).as_ref()).await.unwrap();
        assert!(outcome.0 > 0 && outcome.1 == 0, "{read:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_word_that_is_not_known_makes_no_figure() {
    let open = Open::new(|shop| {
        shop.variants = vec![variant(7, 3, &[("1", 5, 2)]), variant(8, 3, &[("1", 5, 2)])];
        shop.variants[0]["trackInventory"] = json!("SOMETIMES");
    });
    let page = open.account().stock(Side::Fbs, &Known::default(), None).await.unwrap();
    assert_eq!((page.rows.len(), page.failed), (1, 1));
}

#[tokio::test]
async fn a_number_of_units_that_nobody_has_is_a_bad_row() {
    for (on_hand, allocated) in
        [(9_000_000_000, 0), (0, 9_000_000_000), (-9_000_000_000, 0), (i64::MIN, i64::MAX)]
    {
        let open = Open::new(|shop| shop.variants = vec![variant(7, 3, &[("1", on_hand, allocated)])]);
        let page = open.account().stock(Side::Fbs, &Known::default(), None).await.unwrap();
        assert_eq!((page.rows.len(), page.failed), (0, 1), "{on_hand} {allocated}");
    }
}
