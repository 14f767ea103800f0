//! Figures over many things at once agree with the lists they are sums of, and with the rules of the domain.

use std::collections::BTreeMap;

use domain::{
    analytics::{Dashboard, Population, StockDistribution, TurnoverTotals},
    figures::{CoverState, StockState, is_low},
    marketplace::{Side, WarehouseKind},
    page::{Page, PageRequest},
    picture::{Product, ProductSort, ProductStatus, SortOrder, Warehouse},
    reading::{OrderRow, ProductRow},
    sync::SyncState,
    tenant::LowStockRule,
};
use storage::{
    analytics, figures, products,
    readings::{self, Subject},
    warehouses,
};

use crate::fixture::{
    Shop, Store, Units, WB, at, card, first, masked, on_both_databases, order, own, place, plain, wb,
};

on_both_databases!(
    the_dashboard_counts_what_is_in_the_catalogue,
    the_dashboard_of_a_new_tenant,
    low_stock_is_what_the_dashboard_counts,
    top_products_are_those_that_were_ordered,
    every_product_is_in_one_step,
    warehouses_add_up_to_the_dashboard,
    what_nobody_may_read_any_more_is_unknown_in_its_places,
    a_place_of_what_nobody_counts_is_unknown,
    turnover_of_all_products_together,
    turnover_of_what_is_not_known,
    what_is_anothers_is_not_counted,
);

const YESTERDAY: i64 = -24 * 60;
const UNITS: LowStockRule = LowStockRule { units: 10, days_of_cover: None };
const EVERYTHING: Population = Population { account_id: None, marketplace: None };

fn sold(variant: &str, units: i64) -> OrderRow {
    OrderRow { quantity: units, ..order(&format!("order of {variant}"), variant, at(YESTERDAY)) }
}

/// What is true of products in a list.
fn active(products: &BTreeMap<String, Product>) -> impl Iterator<Item = &Product> {
    products.values().filter(|product| product.status == ProductStatus::Active)
}

async fn dashboard(shop: &Shop<'_>, rule: LowStockRule) -> Dashboard {
    let tx = shop.store.read(&shop.owner.scope).await;
    analytics::dashboard(&tx, rule).await.unwrap()
}

/// A list read to its end, two rows at a time.
async fn walk<T>(list: impl AsyncFn(PageRequest) -> Page<T>) -> Vec<T> {
    let (mut items, mut page) = (Vec::new(), first(2));
    loop {
        let part = list(page.clone()).await;
        assert!(!part.items.is_empty() || items.is_empty(), "no page but the first is empty");
        items.extend(part.items);
        if part.next.is_none() {
            return items;
        }
        page.cursor = part.next;
    }
}

fn count<T>(found: &[T]) -> i64 {
    i64::try_from(found.len()).unwrap()
}

fn names(products: &[Product]) -> Vec<&str> {
    products.iter().map(|product| product.external_id.as_str()).collect()
}

async fn low_stock(shop: &Shop<'_>, of: Population, rule: LowStockRule, with_out: bool) -> Vec<Product> {
    let tx = shop.store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    walk(async |page| {
        let found = analytics::low_stock(&tx, of, rule, with_out, &page, &freshness).await.unwrap();
        assert_eq!((found.rule, found.with_out), (rule, with_out));
        found.products
    })
    .await
}

async fn top(shop: &Shop<'_>, of: Population) -> Vec<Product> {
    let tx = shop.store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    walk(async |page| analytics::top_products(&tx, of, &page, &freshness).await.unwrap()).await
}

async fn distribution(shop: &Shop<'_>, of: Population) -> StockDistribution {
    let tx = shop.store.read(&shop.owner.scope).await;
    analytics::distribution(&tx, of).await.unwrap()
}

async fn turnover(
    shop: &Shop<'_>,
    of: Population,
    order: (ProductSort, SortOrder),
) -> (TurnoverTotals, Vec<Product>) {
    let tx = shop.store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let totals = analytics::turnover(&tx, of, order, &first(1), &freshness).await.unwrap().totals;
    let products = walk(async |page| {
        let part = analytics::turnover(&tx, of, order, &page, &freshness).await.unwrap();
        assert_eq!(part.totals, totals, "the totals are of all, on every page");
        part.products
    })
    .await;
    (totals, products)
}

