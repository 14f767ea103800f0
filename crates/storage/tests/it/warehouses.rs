//! Warehouses: known by kind and id, or by kind and exact name where there is no id.

use domain::{
    marketplace::{Side, WarehouseKind},
    reading::{Location, OrderRow},
};
use storage::{readings, warehouses};

use crate::fixture::{Shop, Store, at, card, first, masked, on_both_databases, order, own, place, wb};

on_both_databases!(
    an_id_is_an_identity_and_a_name_is_exact,
    a_place_known_by_name_gets_its_id,
    names_shared_by_sellers_places,
    figures_of_places,
    the_list_is_paged,
);

async fn ensure(shop: &Shop<'_>, location: &Location) -> Option<domain::ids::WarehouseId> {
    let tx = shop.write().await;
    let places = warehouses::ensure(&tx, shop.account, [location], at(0)).await.unwrap();
    tx.commit().await.unwrap();
    places.of(location)
}

async fn an_id_is_an_identity_and_a_name_is_exact(store: &Store) {
    use WarehouseKind::{Marketplace, Seller};
    let shop = Shop::new(store).await;
    let tver = ensure(&shop, &place(Marketplace, None, "СЦ Тверь 1")).await;
    assert!(tver.is_some());
    assert_ne!(ensure(&shop, &place(Marketplace, None, "Тверь 1")).await, tver);
    assert_ne!(ensure(&shop, &place(Marketplace, None, "сц тверь 1")).await, tver);
    assert_ne!(ensure(&shop, &place(Seller, None, "СЦ Тверь 1")).await, tver, "another kind");
    assert_eq!(ensure(&shop, &place(Marketplace, None, "СЦ Тверь 1")).await, tver);

    let first_name = ensure(&shop, &place(Seller, Some("7"), "Старый")).await;
    assert_eq!(ensure(&shop, &place(Seller, Some("7"), "Новый")).await, first_name, "renamed");
    let sql = "SELECT count(*) AS n FROM warehouse WHERE name = 'Новый'";
    assert_eq!(store.number(sql, []).await, 1);
    assert_ne!(ensure(&shop, &place(Seller, Some("8"), "Новый")).await, first_name, "another id");
    assert_eq!(ensure(&shop, &place(Seller, None, "Новый")).await, None, "which of the two?");

    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    assert_ne!(ensure(&other, &place(Marketplace, None, "СЦ Тверь 1")).await, tver, "another account's");
}

async fn a_place_known_by_name_gets_its_id(store: &Store) {
    use WarehouseKind::Marketplace;
    let shop = Shop::new(store).await;
    let nameless = place(Marketplace, None, "Коледино");
    let by_name = ensure(&shop, &nameless).await;
    assert_eq!(ensure(&shop, &place(Marketplace, Some("507"), "Коледино")).await, by_name);
    assert_eq!(ensure(&shop, &nameless).await, by_name, "the name alone still tells it");
    // Both forms on one page, and new.
    let (id, name) = (place(Marketplace, Some("1"), "Тула"), place(Marketplace, None, "Тула"));
    let tx = shop.write().await;
    let places = warehouses::ensure(&tx, shop.account, [&name, &id], at(0)).await.unwrap();
    assert!(places.of(&id).is_some());
    assert_eq!(places.of(&id), places.of(&name));
}

async fn names_shared_by_sellers_places(store: &Store) {
    let shop = Shop::new(store).await;
    let places = [
        place(WarehouseKind::Seller, Some("10"), "Склад"),
        place(WarehouseKind::Seller, Some("9"), "Склад"),
        place(WarehouseKind::Seller, Some("8"), "Гараж"),
        place(WarehouseKind::Marketplace, Some("1"), "Гараж"),
    ];
    let tx = shop.write().await;
    warehouses::ensure(&tx, shop.account, &places, at(0)).await.unwrap();
    let shared = warehouses::shared_seller_names(&tx, shop.account).await.unwrap();
    assert_eq!(shared.into_iter().collect::<Vec<_>>(), ["Склад"]);
    let ids: Vec<_> = warehouses::seller_locations(&tx, shop.account)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|location| location.external_id)
        .collect();
    assert_eq!(ids, ["10", "8", "9"], "by bytes");
}

async fn figures_of_places(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &[]), ("v2", "43", &[])]), card("p2", &[("v3", "", &[])])]).await;
    ensure(&shop, &own("Пустой")).await;
    let of = async |name: &str| {
        let tx = store.read(&shop.owner.scope).await;
        let ages = readings::ages(&tx).await.unwrap();
        let found = warehouses::list(&tx, Some(shop.account), &first(100), &ages).await.unwrap();
        let found = found.items.into_iter().find(|w| w.name == name).unwrap();
        (found.total_stock, found.ordered_units, found.product_count, found.as_of.is_some())
    };
    assert_eq!(of("Пустой").await, (None, None, 0, false));
    shop.fbo(&[("v1", wb("A"), 5), ("v2", wb("A"), 1), ("v3", wb("A"), 0)]).await;
    shop.fbs(&[]).await;
    assert_eq!(of("A").await, (Some(6), None, 1, true));
    assert_eq!(of("Пустой").await, (Some(0), None, 0, true), "its side was read, and nothing was there");
    let yesterday = at(-24 * 60);
    shop.orders(&[
        OrderRow { location: Some(wb("A")), ..order("o1", "v1", yesterday) },
        OrderRow { location: Some(wb("B")), ..order("o2", "v3", yesterday) },
    ])
    .await;
    shop.count(at(0)).await;
    assert_eq!(of("A").await, (Some(6), Some(1), 1, true));
    assert_eq!(of("B").await, (None, Some(1), 0, false), "orders from a place whose stock is not told");
    shop.fbo(&[("v1", masked(), 6)]).await;
    assert_eq!(of("A").await, (Some(0), Some(1), 0, true));
    assert_eq!(of("All").await, (Some(6), Some(0), 1, true));
    assert_eq!(masked().kind.side(), Side::Fbo);
}

async fn the_list_is_paged(store: &Store) {
    let shop = Shop::new(store).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    for name in ["в", "б", "а"] {
        ensure(&shop, &own(name)).await;
        ensure(&other, &own(name)).await;
    }
    let tx = store.read(&shop.owner.scope).await;
    let ages = readings::ages(&tx).await.unwrap();
    let mut page = first(4);
    let all = warehouses::list(&tx, None, &page, &ages).await.unwrap();
    page.cursor = all.next;
    let rest = warehouses::list(&tx, None, &page, &ages).await.unwrap();
    assert_eq!((all.items.len(), rest.items.len(), rest.next), (4, 2, None));
    let own = warehouses::list(&tx, Some(shop.account), &first(10), &ages).await.unwrap();
    assert_eq!(
        own.items.iter().map(|w| w.name.as_str()).collect::<Vec<_>>(),
        ["в", "б", "а"],
        "oldest first"
    );
}
