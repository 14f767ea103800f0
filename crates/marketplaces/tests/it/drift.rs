//! Every field that is read, renamed and given every other type: a figure is then unknown, never wrong.
//!
//! What may come of it is that the page is refused, that every row fails, or that what is read stays the same. All else
//! is in [`HARMLESS`], with the reason.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use domain::{
    marketplace::Side,
    reading::{Position, ReadPage},
};
use marketplaces::{CatalogueScope, Error};
use serde_json::{Map, Value, json};

use crate::{
    server::{Asked, Reply, Server},
    support::{ALL, BASIC, Known, NOW, PERSONAL, SERVICE, Turning, World, at, jwt},
};

/// What is read, and the part of a path by which its answer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Cards,
    Trash,
    Warehouses,
    SellerStock,
    SellerReport,
    Report,
    RemainsCreated,
    RemainsStatus,
    Remains,
    Orders,
    Assemblies,
    SellerInfo,
}

/// Every field that is read.
const FIELDS: &[(Call, &[&str])] = &[
    (
        Call::Cards,
        &[
            "cards",
            "cursor",
            "total",
            "updatedAt",
            "nmID",
            "vendorCode",
            "title",
            "brand",
            "subjectName",
            "sizes",
            "chrtID",
            "techSize",
            "skus",
        ],
    ),
    (
        Call::Trash,
        &[
            "cards",
            "cursor",
            "total",
            "trashedAt",
            "nmID",
            "vendorCode",
            "sizes",
            "chrtID",
            "techSize",
            "skus",
        ],
    ),
    (Call::Warehouses, &["id", "name"]),
    (Call::SellerStock, &["stocks", "chrtId", "amount"]),
    (Call::SellerReport, &["data", "items", "nmId", "chrtId", "warehouseId", "warehouseName", "quantity"]),
    (
        Call::Report,
        &[
            "data",
            "items",
            "nmId",
            "chrtId",
            "warehouseId",
            "warehouseName",
            "quantity",
            "inWayToClient",
            "inWayFromClient",
        ],
    ),
    (Call::RemainsCreated, &["data", "taskId"]),
    (Call::RemainsStatus, &["data", "status"]),
    (Call::Remains, &["nmId", "techSize", "barcode", "warehouses", "warehouseName", "quantity"]),
    (
        Call::Orders,
        &[
            "srid",
            "date",
            "lastChangeDate",
            "gNumber",
            "nmId",
            "barcode",
            "techSize",
            "warehouseName",
            "warehouseType",
            "totalPrice",
            "priceWithDisc",
            "finishedPrice",
            "isCancel",
            "cancelDate",
        ],
    ),
    (Call::Assemblies, &["next", "orders", "rid", "warehouseId"]),
    (Call::SellerInfo, &["sid", "name"]),
];

/// Fields that tell one thing from all others.
const IDS: &[(Call, &[&str])] = &[
    (Call::Cards, &["nmID", "chrtID"]),
    (Call::Trash, &["nmID"]),
    (Call::Warehouses, &["id"]),
    (Call::SellerStock, &["chrtId"]),
    (Call::SellerReport, &["nmId", "chrtId", "warehouseId", "warehouseName"]),
    (Call::Report, &["nmId", "chrtId", "warehouseId", "warehouseName"]),
    (Call::Remains, &["nmId", "warehouseName"]),
    (Call::Orders, &["nmId", "srid"]),
    (Call::Assemblies, &["rid", "warehouseId"]),
    (Call::SellerInfo, &["sid"]),
];

