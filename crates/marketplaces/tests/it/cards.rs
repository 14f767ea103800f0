//! Reading the catalogue.

use std::sync::{Arc, Mutex};

use marketplaces::{CatalogueScope, Error};
use serde_json::{Value, json};

use crate::{
    server::{Asked, Reply, Server},
    support::{Reading, World, read_all},
};

const LIST: &str = "/content/v2/get/cards/list";
const TRASH: &str = "/content/v2/get/cards/trash";

/// A shop whose cards change one after another, a minute each; a card's id is its minute.
struct Shop {
    list: Mutex<Vec<u32>>,
    trash: Mutex<Vec<u32>>,
}

impl Shop {
    fn new(list: impl IntoIterator<Item = u32>, trash: impl IntoIterator<Item = u32>) -> Arc<Self> {
        Arc::new(Self {
            list: Mutex::new(list.into_iter().collect()),
            trash: Mutex::new(trash.into_iter().collect()),
        })
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let (cards, moment) =
            if asked.path == LIST { (&self.list, "updatedAt") } else { (&self.trash, "trashedAt") };
        let cursor = &asked.body["settings"]["cursor"];
        let limit = usize::try_from(cursor["limit"].as_u64().unwrap()).unwrap();
        let after = cursor.get("nmID").map(|id| {
            let id = u32::try_from(id.as_u64().unwrap()).unwrap();
            assert_eq!(cursor[moment], time(id), "the two halves of a cursor belong together");
            id
        });
        let cards: Vec<_> = cards
            .lock()
            .unwrap()
            .iter()
            .copied()
            .filter(|id| after.is_none_or(|after| *id > after))
            .take(limit)
            .collect();
        let mut next = json!({ "total": cards.len() });
        if let Some(last) = cards.last() {
            next[moment] = json!(time(*last));
            next["nmID"] = json!(last);
        }
        Reply::json(&json!({ "cards": cards.into_iter().map(card).collect::<Vec<_>>(), "cursor": next }))
    }
}

fn time(minute: u32) -> String {
    format!("2026-10-{:02}T{:02}:{:02}:00.5Z", 1 + minute / 1440, minute / 60 % 24, minute % 60)
}

fn card(id: u32) -> Value {
    json!({
        "nmID": id, "vendorCode": format!("art-{id}"), "title": "Кружка", "brand": "Глина", "subjectName": "Кружки",
        "sizes": [{ "chrtID": 1000 + id, "techSize": "0", "skus": [format!("46{id:08}")] }], "video": "x",
    })
}

async fn read(server: &Server, scope: &CatalogueScope) -> Reading<domain::reading::ProductRow> {
    let world = World::new(server.url());
    read_all(async |at| world.account("s").products(scope, at.as_ref()).await).await.unwrap()
}

#[tokio::test]
async fn a_catalogue_longer_than_a_page_is_read_whole() {
    for (cards, pages) in [(0, 1), (1, 1), (99, 1), (100, 2), (250, 3)] {
        let shop = Shop::new(1..=cards, [7000]);
        let server = Server::start(move |asked| shop.answer(asked));
        let reading = read(&server, &CatalogueScope::Full).await;
        let ids: Vec<_> = reading.rows.iter().map(|row| row.external_id.clone()).collect();
        assert_eq!(ids, (1..=cards).map(|id| id.to_string()).collect::<Vec<_>>());
        assert_eq!((reading.pages, reading.failed), (pages, 0));
        assert!(server.asked().iter().all(|asked| asked.path == LIST && asked.query["locale"] == "ru"));
    }
}

#[tokio::test]
async fn the_next_reading_takes_only_what_changed_and_what_was_thrown_away() {
    let shop = Shop::new(1..=120, [30]);
    let server = Server::start({
        let shop = Arc::clone(&shop);
        move |asked| shop.answer(asked)
    });
    let full = read(&server, &CatalogueScope::Full).await;

    shop.list.lock().unwrap().extend([200, 201]);
    let second = read(&server, &CatalogueScope::Since(full.watermark.unwrap())).await;
    let seen: Vec<_> = second.rows.iter().map(|row| (row.external_id.as_str(), row.removed)).collect();
    assert_eq!(seen, [("200", false), ("201", false), ("30", true)]);

    shop.trash.lock().unwrap().extend(300..450);
    let third = read(&server, &CatalogueScope::Since(second.watermark.unwrap())).await;
    assert_eq!(third.rows.len(), 150, "both lists go on after what was read, the trash page by page too");
    assert!(third.rows.iter().all(|row| row.removed));

    let fourth = read(&server, &CatalogueScope::Since(third.watermark.unwrap())).await;
    assert!(fourth.rows.is_empty());
    let fifth = read(&server, &CatalogueScope::Since(fourth.watermark.unwrap())).await;
    assert!(fifth.rows.is_empty(), "a reading without news does not lose its place");
    assert_eq!(server.paths().iter().filter(|path| *path == TRASH).count(), 5);
}