/// Warehouses as analytics give them; the catalogue's list must say the same of each.
async fn places(shop: &Shop<'_>, of: Population) -> Vec<Warehouse> {
    let tx = shop.store.read(&shop.owner.scope).await;
    let ages = readings::ages(&tx).await.unwrap();
    let found = walk(async |page| analytics::warehouses(&tx, of, &page, &ages).await.unwrap()).await;
    let mut by_age = found.clone();
    by_age.sort_by_key(|warehouse| warehouse.id.as_uuid());
    let listed = walk(async |page| warehouses::list(&tx, of.account_id, &page, &ages).await.unwrap()).await;
    assert_eq!(by_age, listed);
    found
}

fn stock_by_name(places: &[Warehouse]) -> Vec<(&str, Option<i64>)> {
    places.iter().map(|warehouse| (warehouse.name.as_str(), warehouse.total_stock)).collect()
}

async fn the_dashboard_counts_what_is_in_the_catalogue(store: &Store) {
    let shop = Shop::new(store).await;
    let ids = ["out", "low", "short", "plenty", "gone"];
    shop.cards(&ids.map(plain)).await;
    shop.fbo(&[
        ("low-v", wb("A"), 9),
        ("short-v", wb("A"), 20),
        ("plenty-v", wb("A"), 100),
        ("gone-v", wb("A"), 1_000),
    ])
    .await;
    let ordered = OrderRow { quantity: 70, ..order("o1", "short-v", at(YESTERDAY)) };
    shop.orders(&[ordered, order("o2", "gone-v", at(YESTERDAY))]).await;
    shop.count(at(0)).await;
    shop.cards(&[ProductRow { removed: true, ..plain("gone") }]).await;
    let dashboard = async |rule| {
        let tx = store.read(&shop.owner.scope).await;
        analytics::dashboard(&tx, rule).await.unwrap()
    };
    let seen = dashboard(LowStockRule { units: 10, days_of_cover: Some(3) }).await;
    assert_eq!((seen.total_products, seen.total_stock, seen.total_orders), (4, 129, 70));
    assert_eq!((seen.low_stock_count, seen.out_of_stock_count), (2, 1));
    let by_units = dashboard(LowStockRule { units: 10, days_of_cover: None }).await;
    assert_eq!(by_units.low_stock_count, 1);

    let last = seen.last_sync.unwrap();
    assert_eq!((last.account_id, last.state), (shop.account, SyncState::Completed));
    shop.begin().await;
    assert_eq!(
        dashboard(LowStockRule::default()).await.last_sync.unwrap().id,
        last.id,
        "one that runs is not it"
    );
}

async fn the_dashboard_of_a_new_tenant(store: &Store) {
    let member = store.tenant().await;
    let tx = store.read(&member.scope).await;
    let seen = analytics::dashboard(&tx, LowStockRule::default()).await.unwrap();
    assert_eq!((seen.total_products, seen.total_stock, seen.total_orders), (0, 0, 0));
    assert_eq!((seen.low_stock_count, seen.out_of_stock_count, seen.last_sync), (0, 0, None));
}

async fn low_stock_is_what_the_dashboard_counts(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&["out", "one", "nine", "ten", "fast", "gone"].map(plain)).await;
    shop.fbo(&[
        ("one-v", wb("A"), 1),
        ("nine-v", wb("A"), 9),
        ("ten-v", wb("A"), 10),
        ("fast-v", wb("A"), 20),
        ("gone-v", wb("A"), 2),
    ])
    .await;
    shop.orders(&[sold("fast-v", 70)]).await;
    shop.count(at(0)).await;
    shop.cards(&[plain("unknown"), ProductRow { removed: true, ..plain("gone") }]).await;
    let days = LowStockRule { units: 10, days_of_cover: Some(3) };
    assert_eq!(names(&low_stock(&shop, EVERYTHING, UNITS, true).await), ["out", "one", "nine"]);
    assert_eq!(names(&low_stock(&shop, EVERYTHING, days, true).await), ["out", "one", "nine", "fast"]);
    let known = shop.products().await;
    for units in [0, 1, 2, 9, 10, 11, 1_000] {
        for days_of_cover in [None, Some(1), Some(3)] {
            let rule = LowStockRule { units, days_of_cover };
            let (low, with_out) = (
                low_stock(&shop, EVERYTHING, rule, false).await,
                low_stock(&shop, EVERYTHING, rule, true).await,
            );
            let counted = dashboard(&shop, rule).await;
            assert_eq!(count(&low), counted.low_stock_count, "{rule:?}");
            assert_eq!(count(&with_out), counted.low_stock_count + counted.out_of_stock_count, "{rule:?}");
            assert!(with_out.is_sorted_by_key(|product| product.figures.total_stock()), "{rule:?}");
            for product in active(&known) {
                let figures = &product.figures;
                let is_low =
                    figures.total_stock().is_some_and(|stock| is_low(rule, stock, figures.ordered_units));
                assert_eq!(low.contains(product), is_low, "{} by {rule:?}", product.external_id);
            }
        }
    }
}

