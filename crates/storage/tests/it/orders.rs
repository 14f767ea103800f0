//! Order lines: known by the marketplace's id alone, replaced by later changes only.

use domain::{
    clock::Timestamp,
    ids::AccountId,
    picture::OrderFilter,
    reading::{Assembly, OrderRow},
};
use storage::{orders, warehouses};

use crate::fixture::{Shop, Store, at, card, first, on_both_databases, order, place, roubles, wb};

on_both_databases!(
    lines_of_one_basket_are_several,
    a_later_change_replaces_and_an_older_one_does_not,
    a_page_that_repeats_a_line_keeps_the_latest,
    what_is_not_told_again_is_not_forgotten,
    a_line_that_holds_nothing_is_kept_only_if_it_held_something,
    warehouses_are_told_apart_by_assemblies,
    the_currency_is_the_latest_one,
    the_list_is_paged_newest_first,
    the_list_is_filtered,
);

const DAY: i64 = 24 * 60;

async fn shop_of_one(store: &Store) -> Shop<'_> {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1"])])]).await;
    shop
}

async fn lines_of_one_basket_are_several(store: &Store) {
    let shop = shop_of_one(store).await;
    shop.orders(&[order("srid-1", "v1", at(0)), order("srid-2", "v1", at(0))]).await;
    let lines = shop.lines().await;
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.basket_id.as_deref() == Some("basket")));
    // The same id in another account is another line.
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.orders(&[order("srid-1", "v1", at(0))]).await;
    assert_eq!(shop.lines().await.len(), 3);
}

async fn a_later_change_replaces_and_an_older_one_does_not(store: &Store) {
    let shop = shop_of_one(store).await;
    let changed = |minutes: i64, status: &str| OrderRow {
        changed_at: at(minutes),
        status: status.to_owned(),
        ..order("o1", "v1", at(0))
    };
    shop.orders(&[changed(10, "ordered")]).await;
    let id = shop.lines().await[0].id;
    let cancelled =
        OrderRow { cancelled_at: Some(at(19)), price: Some(roubles(90)), ..changed(20, "cancelled") };
    shop.orders(&[cancelled]).await;
    shop.orders(&[changed(15, "assembled")]).await;
    let lines = shop.lines().await;
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].id, lines[0].status.as_str()), (id, "cancelled"));
    assert_eq!((lines[0].cancelled_at, lines[0].price), (Some(at(19)), Some(roubles(90))));
    assert_eq!(lines[0].changed_at, at(20));
    // The same change again, told better, replaces.
    shop.orders(&[changed(20, "received")]).await;
    assert_eq!(shop.lines().await[0].status, "received");
    assert_eq!(shop.lines().await[0].cancelled_at, None);
}

async fn a_page_that_repeats_a_line_keeps_the_latest(store: &Store) {
    let shop = shop_of_one(store).await;
    let changed = |minutes: i64| OrderRow {
        changed_at: at(minutes),
        status: minutes.to_string(),
        ..order("o1", "v1", at(0))
    };
    shop.orders(&[changed(5), changed(9), changed(7)]).await;
    assert_eq!(shop.lines().await[0].status, "9");
}

/// A change that names less than the row before it does not make us forget what we found out.
async fn what_is_not_told_again_is_not_forgotten(store: &Store) {
    let shop = shop_of_one(store).await;
    let by_barcode = |minutes: i64| OrderRow {
        variant_external_id: None,
        barcode: Some("b1".to_owned()),
        changed_at: at(minutes),
        location: Some(wb("A")).filter(|_| minutes == 0),
        ..order("o1", "v1", at(0))
    };
    shop.orders(&[by_barcode(0)]).await;
    let before = shop.lines().await.remove(0);
    assert!(before.variant_id.is_some() && before.warehouse_id.is_some());
    // The card loses the barcode; then the line changes.
    shop.cards(&[card("p1", &[("v1", "42", &["b2"])])]).await;
    shop.orders(&[by_barcode(1)]).await;
    let after = shop.lines().await.remove(0);
    assert_eq!((after.variant_id, after.warehouse_id), (before.variant_id, before.warehouse_id));
    assert_eq!(after.external_variant_id.as_deref(), Some("v1"));
    assert_eq!(after.changed_at, at(1));
}

async fn a_line_that_holds_nothing_is_kept_only_if_it_held_something(store: &Store) {
    let shop = shop_of_one(store).await;
    let holding = |minutes: i64, quantity: i64| OrderRow {
        quantity,
        changed_at: at(minutes),
        ..order("o1", "v1", at(-DAY))
    };
    shop.orders(&[holding(0, 0)]).await;
    assert_eq!(shop.lines().await, []);
    for (minutes, quantity) in [(1, 3), (2, 0), (3, 1)] {
        shop.orders(&[holding(minutes, quantity)]).await;
        assert_eq!(shop.lines().await[0].quantity, quantity);
        shop.count(at(0)).await;
        assert_eq!(shop.products().await["p1"].figures.ordered_units, Some(quantity));
    }
}