/// Fields whose change changes what is read, and no figure.
const HARMLESS: &[(Call, &str, &str)] = &[
    (Call::Cards, "vendorCode", "a word for people"),
    (Call::Cards, "title", "a word for people"),
    (Call::Cards, "brand", "a word for people"),
    (Call::Cards, "subjectName", "a word for people"),
    (
        Call::Cards,
        "techSize",
        "the barcode leads to the variant; a line that neither leads to is told as unmatched",
    ),
    (Call::Cards, "skus", "product and size lead to the variant"),
    (Call::Trash, "vendorCode", "a word for people"),
    (Call::Trash, "sizes", "what is thrown away is known by its product"),
    (Call::Trash, "techSize", "what is thrown away is known by its product"),
    (Call::Trash, "skus", "what is thrown away is known by its product"),
    (Call::Orders, "gNumber", "lines are told apart by their own id, not by the basket"),
    (Call::Orders, "barcode", "product and size lead to the variant"),
    (Call::Orders, "techSize", "the barcode leads to the variant"),
    (Call::Orders, "totalPrice", "revenue is counted by the price with the seller's discount"),
    (Call::Orders, "finishedPrice", "revenue is counted by the price with the seller's discount"),
    (Call::Orders, "cancelDate", "a cancelled line counts by the day of its order"),
    (Call::SellerInfo, "name", "a word for people"),
];

fn good(call: Call) -> Value {
    let card = |n: u32| {
        json!({
            "nmID": n, "vendorCode": format!("art-{n}"), "title": "Кружка", "brand": "Глина", "subjectName": "Кружки",
            "sizes": [{ "chrtID": 10 + n, "techSize": "M", "skus": [format!("46{n:08}")] }],
        })
    };
    let stock = |n: u32| {
        json!({
            "nmId": n, "chrtId": 10 + n, "warehouseId": 507, "warehouseName": "Тула", "quantity": 5 + n,
            "inWayToClient": 3, "inWayFromClient": 2,
        })
    };
    let remains = |n: u32| {
        let shelves = [("Всего находится на складах", 5 + n), ("Тула", 5 + n), ("В пути до получателей", 3)];
        let shelves = shelves.map(|(name, units)| json!({ "warehouseName": name, "quantity": units }));
        json!({ "nmId": n, "techSize": "M", "barcode": format!("46{n:08}"), "warehouses": shelves })
    };
    let line = |n: u32| {
        json!({
            "srid": format!("a{n}.r"), "date": "2026-11-18T12:00:00", "lastChangeDate": "2026-11-19T10:00:00",
            "gNumber": format!("b{n}"), "nmId": n, "barcode": format!("46{n:08}"), "techSize": "M",
            "warehouseName": "Тула", "warehouseType": "Склад продавца", "totalPrice": 19.5, "priceWithDisc": 15.25,
            "finishedPrice": 14, "isCancel": n == 2, "cancelDate": "2026-11-19T00:00:00",
        })
    };
    match call {
        Call::Cards => json!({
            "cards": [card(1), card(2)],
            "cursor": { "updatedAt": "2026-10-01T00:00:00Z", "nmID": 2, "total": 2 },
        }),
        Call::Trash => json!({
            "cards": [card(1), card(2)],
            "cursor": { "trashedAt": "2026-10-01T00:00:00Z", "nmID": 2, "total": 2 },
        }),
        Call::Warehouses => json!([{ "id": 1, "name": "Дом" }, { "id": 2, "name": "Склад" }]),
        Call::SellerStock => {
            json!({ "stocks": [{ "chrtId": 11, "amount": 4 }, { "chrtId": 12, "amount": 6 }] })
        }
        Call::SellerReport | Call::Report => json!({ "data": { "items": [stock(1), stock(2)] } }),
        Call::RemainsCreated => json!({ "data": { "taskId": "0b5c-4d" } }),
        Call::RemainsStatus => json!({ "data": { "id": "0b5c-4d", "status": "done" } }),
        Call::Remains => json!([remains(1), remains(2)]),
        Call::Orders => json!([line(1), line(2)]),
        Call::Assemblies => {
            let order = |n: u32| json!({ "id": n, "rid": format!("a{n}.r"), "warehouseId": 1 });
            json!({ "next": 17, "orders": [order(1), order(2)] })
        }
        Call::SellerInfo => json!({ "sid": "e892-30", "name": "ООО Глина", "tin": "1" }),
    }
}