#[tokio::test]
async fn a_card_becomes_a_product_with_its_sizes() {
    let server = Server::start(|_| {
        Reply::json(&json!({
            "cards": [{
                "nmID": 9_007_199_254_740_993_i64, "vendorCode": "  ", "title": "Рубашка", "subjectName": "Рубашки",
                "sizes": [
                    { "chrtID": "77", "techSize": "M", "skus": ["4600000000017", "4600000000024"] },
                    { "chrtID": 78, "techSize": "0", "skus": null },
                    { "chrtID": 79, "techSize": "", "skus": [4_600_000_000_031_i64, ""] },
                ],
            }],
            "cursor": { "updatedAt": "2026-10-01T00:00:00Z", "nmID": 1, "total": 1 },
        }))
    });
    let reading = read(&server, &CatalogueScope::Full).await;
    let [product] = &reading.rows[..] else { panic!("{reading:?}") };
    assert_eq!(product.external_id, "9007199254740993");
    assert_eq!((product.seller_article.as_deref(), product.brand.as_deref()), (None, None));
    assert_eq!((product.name.as_deref(), product.category.as_deref()), (Some("Рубашка"), Some("Рубашки")));
    let sizes: Vec<_> = product
        .variants
        .iter()
        .map(|size| {
            (size.external_id.as_str(), size.name.as_deref(), size.sku.as_deref(), size.barcodes.len())
        })
        .collect();
    assert_eq!(
        sizes,
        [
            ("77", Some("M"), Some("4600000000017"), 2),
            ("78", None, None, 0),
            ("79", None, Some("4600000000031"), 1)
        ]
    );
}

#[tokio::test]
async fn one_bad_card_does_not_take_its_page_with_it() {
    let server = Server::start(|_| {
        let mut cards: Vec<_> = (1..=4).map(card).collect();
        cards[1]["sizes"] = json!([]);
        cards[2]["sizes"][0]["chrtID"] = json!({});
        cards.push(json!({ "nmID": 9 }));
        let cursor = json!({ "updatedAt": time(4), "nmID": 4, "total": 5 });
        Reply::json(&json!({ "cards": cards, "cursor": cursor }))
    });
    let reading = read(&server, &CatalogueScope::Full).await;
    let ids: Vec<_> = reading.rows.iter().map(|row| row.external_id.as_str()).collect();
    assert_eq!((ids, reading.failed), (vec!["1", "4"], 3));
}

#[tokio::test]
async fn a_page_that_lost_its_shape_is_no_empty_catalogue() {
    let full = json!({ "total": 100, "updatedAt": time(1), "nmID": 1 });
    for (body, place) in [
        (json!({ "data": null, "error": true }), "cursor"),
        (json!({ "cards": {}, "cursor": { "total": 1 } }), "cards"),
        (json!({ "cards": null, "cursor": { "total": 3 } }), "cards"),
        (json!({ "cards": [], "cursor": { "total": "many" } }), "cursor.total"),
        (json!({ "cards": [], "cursor": full }), "cursor"),
        (json!({ "cards": [card(1)], "cursor": { "total": 100 } }), "cursor"),
    ] {
        let server = Server::start({
            let body = body.clone();
            move |_| Reply::json(&body)
        });
        let error = World::new(server.url()).account("s").products(&CatalogueScope::Full, None).await;
        let Err(Error::ContractChanged { endpoint: "cards", what }) = error else {
            panic!("{body}: {error:?}")
        };
        assert!(what.contains(place), "{body}: {what}");
    }
}

#[tokio::test]
async fn a_cursor_that_stands_still_does_not_read_for_ever() {
    let server = Server::start(|_| {
        let cards: Vec<_> = (1..=100).map(card).collect();
        let cursor = json!({ "updatedAt": time(100), "nmID": 100, "total": 100 });
        Reply::json(&json!({ "cards": cards, "cursor": cursor }))
    });
    let world = World::new(server.url());
    let scope = CatalogueScope::Full;
    let outcome = read_all(async |at| world.account("s").products(&scope, at.as_ref()).await).await;
    assert!(matches!(outcome, Err(Error::ContractChanged { .. })), "{outcome:?}");
    assert_eq!(server.asked().len(), 2);
}
