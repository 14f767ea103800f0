//! Lists of products: every order both ways, through all pages, alike on both databases.

use domain::{
    page::{Cursor, PageRequest},
    picture::{Product, ProductFilter, ProductSort, SortOrder},
    reading::{OrderRow, ProductRow},
    tenant::LowStockRule,
};
use storage::products;

use crate::fixture::{Shop, Store, Units, at, first, on_both_databases, order, own, plain, roubles, wb};

on_both_databases!(
    every_order_through_all_pages,
    unknown_figures_come_first_and_no_sales_last,
    a_cursor_of_another_list_is_refused,
    a_forged_cursor_is_refused,
);

const RULE: LowStockRule = LowStockRule { units: 10, days_of_cover: None };
const BOTH: [SortOrder; 2] = [SortOrder::Ascending, SortOrder::Descending];

/// Cyrillic and Latin names in both cases, ties, empty names, known and unknown figures.
async fn shop_of_many(store: &Store) -> Shop<'_> {
    let shop = Shop::new(store).await;
    let names =
        ["яблоко", "Яблоко", "apple", "Apple", "ёлка", "Ель", "apple", "", "123", "a b", "a-b", "Ёлка"];
    let rows: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(i, name)| ProductRow {
            name: Some((*name).to_owned()),
            seller_article: (i % 3 != 0).then(|| format!("арт-{}", i % 4)),
            ..plain(&format!("p{i:02}"))
        })
        .collect();
    shop.cards(&rows[..6]).await;
    shop.cards(&rows[6..]).await;
    // Each third has the same stock; the last three came too late to be covered by the reading.
    let stock: Vec<_> = (0..9)
        .map(|i| Units {
            transit: Some((i % 2, 0)),
            ..Units::new(&format!("p{i:02}-v"), wb("A"), (i % 3) * 10)
        })
        .collect();
    shop.read_stock(domain::marketplace::Side::Fbo, true, &stock).await;
    let yesterday = at(-24 * 60);
    let lines: Vec<_> = (0..8)
        .filter(|i| i % 2 == 0)
        .map(|i| OrderRow {
            quantity: 1 + i % 4,
            price: Some(roubles(10 * (i + 1))),
            ..order(&format!("o{i}"), &format!("p{i:02}-v"), yesterday)
        })
        .collect();
    shop.orders(&lines).await;
    shop.count(at(0)).await;
    shop.cards(&(0..4).map(|i| plain(&format!("late{i}"))).collect::<Vec<_>>()).await;
    shop
}

async fn through(shop: &Shop<'_>, sort: ProductSort, order: SortOrder, limit: u64) -> Vec<Product> {
    let tx = shop.store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let mut page = first(limit);
    let mut seen = Vec::new();
    loop {
        let found = products::list(&tx, &ProductFilter::default(), RULE, sort, order, &page, &freshness)
            .await
            .unwrap();
        assert!(found.items.len() as u64 <= limit);
        seen.extend(found.items);
        let Some(next) = found.next else { return seen };
        page.cursor = Some(next);
    }
}

/// What a list is ordered by, as the documentation of `ProductSort` says it.
pub(crate) fn key(product: &Product, sort: ProductSort) -> (i64, Vec<u8>) {
    let figures = &product.figures;
    let number = |figure: Option<i64>| (figure.unwrap_or(-1), Vec::new());
    let text = |text: &Option<String>| (0, text.clone().unwrap_or_default().into_bytes());
    match sort {
        ProductSort::Name => text(&product.name),
        ProductSort::SellerArticle => text(&product.seller_article),
        ProductSort::TotalStock => number(figures.total_stock()),
        ProductSort::OrderedUnits => number(figures.ordered_units),
        ProductSort::DaysOfCover => match (figures.total_stock(), figures.ordered_units) {
            (None, _) | (_, None) => number(None),
            (Some(0), _) => number(Some(0)),
            (Some(_), Some(0)) => number(Some(i64::MAX)),
            (Some(stock), Some(ordered)) => number(Some(stock * 7_000 / ordered)),
        },
        ProductSort::Revenue => number(figures.revenue.map(|money| money.minor)),
        ProductSort::InTransitToCustomer => number(figures.in_transit_to_customer),
        ProductSort::UpdatedAt => number(Some(product.updated_at.timestamp_micros())),
    }
}