fn call_of(path: &str) -> Option<Call> {
    Some(match path {
        "/content/v2/get/cards/list" => Call::Cards,
        "/content/v2/get/cards/trash" => Call::Trash,
        "/api/v3/warehouses" => Call::Warehouses,
        "/api/v3/orders" => Call::Assemblies,
        "/api/v1/supplier/orders" => Call::Orders,
        "/api/v1/seller-info" => Call::SellerInfo,
        "/api/v1/warehouse_remains" => Call::RemainsCreated,
        _ if path.starts_with("/api/v3/stocks/") => Call::SellerStock,
        _ if path.ends_with("/seller-warehouses") => Call::SellerReport,
        _ if path.ends_with("/wb-warehouses") => Call::Report,
        _ if path.ends_with("/status") => Call::RemainsStatus,
        _ if path.ends_with("/download") => Call::Remains,
        _ => return None,
    })
}

/// A marketplace that answers well to every call but one.
struct Spoilt {
    world: World,
    clock: Arc<Turning>,
    answer: Arc<Mutex<(Call, Value)>>,
    sellers: u32,
    _server: Server,
}

/// What a page says, without its watermark, which is not read but kept.
type Page = (Vec<String>, u64, Option<Position>);

impl Spoilt {
    fn new() -> Self {
        let answer = Arc::new(Mutex::new((Call::Cards, Value::Null)));
        let told = Arc::clone(&answer);
        let server = Server::start(move |asked: &Asked| {
            let Some(call) = call_of(&asked.path) else { return Reply::json(&json!({ "Status": "OK" })) };
            let (spoilt, body) = &*told.lock().unwrap();
            Reply::json(&if *spoilt == call { body.clone() } else { good(call) })
        });
        let (world, clock) = World::turning(server.url());
        Self { world, clock, answer, sellers: 0, _server: server }
    }

    /// Reads with one answer spoilt, as a seller of its own: no budget has been touched.
    async fn read(&mut self, call: Call, body: Value) -> Result<Page, Error> {
        *self.answer.lock().unwrap() = (call, body);
        self.sellers += 1;
        let acc = if matches!(call, Call::Remains | Call::RemainsCreated | Call::RemainsStatus) {
            BASIC
        } else {
            SERVICE
        };
        let capabilities = if call == Call::SellerReport { &ALL[2..] } else { &ALL[..] };
        let account = self.world.account_with(&format!("s{}", self.sellers), acc, capabilities);
        let known = Known::new([11, 12], &[("1", "Дом")]);
        match call {
            Call::Cards => Ok(page(account.products(&CatalogueScope::Full, None).await?)),
            Call::Trash => {
                let place = Position(json!({ "list": null, "trash": null, "in_trash": true }).to_string());
                let scope = CatalogueScope::Since(place.clone());
                Ok(page(account.products(&scope, Some(&place)).await?))
            }
            Call::Warehouses => Ok(page(account.locations(None).await?)),
            Call::SellerStock => Ok(page(account.stock(Side::Fbs, &known, None).await?)),
            // Where to go on is told by the rows as they came, whatever they are like.
            Call::SellerReport | Call::Report => {
                let side = if call == Call::Report { Side::Fbo } else { Side::Fbs };
                Ok(page(ReadPage { next: None, ..account.stock(side, &known, None).await? }))
            }
            Call::Orders => Ok(page(account.orders(None, None).await?)),
            Call::Assemblies => Ok(page(account.assemblies(at(NOW), None).await?)),
            Call::RemainsCreated => Ok(page(account.stock(Side::Fbo, &known, None).await?)),
            Call::RemainsStatus | Call::Remains => {
                let mut at = None;
                loop {
                    let next = account.stock(Side::Fbo, &known, at.as_ref()).await?;
                    self.clock.turn(next.pause.unwrap_or_default());
                    let (rows, failed, place) = page(next);
                    if place.is_none() {
                        return Ok((rows, failed, place));
                    }
                    at = place;
                }
            }
            Call::SellerInfo => {
                let token = jwt(&json!({ "acc": PERSONAL, "iid": self.sellers }));
                let info = self.world.connect(&token).verify().await?;
                Ok((vec![format!("{:?}", info.seller)], 0, None))
            }
        }
    }
}

