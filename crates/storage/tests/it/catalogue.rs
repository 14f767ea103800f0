//! The catalogue: what the marketplace says replaces what was there, and figures stay.

use std::collections::HashMap;

use domain::{ids::AccountId, matching::Clue, picture::ProductStatus, reading::ProductRow};
use storage::{
    catalogue::{self, Matcher},
    orders,
};

use crate::fixture::{Shop, Store, card, on_both_databases, order, plain, wb};

on_both_databases!(
    what_the_marketplace_says_replaces_what_was_there,
    figures_survive_a_reading_of_the_catalogue,
    a_page_that_repeats_itself_is_one_page,
    a_card_names_all_its_sizes,
    what_a_full_reading_did_not_carry_is_inactive,
    a_removed_card_keeps_its_name,
    a_hidden_product_is_inactive_and_known,
    a_change_of_nothing_is_not_a_change,
    stock_of_an_unknown_card_makes_it_known,
    external_ids_are_walked_through_by_bytes,
    rows_find_their_variant_by_barcode_and_by_product,
    a_size_that_moves_to_another_card_takes_its_figures_along,
    a_catalogue_longer_than_one_statement,
);

async fn what_the_marketplace_says_replaces_what_was_there(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1", "b1x"])])]).await;
    let before = shop.product("p1").await;
    assert_eq!(before.product.status, ProductStatus::Active);
    assert_eq!(before.product.name.as_deref(), Some("Title p1"));
    assert_eq!(before.variants[0].barcodes, ["b1", "b1x"]);
    assert_eq!(before.product.figures.total_stock(), None, "nothing was measured");

    let renamed =
        ProductRow { name: Some("Другое".into()), seller_article: None, brand: None, ..plain("p1") };
    let renamed = ProductRow { variants: card("p1", &[("v1", "43", &["b2"])]).variants, ..renamed };
    shop.cards(&[renamed]).await;
    let after = shop.product("p1").await;
    assert_eq!((after.product.id, after.variants[0].id), (before.product.id, before.variants[0].id));
    assert_eq!(after.product.name.as_deref(), Some("Другое"));
    assert_eq!((after.product.seller_article, after.product.brand), (None, None));
    assert_eq!(after.variants[0].name.as_deref(), Some("43"));
    assert_eq!(after.variants[0].barcodes, ["b2"]);
    let barcodes = store.number("SELECT count(*) AS n FROM variant_barcode", []).await;
    assert_eq!(barcodes, 1, "the old ones are gone");
}

async fn figures_survive_a_reading_of_the_catalogue(store: &Store) {
    let shop = Shop::new(store).await;
    shop.fill().await;
    let before = shop.product("p1").await;
    assert_eq!(before.product.figures.total_stock(), Some(15));
    shop.end(
        storage::syncs::live(&store.read(&shop.owner.scope).await, shop.account)
            .await
            .unwrap()
            .unwrap()
            .run
            .id,
    )
    .await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1"]), ("v2", "43", &["b2"])])]).await;
    let after = shop.product("p1").await;
    assert_eq!(after.product.figures, before.product.figures);
    assert_eq!(after.variants, before.variants);
}

async fn a_page_that_repeats_itself_is_one_page(store: &Store) {
    let shop = Shop::new(store).await;
    let newer = ProductRow { name: Some("newer".into()), ..card("p1", &[("v1", "42", &["b1", "b1"])]) };
    shop.cards(&[card("p1", &[("v1", "41", &["b0"])]), plain("p2"), newer]).await;
    let found = shop.product("p1").await;
    assert_eq!(found.product.name.as_deref(), Some("newer"));
    assert_eq!(found.variants.len(), 1);
    assert_eq!(found.variants[0].name.as_deref(), Some("42"));
}

async fn a_card_names_all_its_sizes(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1"]), ("v2", "43", &["b2"])]), plain("p2")]).await;
    shop.cards(&[card("p1", &[("v2", "43", &["b2"])])]).await;
    let sql = "SELECT count(*) AS n FROM variant WHERE active = TRUE";
    assert_eq!(store.number(sql, []).await, 2, "v2, and p2's, which the page did not name");
}

