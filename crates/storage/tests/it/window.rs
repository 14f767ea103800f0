//! The window: seven complete days in Moscow, counted into every order figure.

use domain::{
    clock::Timestamp,
    reading::{Location, OrderRow},
};

use crate::fixture::{Shop, Store, at, card, moment, on_both_databases, order, roubles, wb};

on_both_databases!(
    seven_whole_days_of_moscow_count,
    the_day_turns_in_moscow,
    cancelled_units_are_counted_apart,
    quantity_counts_and_so_does_money,
    counting_again_changes_nothing,
    a_line_that_changes_moves_its_count,
    a_place_with_orders_and_no_stock_is_a_row_while_it_has_them,
    units_without_a_place_count_for_the_variant,
    before_any_count_nothing_is_known,
    accounts_are_counted_apart,
);

async fn shop_of_one(store: &Store) -> Shop<'_> {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1"])])]).await;
    shop
}

fn placed(id: &str, ordered_at: Timestamp, place: Location) -> OrderRow {
    OrderRow { location: Some(place), ..order(id, "v1", ordered_at) }
}

/// Ordered, cancelled and today's units of the product.
async fn counts(shop: &Shop<'_>) -> (Option<i64>, Option<i64>, Option<i64>) {
    let figures = shop.products().await["p1"].figures.clone();
    (figures.ordered_units, figures.cancelled_units, figures.ordered_today)
}

async fn seven_whole_days_of_moscow_count(store: &Store) {
    let shop = shop_of_one(store).await;
    // Friday the 20th in Moscow runs from the 19th, 21:00 UTC.
    let lines = [
        ("too old", "2026-11-12T20:59:59Z"),
        ("first", "2026-11-12T21:00:00Z"),
        ("last", "2026-11-19T20:59:59Z"),
        ("today", "2026-11-19T21:00:00Z"),
        ("today too", "2026-11-20T08:00:00Z"),
        ("future", "2026-11-20T21:00:00Z"),
    ];
    let rows: Vec<_> = lines.iter().map(|(id, when)| order(id, "v1", moment(when))).collect();
    shop.orders(&rows).await;
    assert_eq!(shop.count(at(0)).await, 0);
    assert_eq!(counts(&shop).await, (Some(2), Some(0), Some(2)));
}

async fn the_day_turns_in_moscow(store: &Store) {
    let shop = shop_of_one(store).await;
    shop.orders(&[order("o1", "v1", moment("2026-11-20T20:00:00Z"))]).await;
    shop.count(moment("2026-11-20T20:59:59Z")).await;
    assert_eq!(counts(&shop).await, (Some(0), Some(0), Some(1)));
    shop.count(moment("2026-11-20T21:00:00Z")).await;
    assert_eq!(counts(&shop).await, (Some(1), Some(0), Some(0)));
    shop.count(moment("2026-11-27T20:59:59Z")).await;
    assert_eq!(counts(&shop).await, (Some(1), Some(0), Some(0)));
    shop.count(moment("2026-11-27T21:00:00Z")).await;
    assert_eq!(counts(&shop).await, (Some(0), Some(0), Some(0)));
}

const YESTERDAY: i64 = -24 * 60;

async fn cancelled_units_are_counted_apart(store: &Store) {
    let shop = shop_of_one(store).await;
    let cancelled =
        |id| OrderRow { cancelled_at: Some(at(0)), quantity: 2, ..order(id, "v1", at(YESTERDAY)) };
    let today = OrderRow { cancelled_at: Some(at(0)), ..order("today", "v1", at(0)) };
    shop.orders(&[order("o1", "v1", at(YESTERDAY)), cancelled("o2"), today]).await;
    shop.count(at(0)).await;
    assert_eq!(counts(&shop).await, (Some(1), Some(2), Some(0)), "today counts what was not cancelled");
    assert_eq!(shop.products().await["p1"].figures.revenue, Some(roubles(100)));
}

async fn quantity_counts_and_so_does_money(store: &Store) {
    let shop = shop_of_one(store).await;
    let three = OrderRow { quantity: 3, ..order("o1", "v1", at(YESTERDAY)) };
    let unpriced = OrderRow { price: None, ..order("o2", "v1", at(YESTERDAY)) };
    shop.orders(&[three, unpriced]).await;
    shop.count(at(0)).await;
    let figures = shop.products().await["p1"].figures.clone();
    assert_eq!((figures.ordered_units, figures.revenue), (Some(4), Some(roubles(300))));
}