fn page<T: Debug>(page: ReadPage<T>) -> Page {
    (page.rows.iter().map(|row| format!("{row:?}")).collect(), page.failed, page.next)
}

fn each_object(json: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, change)),
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|value| each_object(value, change));
        }
        _ => {}
    }
}

/// The answer with every field of a name changed.
fn with(body: &Value, field: &str, change: impl Fn(&mut Map<String, Value>, Value)) -> Value {
    let (mut body, mut is_there) = (body.clone(), false);
    each_object(&mut body, &mut |fields| {
        if let Some(value) = fields.remove(field) {
            change(fields, value);
            is_there = true;
        }
    });
    assert!(is_there, "{field}: no such field");
    body
}

/// The value in the clothes of every type, its content kept as far as it can be.
fn retyped(value: &Value) -> [Value; 6] {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    [
        json!(text),
        if value.is_number() { value.clone() } else { json!(text.parse::<i64>().unwrap_or_default()) },
        json!(text != "0" && text != "false"),
        Value::Null,
        if value.is_array() { value.clone() } else { json!([value]) },
        if value.is_object() { value.clone() } else { json!({ "value": value }) },
    ]
}

#[tokio::test]
async fn a_field_that_changes_is_never_a_wrong_figure() {
    let mut marketplace = Spoilt::new();
    let mut harmless = Vec::new();
    for (call, fields) in FIELDS {
        let body = good(*call);
        let before = marketplace.read(*call, body.clone()).await.unwrap();
        assert_eq!(before.1, 0, "{call:?}");
        for field in *fields {
            let renamed = with(&body, field, |fields, value| {
                fields.insert("renamed".to_owned(), value);
            });
            let retyped = (0..6).map(|kind| {
                with(&body, field, |fields, value| {
                    fields.insert((*field).to_owned(), retyped(&value)[kind].clone());
                })
            });
            for changed in std::iter::once(renamed).chain(retyped) {
                let is_kept = match marketplace.read(*call, changed.clone()).await {
                    Err(Error::RateLimited { .. }) => panic!("nobody has been asked"),
                    Err(_) => true,
                    Ok((rows, failed, _)) if rows.is_empty() && failed > 0 => true,
                    Ok(after) => after == before,
                };
                if !is_kept {
                    let reason = HARMLESS.iter().find(|(of, name, _)| of == call && name == field);
                    assert!(reason.is_some(), "{call:?} {field}: {changed}");
                    harmless.push((*call, *field));
                }
            }
        }
    }
    for (call, field, _) in HARMLESS {
        assert!(harmless.contains(&(*call, field)), "{call:?} {field} cannot do harm at all");
    }
}

#[tokio::test]
async fn an_id_that_has_lost_its_value_is_none() {
    let mut marketplace = Spoilt::new();
    for (call, ids) in IDS {
        for id in *ids {
            for lost in [json!(0), json!("0"), json!(""), json!(" ")] {
                let body = with(&good(*call), id, |fields, _| {
                    fields.insert((*id).to_owned(), lost.clone());
                });
                // A name may be any number.
                if *id == "warehouseName" && lost == "0" {
                    continue;
                }
                match marketplace.read(*call, body).await {
                    Err(Error::RateLimited { .. }) => panic!("nobody has been asked"),
                    Ok((rows, failed, _)) => {
                        assert!(rows.is_empty() && failed > 0, "{call:?} {id} {lost}: {rows:?}");
                    }
                    Err(_) => {}
                }
            }
        }
    }
}

#[tokio::test]
async fn one_id_for_different_lines_is_none_of_them() {
    let mut marketplace = Spoilt::new();
    let body = with(&good(Call::Orders), "srid", |fields, _| {
        fields.insert("srid".to_owned(), json!("one for all"));
    });
    let error = marketplace.read(Call::Orders, body).await.unwrap_err();
    assert_eq!(error.code(), "contract_changed");
}