async fn top_products_are_those_that_were_ordered(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&["few", "most", "some", "none", "gone"].map(plain)).await;
    shop.fbo(&[("most-v", wb("A"), 5), ("gone-v", wb("A"), 5)]).await;
    shop.orders(&[sold("few-v", 1), sold("most-v", 9), sold("some-v", 3), sold("gone-v", 99)]).await;
    shop.count(at(0)).await;
    shop.cards(&[plain("unknown"), ProductRow { removed: true, ..plain("gone") }]).await;
    let found = top(&shop, EVERYTHING).await;
    assert_eq!(names(&found), ["most", "some", "few"]);
    let units: i64 = found.iter().filter_map(|product| product.figures.ordered_units).sum();
    assert_eq!(units, dashboard(&shop, UNITS).await.total_orders);
}

async fn every_product_is_in_one_step(store: &Store) {
    let shop = Shop::new(store).await;
    let units = [0, 1, 5, 6, 20, 21, 50, 51, 100, 101, 4_000_000_000];
    let names = units.map(|units| units.to_string());
    shop.cards(&names.each_ref().map(|name| plain(name))).await;
    let variants = names.each_ref().map(|name| format!("{name}-v"));
    let rows: Vec<_> =
        variants.iter().zip(units).map(|(name, units)| (name.as_str(), wb("A"), units)).collect();
    shop.fbo(&rows).await;
    shop.cards(&[plain("unknown"), ProductRow { removed: true, ..plain("5") }]).await;
    let found = distribution(&shop, EVERYTHING).await;
    assert_eq!(found, StockDistribution { steps: [1, 1, 2, 2, 2, 2], unknown: 1 });
    let known = shop.products().await;
    for step in StockState::ALL {
        let there: Vec<_> =
            active(&known).filter(|product| product.figures.stock_state() == Some(step)).collect();
        assert_eq!(found.of(step), count(&there), "{step:?}");
    }
    let counted = dashboard(&shop, UNITS).await;
    assert_eq!(found.products(), counted.total_products);
    assert_eq!(found.of(StockState::Out), counted.out_of_stock_count);
}

async fn warehouses_add_up_to_the_dashboard(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &[]), ("v2", "43", &[])]), plain("p2"), plain("gone")]).await;
    shop.fbo(&[("v1", wb("A"), 5), ("v2", wb("A"), 1), ("v2", wb("B"), 9), ("gone-v", wb("A"), 100)]).await;
    shop.fbs(&[("v1", own("Дом"), 7), ("gone-v", own("Гараж"), 50)]).await;
    let from = |variant: &str, units, place| OrderRow { location: Some(place), ..sold(variant, units) };
    shop.orders(&[from("v1", 2, wb("A")), from("p2-v", 3, wb("C")), from("gone-v", 40, wb("A"))]).await;
    shop.count(at(0)).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.cards(&[plain("q1")]).await;
    other.fbo(&[("q1-v", wb("A"), 30)]).await;
    other.cards(&[plain("unknown")]).await;

    let with_all = places(&shop, EVERYTHING).await;
    assert_eq!(with_all.iter().filter_map(|w| w.total_stock).sum::<i64>(), 202);
    assert_eq!(dashboard(&shop, UNITS).await.total_stock, 202);
    assert_eq!(with_all.iter().filter_map(|w| w.ordered_units).sum::<i64>(), 45);
    shop.cards(&[ProductRow { removed: true, ..plain("gone") }]).await;
    let found = places(&shop, EVERYTHING).await;
    let seen: Vec<_> = found
        .iter()
        .map(|w| {
            (w.account_id == shop.account, w.name.as_str(), w.total_stock, w.ordered_units, w.product_count)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (false, "A", Some(30), None, 1),
            (true, "B", Some(9), Some(0), 1),
            (true, "Дом", Some(7), Some(0), 1),
            (true, "A", Some(6), Some(2), 1),
            (true, "Гараж", Some(0), Some(0), 0),
            (true, "C", None, Some(3), 0),
        ]
    );
    let counted = dashboard(&shop, UNITS).await;
    assert_eq!(found.iter().filter_map(|w| w.total_stock).sum::<i64>(), counted.total_stock);
    assert_eq!(found.iter().filter_map(|w| w.ordered_units).sum::<i64>(), counted.total_orders);
    let narrowed = Population { account_id: Some(other.account), ..EVERYTHING };
    assert_eq!(stock_by_name(&places(&shop, narrowed).await), [("A", Some(30))]);
    let of_marketplace = Population { marketplace: Some(WB), ..EVERYTHING };
    assert_eq!(places(&shop, of_marketplace).await, found);
}