async fn every_order_through_all_pages(store: &Store) {
    let shop = shop_of_many(store).await;
    for sort in ProductSort::ALL {
        for order in BOTH {
            let seen = through(&shop, sort, order, 5).await;
            let mut expected: Vec<Product> = shop.products().await.into_values().collect();
            expected.sort_by_cached_key(|p| (key(p, sort), p.id.as_uuid().into_bytes()));
            if order == SortOrder::Descending {
                expected.reverse();
            }
            let ids = |list: &[Product]| list.iter().map(|p| p.external_id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(&seen), ids(&expected), "{sort:?} {order:?}");
            assert_eq!(ids(&through(&shop, sort, order, 100).await), ids(&expected));

            let tx = store.read(&shop.owner.scope).await;
            let freshness = products::freshness(&tx, at(0)).await.unwrap();
            let mut numbered = Vec::new();
            for page in 1..=5 {
                let filter = ProductFilter::default();
                let found = products::numbered(&tx, &filter, RULE, (sort, order), (page, 5), &freshness);
                let found = found.await.unwrap();
                assert_eq!(found.total, 16);
                numbered.extend(found.items);
            }
            assert_eq!(numbered, seen, "{sort:?} {order:?}: by number as by key");
            let (all, far) = (ProductFilter::default(), (u64::MAX, 500));
            let past = products::numbered(&tx, &all, RULE, (sort, order), far, &freshness).await.unwrap();
            assert_eq!((past.items.len(), past.total), (0, 16));
        }
    }
}

async fn unknown_figures_come_first_and_no_sales_last(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&["unknown", "out", "no sales", "short", "long"].map(plain)).await;
    // The side was read without these: their stock is known all the same, but for one that is new.
    shop.fbs(&[("no sales-v", own("Дом"), 1), ("short-v", own("Дом"), 1), ("long-v", own("Дом"), 50)]).await;
    let yesterday = at(-24 * 60);
    let lines = ["out-v", "short-v", "long-v"].map(|variant| order(variant, variant, yesterday));
    shop.orders(&lines).await;
    shop.count(at(0)).await;
    shop.cards(&[plain("newest")]).await;
    let ids: Vec<_> = through(&shop, ProductSort::DaysOfCover, SortOrder::Ascending, 2)
        .await
        .into_iter()
        .map(|p| p.external_id)
        .collect();
    assert_eq!(ids[0], "newest");
    assert_eq!(ids[1..3].iter().collect::<std::collections::BTreeSet<_>>().len(), 2);
    assert!(ids[1..3].contains(&"out".to_owned()) && ids[1..3].contains(&"unknown".to_owned()));
    assert_eq!(ids[3..], ["short", "long", "no sales"]);
}

async fn a_cursor_of_another_list_is_refused(store: &Store) {
    let shop = shop_of_many(store).await;
    let tx = store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let list = async |sort, order, page: &PageRequest| {
        products::list(&tx, &ProductFilter::default(), RULE, sort, order, page, &freshness).await
    };
    let found = list(ProductSort::Name, SortOrder::Ascending, &first(2)).await.unwrap();
    let page = PageRequest { limit: 2, cursor: found.next };
    assert!(list(ProductSort::Name, SortOrder::Ascending, &page).await.is_ok());
    for (sort, order) in [
        (ProductSort::Name, SortOrder::Descending),
        (ProductSort::SellerArticle, SortOrder::Ascending),
        (ProductSort::TotalStock, SortOrder::Ascending),
    ] {
        let refused = list(sort, order, &page).await;
        assert!(matches!(refused, Err(storage::Error::InvalidCursor)), "{sort:?}");
    }
}

/// A cursor is a client's to send: what it carries must not reach the database as something else than a key.
async fn a_forged_cursor_is_refused(store: &Store) {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let shop = shop_of_many(store).await;
    let tx = store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let id = uuid::Uuid::nil();
    for key in [
        format!(r#"["products:name:Ascending",[{{"Number":1}},"{id}"]]"#),
        format!(r#"["products:name:Ascending",[{{"Text":"a\u0000"}},"{id}"]]"#),
        format!(r#"["products:name:Ascending",[{{"Time":"2026-11-20T09:00:00Z"}},"{id}"]]"#),
        r#"["products:name:Ascending",1]"#.to_owned(),
    ] {
        let page = PageRequest { limit: 2, cursor: Some(Cursor(URL_SAFE_NO_PAD.encode(&key))) };
        let (sort, order) = (ProductSort::Name, SortOrder::Ascending);
        let refused =
            products::list(&tx, &ProductFilter::default(), RULE, sort, order, &page, &freshness).await;
        assert!(matches!(refused, Err(storage::Error::InvalidCursor)), "{key}: {refused:?}");
    }
}
