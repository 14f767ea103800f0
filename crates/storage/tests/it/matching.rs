//! Order lines find their variants, at once or when the catalogue has caught up.

use domain::reading::OrderRow;
use storage::orders;

use crate::fixture::{Shop, Store, at, card, on_both_databases, order};

on_both_databases!(
    by_id_by_barcode_and_by_product_and_size,
    lines_without_a_variant_find_it_later,
    more_unmatched_lines_than_one_statement_takes,
);

const YESTERDAY: i64 = -24 * 60;

fn clue(id: &str, product: Option<&str>, barcode: Option<&str>, size: Option<&str>) -> OrderRow {
    OrderRow {
        variant_external_id: None,
        product_external_id: product.map(ToOwned::to_owned),
        barcode: barcode.map(ToOwned::to_owned),
        size: size.map(ToOwned::to_owned),
        ..order(id, "", at(YESTERDAY))
    }
}

async fn matched(shop: &Shop<'_>) -> Vec<(String, Option<String>)> {
    let mut found: Vec<_> = shop
        .lines()
        .await
        .into_iter()
        .map(|line| (line.external_id, line.external_variant_id.filter(|_| line.variant_id.is_some())))
        .collect();
    found.sort();
    found
}

fn expected(rows: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    rows.iter().map(|(id, variant)| ((*id).to_owned(), variant.map(ToOwned::to_owned))).collect()
}

async fn by_id_by_barcode_and_by_product_and_size(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[
        card("p1", &[("v1", "42", &["b1", "shared"]), ("v2", "43", &["b2"])]),
        card("p2", &[("v3", "", &["shared"])]),
    ])
    .await;
    // The same barcode with another account's variant is another thing.
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.cards(&[card("q1", &[("w1", "42", &["foreign"])])]).await;
    shop.orders(&[
        order("by id", "v2", at(YESTERDAY)),
        clue("by barcode", None, Some("b1"), None),
        clue("by product", Some("p1"), Some("gone"), Some("43")),
        clue("foreign", None, Some("foreign"), None),
        clue("shared", None, Some("shared"), None),
        clue("shared told apart", Some("p2"), Some("shared"), None),
    ])
    .await;
    let found = expected(&[
        ("by barcode", Some("v1")),
        ("by id", Some("v2")),
        ("by product", Some("v2")),
        ("foreign", None),
        ("shared", None),
        ("shared told apart", Some("v3")),
    ]);
    assert_eq!(matched(&shop).await, found);
}

async fn lines_without_a_variant_find_it_later(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1"])])]).await;
    let two = OrderRow { quantity: 2, ..clue("o1", None, Some("new"), None) };
    shop.orders(&[two, clue("o2", None, Some("never"), None)]).await;
    assert_eq!(shop.count(at(0)).await, 3, "unmatched units are told");
    assert_eq!(shop.products().await["p1"].figures.ordered_units, Some(0), "and counted nowhere");

    shop.cards(&[card("p1", &[("v1", "42", &["b1", "new"])])]).await;
    for _ in 0..2 {
        let tx = shop.write().await;
        orders::match_again(&tx, shop.account).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(shop.count(at(0)).await, 1);
        assert_eq!(shop.products().await["p1"].figures.ordered_units, Some(2));
    }
    assert_eq!(matched(&shop).await, expected(&[("o1", Some("v1")), ("o2", None)]));
}

async fn more_unmatched_lines_than_one_statement_takes(store: &Store) {
    let shop = Shop::new(store).await;
    let rows: Vec<_> = (0..1_203).map(|i| clue(&format!("o{i}"), None, Some("late"), None)).collect();
    shop.orders(&rows).await;
    assert_eq!(shop.count(at(0)).await, 1_203);
    shop.cards(&[card("p1", &[("v1", "42", &["late"])])]).await;
    let tx = shop.write().await;
    orders::match_again(&tx, shop.account).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shop.count(at(0)).await, 0);
    assert_eq!(shop.products().await["p1"].figures.ordered_units, Some(1_203));
}