async fn what_nobody_may_read_any_more_is_unknown_in_its_places(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[plain("p1")]).await;
    let empty = place(WarehouseKind::Seller, Some("7"), "Пустой");
    let tx = shop.write().await;
    warehouses::ensure(&tx, shop.account, [&empty], at(0)).await.unwrap();
    tx.commit().await.unwrap();
    shop.fbo(&[("p1-v", wb("A"), 5)]).await;
    shop.fbs(&[("p1-v", own("Дом"), 7)]).await;
    shop.orders(&[OrderRow { location: Some(wb("A")), ..sold("p1-v", 2) }]).await;
    shop.count(at(0)).await;
    let found = places(&shop, EVERYTHING).await;
    assert_eq!(stock_by_name(&found), [("Дом", Some(7)), ("A", Some(5)), ("Пустой", Some(0))]);
    assert!(found.iter().all(|warehouse| warehouse.ordered_units.is_some()));
    let forget = async |subject| {
        let tx = shop.write().await;
        figures::forget(&tx, shop.account, subject, shop.now()).await.unwrap();
        tx.commit().await.unwrap();
    };
    forget(Subject::Stock(Side::Fbs)).await;
    let found = places(&shop, EVERYTHING).await;
    assert_eq!(stock_by_name(&found), [("A", Some(5)), ("Пустой", None), ("Дом", None)], "old is not known");
    assert_eq!(found.iter().filter(|warehouse| warehouse.as_of.is_some()).count(), 1);
    assert_eq!(dashboard(&shop, UNITS).await.total_stock, 5);
    forget(Subject::Orders).await;
    let found = places(&shop, EVERYTHING).await;
    assert!(found.iter().all(|warehouse| warehouse.ordered_units.is_none()), "nor is it none");
    shop.fbs(&[]).await;
    let found = places(&shop, EVERYTHING).await;
    assert_eq!(stock_by_name(&found), [("A", Some(5)), ("Пустой", Some(0)), ("Дом", Some(0))]);
}

async fn a_place_of_what_nobody_counts_is_unknown(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[plain("counted"), plain("uncounted")]).await;
    let uncounted = |place| Units { available: None, ..Units::new("uncounted-v", place, 0) };
    let rows = [uncounted(own("Услуги")), uncounted(own("Дом")), Units::new("counted-v", own("Дом"), 4)];
    shop.read_stock(Side::Fbs, true, &rows).await;
    let found = places(&shop, EVERYTHING).await;
    assert_eq!(stock_by_name(&found), [("Дом", Some(4)), ("Услуги", None)]);
    assert_eq!(dashboard(&shop, UNITS).await.total_stock, 4);
    assert_eq!(distribution(&shop, EVERYTHING).await.unknown, 1);
    assert!(names(&low_stock(&shop, EVERYTHING, UNITS, true).await).contains(&"counted"));
    assert_eq!(low_stock(&shop, EVERYTHING, UNITS, true).await.len(), 1, "the unknown is not out");
    // A count in one place does not make the whole known, and is in no total.
    let torn = [uncounted(own("Услуги")), Units::new("uncounted-v", own("Дом"), 8)];
    shop.read_stock(Side::Fbs, true, &torn).await;
    assert_eq!(shop.levels().await[&("uncounted-v".to_owned(), "Дом".to_owned())], Some(8));
    let found = places(&shop, EVERYTHING).await;
    let sum: i64 = found.iter().filter_map(|warehouse| warehouse.total_stock).sum();
    assert_eq!(sum, dashboard(&shop, UNITS).await.total_stock);
}