async fn what_a_full_reading_did_not_carry_is_inactive(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[plain("p1"), plain("p2")]).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.cards(&[plain("p3")]).await;
    let sync = shop.begin().await;
    let tx = shop.write().await;
    catalogue::write(&tx, shop.reader(sync), &[plain("p2")]).await.unwrap();
    catalogue::close_unseen(&tx, shop.account, sync, shop.now()).await.unwrap();
    assert_eq!(catalogue::count_active(&tx, shop.account).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let products = shop.products().await;
    assert_eq!(products["p1"].status, ProductStatus::Inactive);
    assert_eq!(products["p2"].status, ProductStatus::Active);
    assert_eq!(products["p3"].status, ProductStatus::Active, "another account's");
    assert_eq!(products["p1"].name.as_deref(), Some("Title p1"), "kept");
}

async fn a_removed_card_keeps_its_name(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1"])])]).await;
    let gone = |id| ProductRow { removed: true, name: None, variants: Vec::new(), ..plain(id) };
    shop.cards(&[gone("p1")]).await;
    let found = shop.product("p1").await;
    assert_eq!(found.product.status, ProductStatus::Inactive);
    assert_eq!(found.product.name.as_deref(), Some("Title p1"));
    assert_eq!(store.number("SELECT count(*) AS n FROM variant WHERE active = TRUE", []).await, 0);

    // A card that we first hear of when it is in the bin is nothing to keep.
    shop.cards(&[ProductRow { removed: true, ..plain("p2") }]).await;
    assert_eq!(shop.products().await.into_keys().collect::<Vec<_>>(), ["p1"]);
}

async fn a_hidden_product_is_inactive_and_known(store: &Store) {
    let shop = Shop::new(store).await;
    let hidden = |title: &str| ProductRow { hidden: true, name: Some(title.into()), ..plain("p1") };
    shop.cards(&[hidden("first")]).await;
    let active = "SELECT count(*) AS n FROM variant WHERE active = TRUE";
    for (row, title, status, variants) in [
        (hidden("renamed"), "renamed", ProductStatus::Inactive, 0),
        (plain("p1"), "Title p1", ProductStatus::Active, 1),
        (hidden("last"), "last", ProductStatus::Inactive, 0),
    ] {
        shop.cards(&[row]).await;
        let found = &shop.products().await["p1"];
        assert_eq!((found.name.as_deref(), found.status), (Some(title), status));
        assert_eq!(store.number(active, []).await, variants);
    }
}

async fn a_change_of_nothing_is_not_a_change(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[plain("p1")]).await;
    let before = shop.products().await["p1"].updated_at;
    shop.cards(&[plain("p1")]).await;
    assert_eq!(shop.products().await["p1"].updated_at, before);
    shop.cards(&[ProductRow { brand: None, ..plain("p1") }]).await;
    assert!(shop.products().await["p1"].updated_at > before);
}

async fn stock_of_an_unknown_card_makes_it_known(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[plain("p1")]).await;
    let sync = shop.begin().await;
    let tx = shop.write().await;
    let wanted: HashMap<&str, Option<&str>> =
        [("p1-v", None), ("p1-w", Some("p1")), ("x1", Some("p9")), ("x2", Some("p9")), ("lost", None)].into();
    let placed = catalogue::ensure_variants(&tx, shop.reader(sync), &wanted).await.unwrap();
    let again = catalogue::ensure_variants(&tx, shop.reader(sync), &wanted).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(placed, again);
    assert_eq!(placed.len(), 4, "a variant whose product nobody names has no place");
    assert_eq!(placed["x1"].product, placed["x2"].product);
    assert_eq!(placed["p1-w"].product, placed["p1-v"].product);
    let products = shop.products().await;
    assert_eq!(products["p9"].status, ProductStatus::Inactive);
    assert_eq!(products["p9"].id, placed["x1"].product);
}