async fn counting_again_changes_nothing(store: &Store) {
    let shop = shop_of_one(store).await;
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    shop.orders(&[placed("o1", at(YESTERDAY), wb("A")), placed("o2", at(YESTERDAY), wb("B"))]).await;
    shop.count(at(0)).await;
    let (product, levels) = (shop.product("p1").await, shop.levels().await);
    shop.count(at(0)).await;
    assert_eq!((shop.product("p1").await, shop.levels().await), (product, levels));
}

async fn a_line_that_changes_moves_its_count(store: &Store) {
    let shop = shop_of_one(store).await;
    shop.orders(&[placed("o1", at(2 * YESTERDAY), wb("A"))]).await;
    shop.count(at(0)).await;
    let ordered = async || {
        let detail = shop.product("p1").await;
        detail.warehouses.into_iter().map(|w| (w.name, w.ordered_units)).collect::<Vec<_>>()
    };
    assert_eq!(ordered().await, [("A".to_owned(), Some(1))]);
    // Another day, another place, more units: the count moves along, nothing stays behind.
    let changed = OrderRow { changed_at: at(1), quantity: 2, ..placed("o1", at(YESTERDAY), wb("B")) };
    shop.orders(&[changed]).await;
    shop.count(at(0)).await;
    assert_eq!(ordered().await, [("B".to_owned(), Some(2))]);
    let days = store.number("SELECT count(*) AS n FROM order_day", []).await;
    assert_eq!(days, 1);
}

async fn a_place_with_orders_and_no_stock_is_a_row_while_it_has_them(store: &Store) {
    let shop = shop_of_one(store).await;
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    shop.orders(&[placed("o1", at(YESTERDAY), wb("B"))]).await;
    shop.count(at(0)).await;
    let of = async |name: &str| {
        let detail = shop.product("p1").await;
        detail.warehouses.into_iter().find(|w| w.name == name).map(|w| (w.available, w.ordered_units))
    };
    assert_eq!(of("A").await, Some((Some(5), Some(0))));
    assert_eq!(of("B").await, Some((None, Some(1))), "its stock was never measured");
    assert_eq!(shop.levels().await[&("v1".into(), "B".into())], None);
    assert_eq!(shop.products().await["p1"].figures.total_stock(), Some(5));
    // A complete reading that names the place measures it; one that does not leaves it unmeasured.
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    assert_eq!(of("B").await, Some((None, Some(1))));
    shop.fbo(&[("v1", wb("A"), 5), ("v1", wb("B"), 2)]).await;
    assert_eq!(of("B").await, Some((Some(2), Some(1))));
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    assert_eq!(of("B").await, Some((Some(0), Some(1))));

    // The orders leave the window: what has a level stays with zero orders, what has none goes.
    shop.orders(&[placed("o2", at(YESTERDAY), wb("C"))]).await;
    shop.count(at(0)).await;
    assert_eq!(of("C").await, Some((None, Some(1))));
    shop.count(at(20 * 24 * 60)).await;
    assert_eq!(of("B").await, Some((Some(0), Some(0))));
    assert_eq!(of("C").await, None);
    assert_eq!(store.number("SELECT count(*) AS n FROM stock_level", []).await, 2);
}

async fn units_without_a_place_count_for_the_variant(store: &Store) {
    let shop = shop_of_one(store).await;
    shop.orders(&[order("o1", "v1", at(YESTERDAY))]).await;
    shop.count(at(0)).await;
    let detail = shop.product("p1").await;
    assert_eq!(detail.variants[0].figures.ordered_units, Some(1));
    assert_eq!(detail.warehouses, []);
}

async fn before_any_count_nothing_is_known(store: &Store) {
    let shop = shop_of_one(store).await;
    shop.orders(&[order("o1", "v1", at(YESTERDAY))]).await;
    assert_eq!(counts(&shop).await, (None, None, None));
    assert_eq!(shop.products().await["p1"].figures.revenue, None);
    shop.count(at(0)).await;
    assert_eq!(counts(&shop).await, (Some(1), Some(0), Some(0)));
}

async fn accounts_are_counted_apart(store: &Store) {
    let shop = shop_of_one(store).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.cards(&[card("q1", &[("w1", "", &[])])]).await;
    shop.orders(&[order("o1", "v1", at(YESTERDAY)), order("o2", "unknown", at(YESTERDAY))]).await;
    other.orders(&[order("o1", "w1", at(YESTERDAY))]).await;
    assert_eq!(other.count(at(0)).await, 0, "the other account's unmatched units are not its own");
    assert_eq!(counts(&shop).await, (None, None, None));
    assert_eq!(shop.count(at(0)).await, 1);
    assert_eq!(shop.products().await["q1"].figures.ordered_units, Some(1));
}
