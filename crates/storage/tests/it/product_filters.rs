//! Which products a list gives.

use domain::{
    picture::{ProductFilter, ProductSort, ProductStatus, SortOrder},
    reading::{OrderRow, ProductRow},
    tenant::LowStockRule,
};
use storage::{products, readings, warehouses};

use crate::fixture::{Shop, Store, WB, at, card, first, on_both_databases, order, own, plain, wb};

on_both_databases!(
    text_is_found_however_it_is_written,
    signs_of_patterns_are_plain_text,
    by_stock,
    by_low_stock,
    by_warehouse,
    by_status_account_and_marketplace,
    a_page_of_a_filtered_list_goes_on,
);

const UNITS: LowStockRule = LowStockRule { units: 10, days_of_cover: None };

async fn found(shop: &Shop<'_>, filter: ProductFilter) -> Vec<String> {
    found_by(shop, filter, UNITS).await
}

async fn found_by(shop: &Shop<'_>, filter: ProductFilter, rule: LowStockRule) -> Vec<String> {
    let tx = shop.store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let (sort, order) = (ProductSort::Name, SortOrder::Ascending);
    let list = products::list(&tx, &filter, rule, sort, order, &first(100), &freshness).await.unwrap();
    let numbered = products::numbered(&tx, &filter, rule, (sort, order), (1, 100), &freshness).await.unwrap();
    assert_eq!(numbered.total, list.items.len() as u64);
    assert_eq!(numbered.items, list.items);
    let mut ids: Vec<_> = list.items.into_iter().map(|p| p.external_id).collect();
    ids.sort();
    ids
}

fn search(text: &str) -> ProductFilter {
    ProductFilter { search: Some(text.to_owned()), ..ProductFilter::default() }
}

async fn text_is_found_however_it_is_written(store: &Store) {
    let shop = Shop::new(store).await;
    let shoes = ProductRow {
        name: Some("КРОССОВКИ Ёлка".into()),
        seller_article: Some("Арт-77".into()),
        brand: Some("ＡＢＣ".into()),
        ..card("1001", &[("v1", "42", &["4600000000017"])])
    };
    shop.cards(&[shoes, ProductRow { name: Some("Сапоги".into()), ..plain("1002") }]).await;
    for text in
        ["кроссовки", "КРОСС", "ёЛКА", "е\u{308}лка", "арт-77", "abc", "1001", "46000000000", "  ёлка "]
    {
        assert_eq!(found(&shop, search(text)).await, ["1001"], "{text}");
    }
    assert_eq!(found(&shop, search("сапог")).await, ["1002"]);
    assert_eq!(found(&shop, search("")).await.len(), 2);
    assert_eq!(found(&shop, search("ботинки")).await, Vec::<String>::new());
}

async fn signs_of_patterns_are_plain_text(store: &Store) {
    let shop = Shop::new(store).await;
    let named = |id: &str, name: &str| ProductRow {
        name: Some(name.to_owned()),
        seller_article: None,
        brand: None,
        variants: Vec::new(),
        ..plain(id)
    };
    shop.cards(&[
        named("1", "100% хлопок"),
        named("2", "100 хлопок"),
        named("3", "a_b"),
        named("4", "axb"),
        named("5", "c:\\d"),
        named("6", "it's"),
    ])
    .await;
    for (text, id) in [("100%", "1"), ("0% х", "1"), ("a_b", "3"), ("c:\\d", "5"), ("\\", "5"), ("t's", "6")]
    {
        assert_eq!(found(&shop, search(text)).await, [id], "{text}");
    }
    assert_eq!(found(&shop, search("%")).await, ["1"]);
    assert_eq!(found(&shop, search("_")).await, ["3"]);
}

async fn by_stock(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&["zero", "five", "ten"].map(plain)).await;
    shop.fbo(&[("five-v", wb("A"), 5), ("ten-v", wb("A"), 10)]).await;
    shop.cards(&[plain("unknown")]).await;
    let between = |min_stock, max_stock| ProductFilter { min_stock, max_stock, ..ProductFilter::default() };
    assert_eq!(found(&shop, between(Some(5), None)).await, ["five", "ten"]);
    assert_eq!(found(&shop, between(None, Some(5))).await, ["five", "zero"], "the unknown is not little");
    assert_eq!(found(&shop, between(Some(1), Some(9))).await, ["five"]);
    assert_eq!(found(&shop, between(Some(0), None)).await, ["five", "ten", "zero"]);
    assert_eq!(found(&shop, between(Some(-5), None)).await, ["five", "ten", "zero"], "nor is it negative");
    assert_eq!(found(&shop, between(None, Some(-1))).await, Vec::<String>::new());
    assert_eq!(found(&shop, between(Some(i64::MIN), Some(i64::MAX))).await.len(), 3);
}

