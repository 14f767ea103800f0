//! Where the products of a list lie.

use domain::{picture::ProductFilter, tenant::LowStockRule};
use storage::products;

use crate::fixture::{Shop, Store, at, card, on_both_databases, order, own, wb};

on_both_databases!(
    only_places_of_the_chosen_products_are_named,
    what_products_have_in_places_agrees_with_each_of_them,
);

async fn filled(store: &Store) -> Shop<'_> {
    let shop = Shop::new(store).await;
    shop.cards(&[
        card("p1", &[("v1", "42", &[]), ("v2", "43", &[])]),
        card("p2", &[("v3", "", &[])]),
        card("p3", &[("v4", "", &[])]),
    ])
    .await;
    shop.fbo(&[("v1", wb("Коледино"), 5), ("v2", wb("Коледино"), 7), ("v3", wb("Тула"), 1)]).await;
    shop.fbs(&[("v1", own("Дом"), 3), ("v3", own("Дом"), 0)]).await;
    // Ordered from a place that has no stock.
    let line = order("o1", "v1", at(-24 * 60));
    shop.orders(&[domain::reading::OrderRow { location: Some(wb("Казань")), ..line }]).await;
    shop.count(at(0)).await;
    shop
}

async fn only_places_of_the_chosen_products_are_named(store: &Store) {
    let shop = filled(store).await;
    let tx = store.read(&shop.owner.scope).await;
    let rule = LowStockRule::default();
    let names = async |filter: &ProductFilter| -> Vec<String> {
        let found = products::warehouses(&tx, filter, rule).await.unwrap();
        assert!(found.iter().all(|warehouse| warehouse.account_id == shop.account));
        found.into_iter().map(|warehouse| warehouse.name).collect()
    };
    let all = ProductFilter::default();
    assert_eq!(names(&all).await, ["Казань", "Коледино", "Тула", "Дом"], "the marketplace's first");
    assert_eq!(products::count(&tx, &all, rule).await.unwrap(), 3);
    let searched = ProductFilter { search: Some("title p2".into()), ..ProductFilter::default() };
    assert_eq!(names(&searched).await, ["Тула", "Дом"]);
    assert_eq!(products::count(&tx, &searched, rule).await.unwrap(), 1);
    let nothing = ProductFilter { search: Some("title p3".into()), ..ProductFilter::default() };
    assert!(names(&nothing).await.is_empty());
    let tula = products::warehouses(&tx, &searched, rule).await.unwrap()[0].id;
    let in_tula = ProductFilter { warehouse_id: Some(tula), ..ProductFilter::default() };
    assert_eq!(names(&in_tula).await, ["Тула"]);
}

async fn what_products_have_in_places_agrees_with_each_of_them(store: &Store) {
    let shop = filled(store).await;
    let all = shop.products().await;
    let ids: Vec<_> = all.values().map(|product| product.id).collect();
    let tx = store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let mut there = products::by_warehouse(&tx, &ids, &freshness).await.unwrap();
    for id in ids {
        let alone = products::get(&tx, id, &freshness).await.unwrap().unwrap();
        let mut found = there.remove(&id).unwrap_or_default();
        found.sort_by(|a, b| (&a.name, a.warehouse_id).cmp(&(&b.name, b.warehouse_id)));
        let mut expected = alone.warehouses;
        expected.sort_by(|a, b| (&a.name, a.warehouse_id).cmp(&(&b.name, b.warehouse_id)));
        assert_eq!(found, expected);
    }
    assert!(products::by_warehouse(&tx, &[], &freshness).await.unwrap().is_empty());
}