async fn warehouses_are_told_apart_by_assemblies(store: &Store) {
    use domain::marketplace::WarehouseKind::Seller;
    let shop = shop_of_one(store).await;
    let (one, other) = (place(Seller, Some("1"), "Склад"), place(Seller, Some("2"), "Склад"));
    let nameless = place(Seller, None, "Склад");
    let tx = shop.write().await;
    warehouses::ensure(&tx, shop.account, [&one, &other], at(0)).await.unwrap();
    assert!(warehouses::shared_seller_names(&tx, shop.account).await.unwrap().contains("Склад"));
    tx.commit().await.unwrap();
    let line = OrderRow { location: Some(nameless), ..order("o1", "v1", at(-DAY)) };
    shop.orders(std::slice::from_ref(&line)).await;
    assert_eq!(shop.lines().await[0].warehouse_id, None, "never a guess");

    let assembly = |line: &str, warehouse: &str| Assembly {
        line_external_id: line.to_owned(),
        warehouse_external_id: warehouse.to_owned(),
    };
    let rows = [assembly("o1", "2"), assembly("unknown", "1"), assembly("o1", "unknown")];
    for _ in 0..2 {
        let tx = shop.write().await;
        orders::assign_warehouses(&tx, shop.account, &rows).await.unwrap();
        tx.commit().await.unwrap();
    }
    let found = shop.lines().await.remove(0);
    let tx = store.read(&shop.owner.scope).await;
    let known = warehouses::seller_locations(&tx, shop.account).await.unwrap();
    assert_eq!(known, [one, other]);
    tx.commit().await.unwrap();
    let sql = "SELECT count(*) AS n FROM warehouse WHERE external_id = '2' AND id = $1";
    let id = found.warehouse_id.unwrap();
    assert_eq!(store.number(sql, [id.as_uuid().into()]).await, 1);
    // The line itself comes again and still cannot tell.
    shop.orders(&[OrderRow { changed_at: at(5), ..line }]).await;
    assert_eq!(shop.lines().await[0].warehouse_id, Some(id));
    shop.count(at(0)).await;
    assert_eq!(shop.product("p1").await.warehouses[0].ordered_units, Some(1));
}

async fn the_currency_is_the_latest_one(store: &Store) {
    let shop = shop_of_one(store).await;
    let tx = store.read(&shop.owner.scope).await;
    assert_eq!(orders::currency(&tx, shop.account).await.unwrap(), None);
    tx.commit().await.unwrap();
    let unpriced = OrderRow { price: None, list_price: None, ..order("o2", "v1", at(5)) };
    shop.orders(&[order("o1", "v1", at(0)), unpriced]).await;
    let tx = store.read(&shop.owner.scope).await;
    assert_eq!(orders::currency(&tx, shop.account).await.unwrap().as_deref(), Some("RUB"));
    assert_eq!(orders::currency(&tx, AccountId::generate()).await.unwrap(), None);
}

async fn the_list_is_paged_newest_first(store: &Store) {
    let shop = shop_of_one(store).await;
    // Several lines share a moment: the pages must not lose any of them. Whole and parted seconds sort together.
    let moments = [at(0), at(0), at(0), at(1), at(1) + chrono::TimeDelta::microseconds(1), at(2)];
    let rows: Vec<_> =
        moments.iter().enumerate().map(|(i, moment)| order(&format!("o{i}"), "v1", *moment)).collect();
    shop.orders(&rows).await;
    let tx = store.read(&shop.owner.scope).await;
    let mut page = first(2);
    let mut seen = Vec::new();
    loop {
        let found = orders::list(&tx, &OrderFilter::default(), &page).await.unwrap();
        seen.extend(found.items);
        let Some(next) = found.next else { break };
        page.cursor = Some(next);
    }
    let mut newest_first = moments.to_vec();
    newest_first.sort_unstable();
    newest_first.reverse();
    assert_eq!(seen.iter().map(|line| line.ordered_at).collect::<Vec<_>>(), newest_first);
    let mut ids: Vec<_> = seen.iter().map(|line| line.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rows.len());
}

async fn the_list_is_filtered(store: &Store) {
    let shop = shop_of_one(store).await;
    let cancelled =
        OrderRow { status: "cancelled".into(), cancelled_at: Some(at(3)), ..order("o2", "v1", at(2)) };
    let placed = OrderRow { location: Some(wb("Коледино")), ..order("o1", "v1", at(1)) };
    shop.orders(&[placed, cancelled, order("o3", "unknown", at(3))]).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.orders(&[order("o4", "v1", at(4))]).await;
    let product = shop.products().await["p1"].id;
    let tx = store.read(&shop.owner.scope).await;
    let ids = async |filter: OrderFilter| {
        let found = orders::list(&tx, &filter, &first(10)).await.unwrap();
        found.items.into_iter().map(|line| line.external_id).collect::<Vec<_>>()
    };
    let none = OrderFilter::default();
    let between = |from: Option<Timestamp>, to: Option<Timestamp>| OrderFilter { from, to, ..none.clone() };
    assert_eq!(ids(none.clone()).await, ["o4", "o3", "o2", "o1"]);
    assert_eq!(ids(OrderFilter { account_id: Some(other.account), ..none.clone() }).await, ["o4"]);
    assert_eq!(ids(OrderFilter { product_id: Some(product), ..none.clone() }).await, ["o2", "o1"]);
    assert_eq!(ids(OrderFilter { status: Some("cancelled".into()), ..none.clone() }).await, ["o2"]);
    assert_eq!(ids(between(Some(at(2)), Some(at(4)))).await, ["o3", "o2"], "from is in, to is out");
    assert_eq!(ids(between(None, Some(at(2)))).await, ["o1"]);
    let placed = orders::list(&tx, &between(None, Some(at(2))), &first(1)).await.unwrap();
    assert_eq!(placed.items[0].warehouse_name.as_deref(), Some("Коледино"));
    assert_eq!(placed.items[0].price, Some(roubles(100)));
    assert_eq!((placed.items[0].list_price, placed.items[0].paid_price), (Some(roubles(150)), None));
}