async fn by_low_stock(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&["out", "nine", "ten", "fast", "slow"].map(plain)).await;
    shop.fbo(&[
        ("nine-v", wb("A"), 9),
        ("ten-v", wb("A"), 10),
        ("fast-v", wb("A"), 20),
        ("slow-v", wb("A"), 30),
    ])
    .await;
    let sold = |variant: &str| OrderRow { quantity: 70, ..order(variant, variant, at(-24 * 60)) };
    shop.orders(&[sold("fast-v"), sold("slow-v")]).await;
    shop.count(at(0)).await;
    shop.cards(&[plain("unknown")]).await;
    let low = || ProductFilter { low_stock_only: true, ..ProductFilter::default() };
    assert_eq!(found(&shop, low()).await, ["nine", "out"]);
    let days = |days| LowStockRule { units: 10, days_of_cover: Some(days) };
    assert_eq!(
        found_by(&shop, low(), days(3)).await,
        ["fast", "nine", "out"],
        "exactly three days are enough"
    );
    assert_eq!(found_by(&shop, low(), days(4)).await, ["fast", "nine", "out", "slow"]);
    // The condition in SQL and the rule in the domain agree on every product.
    for product in shop.products().await.values() {
        let Some(stock) = product.figures.total_stock() else { continue };
        for rule in [UNITS, days(3), days(4)] {
            let listed = found_by(&shop, low(), rule).await.contains(&product.external_id);
            let is_low = domain::figures::is_low(rule, stock, product.figures.ordered_units);
            assert_eq!(listed, is_low || stock == 0, "{} by {rule:?}", product.external_id);
        }
    }
}

async fn by_warehouse(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&["stocked", "ordered", "elsewhere", "emptied"].map(plain)).await;
    shop.fbo(&[("emptied-v", wb("A"), 5)]).await;
    shop.fbo(&[("stocked-v", wb("A"), 5), ("elsewhere-v", wb("B"), 5)]).await;
    shop.fbs(&[("elsewhere-v", own("A"), 5)]).await;
    shop.orders(&[OrderRow { location: Some(wb("A")), ..order("o", "ordered-v", at(-24 * 60)) }]).await;
    shop.count(at(0)).await;
    let tx = store.read(&shop.owner.scope).await;
    let ages = readings::ages(&tx).await.unwrap();
    let places = warehouses::list(&tx, None, &first(10), &ages).await.unwrap().items;
    let there = places.iter().find(|w| w.name == "A" && w.kind.name() == "marketplace").unwrap();
    let filter = ProductFilter { warehouse_id: Some(there.id), ..ProductFilter::default() };
    assert_eq!(found(&shop, filter).await, ["ordered", "stocked"]);
}

async fn by_status_account_and_marketplace(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[plain("p1"), plain("p2")]).await;
    shop.cards(&[ProductRow { removed: true, ..plain("p2") }]).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.cards(&[plain("q1")]).await;
    let status = |status| ProductFilter { status, ..ProductFilter::default() };
    assert_eq!(found(&shop, status(Some(ProductStatus::Active))).await, ["p1", "q1"]);
    assert_eq!(found(&shop, status(Some(ProductStatus::Inactive))).await, ["p2"]);
    assert_eq!(found(&shop, status(None)).await, ["p1", "p2", "q1"]);
    let account = ProductFilter { account_id: Some(other.account), ..ProductFilter::default() };
    assert_eq!(found(&shop, account).await, ["q1"]);
    let marketplace = ProductFilter { marketplace: Some(WB), ..ProductFilter::default() };
    assert_eq!(found(&shop, marketplace).await.len(), 3);
}

async fn a_page_of_a_filtered_list_goes_on(store: &Store) {
    let shop = Shop::new(store).await;
    let rows: Vec<_> = (0..7)
        .map(|i| ProductRow {
            name: Some(if i % 2 == 0 { "Чашка" } else { "Блюдце" }.into()),
            ..plain(&i.to_string())
        })
        .collect();
    shop.cards(&rows).await;
    let tx = store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let mut page = first(3);
    let (sort, order) = (ProductSort::Name, SortOrder::Descending);
    let one = products::list(&tx, &search("чаш"), UNITS, sort, order, &page, &freshness).await.unwrap();
    page.cursor = one.next;
    let two = products::list(&tx, &search("чаш"), UNITS, sort, order, &page, &freshness).await.unwrap();
    assert_eq!((one.items.len(), two.items.len(), two.next), (3, 1, None));
}