async fn turnover_of_all_products_together(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&["slow", "fast", "still", "out", "gone"].map(plain)).await;
    shop.fbo(&[
        ("slow-v", wb("A"), 30),
        ("fast-v", masked(), 10),
        ("still-v", wb("A"), 5),
        ("gone-v", wb("A"), 500),
    ])
    .await;
    shop.orders(&[sold("slow-v", 3), sold("fast-v", 14), sold("out-v", 4), sold("gone-v", 700)]).await;
    shop.count(at(0)).await;
    shop.cards(&[ProductRow { removed: true, ..plain("gone") }]).await;
    let by_velocity = (ProductSort::OrderedUnits, SortOrder::Descending);
    let (totals, found) = turnover(&shop, EVERYTHING, by_velocity).await;
    assert_eq!(names(&found), ["fast", "out", "slow", "still"]);
    let by_cover = (ProductSort::DaysOfCover, SortOrder::Ascending);
    assert_eq!(names(&turnover(&shop, EVERYTHING, by_cover).await.1), ["out", "fast", "slow", "still"]);
    let counted = dashboard(&shop, UNITS).await;
    assert_eq!(totals.products, counted.total_products);
    assert_eq!(
        (totals.total_stock, totals.ordered_units),
        (Some(counted.total_stock), Some(counted.total_orders))
    );
    assert_eq!((counted.total_stock, counted.total_orders), (45, 21));
    assert_eq!(totals.velocity_thousandths(), Some(3_000));
    assert_eq!((totals.cover().tenths, totals.cover().state), (Some(150), Some(CoverState::Ok)));
}

async fn turnover_of_what_is_not_known(store: &Store) {
    let by_velocity = (ProductSort::OrderedUnits, SortOrder::Descending);
    let shop = Shop::new(store).await;
    let (totals, found) = turnover(&shop, EVERYTHING, by_velocity).await;
    assert_eq!((totals.products, totals.total_stock, totals.ordered_units), (0, Some(0), Some(0)));
    assert!(found.is_empty());
    shop.cards(&[plain("p1"), plain("p2")]).await;
    let (totals, found) = turnover(&shop, EVERYTHING, by_velocity).await;
    assert_eq!((totals.products, totals.total_stock, totals.ordered_units), (2, None, None));
    assert_eq!((totals.cover().state, totals.velocity_thousandths(), found.len()), (None, None, 2));
    shop.fbo(&[("p1-v", wb("A"), 70), ("p2-v", wb("A"), 7)]).await;
    // Orders that are known of one account alone: its own stock is what they are compared with.
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.cards(&[plain("q1")]).await;
    other.fbo(&[("q1-v", wb("A"), 6)]).await;
    other.orders(&[sold("q1-v", 3)]).await;
    other.count(at(0)).await;
    let (totals, _) = turnover(&shop, EVERYTHING, by_velocity).await;
    assert_eq!((totals.products, totals.total_stock, totals.ordered_units), (3, Some(83), Some(3)));
    assert_eq!(totals.cover().tenths, Some(140), "6 units of stock for 3 in 7 days");
    let of_other = Population { account_id: Some(other.account), ..EVERYTHING };
    let (totals, found) = turnover(&shop, of_other, by_velocity).await;
    assert_eq!((totals.products, totals.total_stock, names(&found)), (1, Some(6), vec!["q1"]));
}

async fn what_is_anothers_is_not_counted(store: &Store) {
    let (anna, boris) = (Shop::new(store).await, Shop::new(store).await);
    anna.fill().await;
    for of in [EVERYTHING, Population { account_id: Some(anna.account), ..EVERYTHING }] {
        assert!(low_stock(&boris, of, LowStockRule { units: 1_000, ..UNITS }, true).await.is_empty());
        assert!(top(&boris, of).await.is_empty());
        assert_eq!(distribution(&boris, of).await, StockDistribution::default());
        let (totals, found) = turnover(&boris, of, (ProductSort::DaysOfCover, SortOrder::Ascending)).await;
        assert_eq!((totals.products, found.len()), (0, 0));
        assert!(places(&boris, of).await.is_empty());
    }
    assert!(!top(&anna, EVERYTHING).await.is_empty() && !places(&anna, EVERYTHING).await.is_empty());
}