async fn external_ids_are_walked_through_by_bytes(store: &Store) {
    let shop = Shop::new(store).await;
    let ids = ["10", "9", "Z", "a", "ё", "я", "А"];
    let rows: Vec<_> = ids.iter().map(|id| card(&format!("p{id}"), &[(id, "", &[])])).collect();
    shop.cards(&rows).await;
    let tx = store.read(&shop.owner.scope).await;
    let mut walked = Vec::new();
    loop {
        let after = walked.last().map(String::as_str);
        let page = catalogue::variant_external_ids(&tx, shop.account, after, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        walked.extend(page);
    }
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    assert_eq!(walked, sorted);
    let other = catalogue::variant_external_ids(&tx, AccountId::generate(), None, 10).await.unwrap();
    assert_eq!(other, Vec::<String>::new());
}

async fn rows_find_their_variant_by_barcode_and_by_product(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[
        card("p1", &[("v1", "42", &["b1", "shared"]), ("v2", "43", &["b2"])]),
        card("p2", &[("v3", "42", &["shared"])]),
    ])
    .await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.cards(&[card("p1", &[("v9", "42", &["shared"])])]).await;
    let tx = store.read(&shop.owner.scope).await;
    let none = Clue { variant_external_id: None, product_external_id: None, barcode: None, size: None };
    let shared = Clue { barcode: Some("shared"), ..none };
    let clues = [
        (Clue { barcode: Some("b2"), ..none }, Some("v2")),
        (shared, None),
        (Clue { product_external_id: Some("p2"), ..shared }, Some("v3")),
        (Clue { product_external_id: Some("p1"), size: Some("43"), ..none }, Some("v2")),
        (Clue { variant_external_id: Some("v2"), ..none }, Some("v2")),
        (Clue { variant_external_id: Some("v9"), ..none }, None),
        (Clue { barcode: Some("none"), product_external_id: Some("none"), ..none }, None),
        (none, None),
    ];
    let together = Matcher::load(&tx, shop.account, &clues.map(|(clue, _)| clue)).await.unwrap();
    for (clue, variant) in clues {
        let alone = Matcher::load(&tx, shop.account, &[clue]).await.unwrap();
        for matcher in [&alone, &together] {
            assert_eq!(matcher.find(clue).map(|found| found.external_id.as_str()), variant, "{clue:?}");
        }
    }
}

async fn a_size_that_moves_to_another_card_takes_its_figures_along(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &[])]), card("p2", &[("v2", "43", &[])])]).await;
    shop.fbo(&[("v1", wb("A"), 5), ("v2", wb("A"), 1)]).await;
    shop.orders(&[order("o1", "v1", crate::fixture::at(-1_440))]).await;
    shop.cards(&[card("p2", &[("v1", "42", &[]), ("v2", "43", &[])])]).await;
    shop.fbo(&[("v1", wb("A"), 5), ("v2", wb("A"), 1)]).await;
    let products = shop.products().await;
    assert_eq!(products["p2"].figures.total_stock(), Some(6));
    assert_eq!(products["p1"].figures.total_stock(), None, "nothing is left to measure");
    let detail = shop.product("p2").await;
    assert_eq!(detail.warehouses[0].available, Some(6));
    let tx = store.read(&shop.owner.scope).await;
    let filter = domain::picture::OrderFilter { product_id: Some(products["p2"].id), ..Default::default() };
    let lines = orders::list(&tx, &filter, &crate::fixture::first(10)).await.unwrap();
    assert_eq!(lines.items.len(), 1, "its orders too");
}

/// More rows than one statement may bind values for.
async fn a_catalogue_longer_than_one_statement(store: &Store) {
    let shop = Shop::new(store).await;
    let ids: Vec<String> = (0..1_500).map(|i| format!("p{i:04}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| card(id, &[(&format!("{id}-v"), "42", &[id.as_str()])])).collect();
    shop.cards(&rows).await;
    let places: Vec<String> = ids.iter().map(|id| format!("{id}-v")).collect();
    let stock: Vec<_> = places.iter().map(|id| (id.as_str(), wb("A"), 2)).collect();
    assert_eq!(shop.fbo(&stock).await, 1_500);
    let lines: Vec<_> =
        ids.iter().map(|id| order(id, &format!("{id}-v"), crate::fixture::at(-1_440))).collect();
    shop.orders(&lines).await;
    let products = shop.products().await;
    assert_eq!(products.len(), 1_500);
    assert!(products.values().all(|p| p.figures.total_stock() == Some(2)));
    let tx = store.read(&shop.owner.scope).await;
    let clues: Vec<Clue<'_>> = ids
        .iter()
        .map(|id| Clue {
            variant_external_id: None,
            product_external_id: Some(id),
            barcode: Some(id),
            size: None,
        })
        .collect();
    let matcher = Matcher::load(&tx, shop.account, &clues).await.unwrap();
    assert!(clues.iter().all(|clue| matcher.find(*clue).is_some()));
}
