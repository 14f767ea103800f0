//! Vendure: the catalogue, the locations and the stock, read to the end of lists that may change meanwhile.

use std::collections::BTreeSet;

use domain::{
    marketplace::{Side, WarehouseKind},
    reading::{ProductRow, StockRow},
};
use marketplaces::{CatalogueScope, Error};
use serde_json::{Value, json};

use crate::{
    server::{Reply, Server},
    support::{Known, Reading, read_all},
    vendure_shop::{self, Open, Shop, variant},
};

async fn products(open: &Open) -> Result<Reading<ProductRow>, Error> {
    let scope = CatalogueScope::Full;
    read_all(async |at| open.account().products(&scope, at.as_ref()).await).await
}

async fn stock(open: &Open, known: &Known) -> Result<Reading<StockRow>, Error> {
    read_all(async |at| open.account().stock(Side::Fbs, known, at.as_ref()).await).await
}

/// Variants of products of three each.
fn many(count: usize) -> impl FnOnce(&mut Shop) {
    move |shop| shop.variants = (1..=count).map(|id| variant(id, id.div_ceil(3), &[("1", 5, 0)])).collect()
}

fn ids(reading: &Reading<ProductRow>) -> BTreeSet<usize> {
    let variants = reading.rows.iter().flat_map(|product| &product.variants);
    variants.map(|variant| variant.external_id.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_product_is_put_together_whatever_page_its_variants_are_on() {
    let open = Open::new(many(250));
    let read = products(&open).await.unwrap();
    assert_eq!((read.rows.len(), read.pages, read.failed), (84, 3, 0));
    assert!(read.rows[..83].iter().all(|product| product.variants.len() == 3), "{:?}", read.rows);
    let whole = &read.rows[33];
    assert_eq!((whole.external_id.as_str(), whole.name.as_deref()), ("34", Some("Thing 34")));
    assert_eq!(whole.variants[1].sku.as_deref(), Some("SKU-101"));
    assert_eq!(whole.variants[1].name.as_deref(), Some("Size 101"));
    assert_eq!(whole.seller_article, None, "three units have three articles");
    let asked = open.asked_of("productVariants");
    assert_eq!(asked.iter().map(|v| v["skip"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 99, 198]);
}

#[tokio::test]
async fn a_product_may_be_longer_than_a_page() {
    let open = Open::new(|shop| shop.variants = (1..=230).map(|id| variant(id, 1, &[])).collect());
    let read = products(&open).await.unwrap();
    assert_eq!(read.rows.len(), 1);
    assert_eq!(read.rows[0].variants.len(), 230);
}

#[tokio::test]
async fn what_customers_cannot_see_is_hidden_and_kept() {
    let open = Open::new(|shop| {
        shop.variants = (1..=4).map(|id| variant(id, id.div_ceil(2), &[])).collect();
        shop.variants.push(variant(5, 5, &[]));
        shop.variants[0]["enabled"] = json!(false);
        shop.variants[2]["enabled"] = json!(false);
        shop.variants[3]["enabled"] = json!(false);
        shop.variants[4]["product"]["enabled"] = json!(false);
        shop.variants[4]["options"] = json!([]);
    });
    let read = products(&open).await.unwrap();
    let seen: Vec<_> = read.rows.iter().map(|p| (p.external_id.as_str(), p.hidden, p.removed)).collect();
    assert_eq!(seen, [("1", false, false), ("2", true, false), ("5", true, false)]);
    let single = &read.rows[2];
    assert_eq!((single.seller_article.as_deref(), &single.variants[0].name), (Some("SKU-5"), &None));
}

#[tokio::test]
async fn an_empty_shop_is_read_whole() {
    let open = Open::new(|_| {});
    assert_eq!(products(&open).await.unwrap().rows, []);
    assert_eq!(stock(&open, &Known::default()).await.unwrap().rows, []);
    let locations = read_all(async |at| open.account().locations(at.as_ref()).await).await.unwrap();
    assert_eq!(locations.rows, []);
}

#[tokio::test]
async fn locations_are_told_apart_by_their_ids() {
    let open = Open::new(|shop| {
        shop.locations = (1..=120).map(|id| json!({ "id": id.to_string(), "name": "Shop" })).collect();
    });
    let read = read_all(async |at| open.account().locations(at.as_ref()).await).await.unwrap();
    let distinct: BTreeSet<_> = read.rows.iter().map(|l| l.external_id.clone().unwrap()).collect();
    assert_eq!((read.rows.len(), distinct.len()), (120, 120));
    assert!(read.rows.iter().all(|l| l.kind == WarehouseKind::Seller && l.name == "Shop"));
}

/// A shop that loses variants once, after a page.
fn losing(count: usize, after_page: usize, lost: &'static [usize]) -> impl FnOnce(&mut Shop) {
    move |shop| {
        many(count)(shop);
        shop.after = Some(Box::new(move |shop, page| {
            if page == after_page {
                shop.variants
                    .retain(|variant| !lost.contains(&variant["id"].as_str().unwrap().parse().unwrap()));
            }
        }));
    }
}

#[tokio::test]
async fn what_is_deleted_while_the_catalogue_is_read_hides_nothing_else() {
    const TAIL: &[usize] = &[91, 92, 93, 94, 95, 96, 97, 98, 99, 100];
    for lost in [&[5][..], &[100], &[99, 100], &[150], &[1, 2, 3, 100, 101, 102], TAIL] {
        let mut expected: BTreeSet<_> = (1..=250).collect();
        expected.retain(|id| !lost.contains(id));
        let open = Open::new(losing(250, 0, lost.to_vec().leak()));
        let read = products(&open).await.unwrap();
        let seen = ids(&read);
        assert!(seen.is_superset(&expected), "{lost:?}: {:?} are missing", expected.difference(&seen));
    }
}

#[tokio::test]
async fn what_is_deleted_after_it_was_read_starts_the_catalogue_over() {
    let open = Open::new(losing(250, 1, &[5]));
    products(&open).await.unwrap();
    let begun = open.asked_of("productVariants").iter().filter(|asked| asked["skip"] == 0).count();
    assert_eq!(begun, 2, "the total and what was read did not agree the first time");
}

#[tokio::test]
async fn a_catalogue_that_never_stands_still_is_not_read_for_ever() {
    // It always tells of one row less than it gives.
    let server = Server::start(|_| {
        let rows: Vec<_> = (1..=4).map(|id| variant(id, 1, &[])).collect();
        Reply::json(&json!({ "data": { "list": { "totalItems": 3, "items": rows }, "settings": {} } }))
    });
    let world = vendure_shop::world(&server);
    let scope = CatalogueScope::Full;
    let reading =
        read_all(async |at| vendure_shop::account(&world, &server).products(&scope, at.as_ref()).await);
    assert_eq!(reading.await.unwrap_err().code(), "marketplace_unavailable");
    assert_eq!(server.asked().len(), 4, "once, and three times more");
}

#[tokio::test]
async fn stock_of_a_list_that_shifts_is_not_the_whole_stock() {
    let open = Open::new(losing(250, 0, &[5]));
    let mut at = None;
    let (mut rows, mut expected) = (0, None);
    loop {
        let page = open.account().stock(Side::Fbs, &Known::default(), at.as_ref()).await.unwrap();
        rows += page.rows.len() as u64;
        expected = page.expected_total.or(expected);
        at = page.next;
        if at.is_none() {
            break;
        }
    }
    assert_eq!(
        (rows, expected),
        (250, Some(251)),
        "what was read is not what is expected: all is read again"
    );
}

#[tokio::test]
async fn stock_of_a_list_that_stands_still_is_whole() {
    let open = Open::new(many(250));
    let mut at = None;
    loop {
        let page = open.account().stock(Side::Fbs, &Known::default(), at.as_ref()).await.unwrap();
        assert_eq!(page.expected_total, None);
        at = page.next;
        if at.is_none() {
            break;
        }
    }
}

#[tokio::test]
async fn a_shop_that_allows_fewer_rows_is_asked_for_fewer() {
    let open = Open::new(|shop| {
        many(100)(shop);
        shop.limit = 30;
    });
    let read = products(&open).await.unwrap();
    assert_eq!(ids(&read).len(), 100);
    let takes: Vec<_> =
        open.asked_of("productVariants").iter().map(|v| v["take"].as_u64().unwrap()).collect();
    assert_eq!(takes, [100, 30, 30, 30, 30], "found out once");
}

#[tokio::test]
async fn a_list_that_ends_before_its_total_is_no_whole_list() {
    let open = Open::new(many(150));
    let next = open.account().products(&CatalogueScope::Full, None).await.unwrap().next;
    // Rows that the total counts and nobody gives.
    let server = Server::start(|_| {
        let list = json!({ "totalItems": 150, "items": [variant(100, 34, &[])] });
        Reply::json(&json!({ "data": { "list": list, "settings": {} } }))
    });
    let world = vendure_shop::world(&server);
    let account = vendure_shop::account(&world, &server);
    let error = account.products(&CatalogueScope::Full, next.as_ref()).await.unwrap_err();
    assert_eq!(error.code(), "contract_changed");
}

/// Settings of the shop and of the variant, levels, and what follows.
async fn told(track: bool, variant: Value) -> Reading<StockRow> {
    let open = Open::new(|shop| {
        shop.settings["trackInventory"] = json!(track);
        shop.variants = vec![variant];
    });
    stock(&open, &Known::default()).await.unwrap()
}

#[tokio::test]
async fn what_can_be_sold_is_on_hand_less_allocated_in_each_location() {
    let mut one = variant(7, 3, &[("2", 10, 4), ("1", 5, 0), ("3", 2, 4), ("4", -2, 1)]);
    // The threshold is the variant's, for all locations together.
    one["useGlobalOutOfStockThreshold"] = json!(false);
    one["outOfStockThreshold"] = json!(3);
    let read = told(true, one).await;
    let units: Vec<_> = read
        .rows
        .iter()
        .map(|row| {
            let place = row.location.as_ref().unwrap();
            (place.external_id.as_deref().unwrap(), row.available, row.reserved, row.on_hand)
        })
        .collect();
    let expected = [
        ("2", Some(6), Some(4), Some(10)),
        ("1", Some(5), Some(0), Some(5)),
        ("3", Some(0), Some(4), Some(2)),
        ("4", Some(0), Some(1), Some(-2)),
    ];
    assert_eq!(units, expected);
    let row = &read.rows[0];
    assert_eq!(row.variant_external_id.as_deref(), Some("7"));
    assert_eq!(row.product_external_id.as_deref(), Some("3"));
    assert_eq!(row.location.as_ref().unwrap().name, "Location 2");
}

#[tokio::test]
async fn what_is_not_tracked_has_no_figure() {
    for (shop, own, is_tracked) in [
        (true, "INHERIT", true),
        (false, "INHERIT", false),
        (true, "TRUE", true),
        (false, "TRUE", true),
        (true, "FALSE", false),
        (false, "FALSE", false),
    ] {
        let mut one = variant(7, 3, &[("1", 10, 4)]);
        one["trackInventory"] = json!(own);
        let read = told(shop, one).await;
        let row = &read.rows[0];
        let figures = (row.available, row.reserved, row.on_hand);
        let expected = if is_tracked { (Some(6), Some(4), Some(10)) } else { (None, None, None) };
        assert_eq!(figures, expected, "{own} in a shop that tracks: {shop}");
    }
}

#[tokio::test]
async fn what_is_not_tracked_and_lies_nowhere_is_unknown_all_the_same() {
    let mut untracked = variant(7, 3, &[]);
    untracked["trackInventory"] = json!("FALSE");
    let open = Open::new(|shop| shop.variants = vec![untracked, variant(8, 3, &[])]);
    let known = Known::new([], &[("1", "Main"), ("2", "Shop")]);
    let read = stock(&open, &known).await.unwrap();
    assert_eq!(read.rows.len(), 1, "a variant that is tracked and lies nowhere has none");
    let row = &read.rows[0];
    assert_eq!((row.variant_external_id.as_deref(), row.available), (Some("7"), None));
    assert_eq!(row.location.as_ref().unwrap().external_id.as_deref(), Some("1"));
    assert_eq!(stock(&open, &Known::default()).await.unwrap().rows, []);
}

#[tokio::test]
async fn a_shop_has_one_side() {
    let open = Open::new(many(1));
    let error = open.account().stock(Side::Fbo, &Known::default(), None).await.unwrap_err();
    assert_eq!((error.code(), open.server.asked().len()), ("invalid_request", 0));
}
