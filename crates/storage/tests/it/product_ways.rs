//! Whichever way a list finds its rows, it is what a filter and a sort of all products come to. The company has more
//! products than are ever gathered, so that every way is gone.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    num::Wrapping,
};

use domain::{
    figures,
    ids::{AccountId, ProductId, WarehouseId},
    marketplace::Side,
    page::PageRequest,
    picture::{Product, ProductFilter, ProductSort, ProductStatus, SortOrder},
    reading::ProductRow,
    search,
    tenant::LowStockRule,
};
use storage::products::{self, Freshness};

use crate::fixture::{Shop, Store, Units, at, first, on_both_databases, own, plain, wb};

on_both_databases!(any_list_is_what_a_filter_and_a_sort_give);

/// More than are gathered for a page, twice.
const PRODUCTS: usize = 4500;
/// The products from this one on were read later, and have a word that the others have not: a sample of the products
/// does not know how many have it.
const LATER: usize = 1000;
const CASES: usize = 120;

/// A company with many products, and what a list of them must come to.
struct Picture {
    products: Vec<Product>,
    /// What search looks in.
    texts: HashMap<ProductId, String>,
    there: HashMap<WarehouseId, HashSet<ProductId>>,
    accounts: Vec<AccountId>,
    freshness: Freshness,
}

fn name(number: usize) -> String {
    let rare = if number % 1000 == 7 { " Аметист" } else { "" };
    let thing = ["Кружка", "Чай", "Ёлка", "Mug 100%", "Tea_box"][number % 5];
    let later = if number >= LATER { " новинка" } else { "" };
    format!("{thing}{rare} №{}{later}", number % 50)
}

async fn picture(store: &Store) -> (Shop<'_>, Picture) {
    let shop = Shop::new(store).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    // Another company has the same: none of it may be found.
    let foreign = Shop::new(store).await;
    foreign.cards(&rows(0..50)).await;

    shop.cards(&rows(0..LATER)).await;
    shop.cards(&rows(LATER..PRODUCTS)).await;
    other.cards(&rows(PRODUCTS..PRODUCTS + 40)).await;
    let level = |number: usize, place: &str, stock: usize| Units {
        transit: Some((i64::try_from(number % 3).unwrap(), 0)),
        ..Units::new(&format!("p{number:04}-v"), wb(place), i64::try_from(stock).unwrap())
    };
    let mut levels: Vec<_> = (0..PRODUCTS - 30).map(|n| level(n, "common", n * 7 % 97)).collect();
    levels.extend((0..PRODUCTS).filter(|n| n % 500 == 3).map(|n| level(n, "rare", 900 + n % 20)));
    shop.read_stock(Side::Fbo, true, &levels).await;
    other.fbs(&[(&format!("p{PRODUCTS:04}-v"), own("home"), 5)]).await;
    // Orders by the hand of the test: what matters is that they are scattered.
    for sql in [
        "UPDATE variant SET ordered_units = fbo_stock * 31 % 20, revenue_minor = fbo_stock * 17 % 11, currency = 'RUB' \
         WHERE fbo_stock > 0",
        "UPDATE product SET active = FALSE WHERE total_stock % 9 = 4",
    ] {
        store.run(sql, []).await;
    }
    let tx = shop.write().await;
    for account in [shop.account, other.account] {
        storage::figures::write(&tx, account, at(500)).await.unwrap();
    }
    tx.commit().await.unwrap();

    let tx = store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let (all, rule, page) = (ProductFilter::default(), LowStockRule::default(), first(10_000));
    let (sort, order) = (ProductSort::Name, SortOrder::Ascending);
    let everything = products::list(&tx, &all, rule, sort, order, &page, &freshness).await.unwrap();
    let products = everything.items;
    assert_eq!(products.len(), PRODUCTS + 40);
    let mut texts = HashMap::new();
    let mut there: HashMap<WarehouseId, HashSet<ProductId>> = HashMap::new();
    let ids: Vec<ProductId> = products.iter().map(|product| product.id).collect();
    for part in ids.chunks(1000) {
        for (product, places) in products::by_warehouse(&tx, part, &freshness).await.unwrap() {
            for place in places {
                if place.available > Some(0) || place.ordered_units > Some(0) {
                    there.entry(place.warehouse_id).or_default().insert(product);
                }
            }
        }
    }
    assert!(there.len() >= 3);
    for product in &products {
        let number = product.external_id[1..].parse().unwrap();
        let [row] = rows(number..number + 1).try_into().unwrap();
        let parts = [Some(row.external_id), row.seller_article, row.name, row.brand].into_iter().flatten();
        texts.insert(product.id, search::fold(&parts.collect::<Vec<_>>().join("\n")));
    }
    let accounts = vec![shop.account, other.account];
    (shop, Picture { products, texts, there, accounts, freshness })
}

fn rows(numbers: std::ops::Range<usize>) -> Vec<ProductRow> {
    numbers.map(|number| ProductRow { name: Some(name(number)), ..plain(&format!("p{number:04}")) }).collect()
}

impl Picture {
    fn holds(&self, product: &Product, filter: &ProductFilter, rule: LowStockRule) -> bool {
        let stock = product.figures.total_stock();
        let within = |least: Option<i64>, most: Option<i64>| {
            (least.is_none() && most.is_none())
                || stock.is_some_and(|n| {
                    least.is_none_or(|least| n >= least) && most.is_none_or(|most| n <= most)
                })
        };
        let is_low = stock.is_some_and(|n| n == 0 || figures::is_low(rule, n, product.figures.ordered_units));
        filter.status.is_none_or(|status| status == product.status)
            && filter.marketplace.is_none_or(|code| code == product.marketplace)
            && filter.account_id.is_none_or(|id| id == product.account_id)
            && filter
                .warehouse_id
                .is_none_or(|id| self.there.get(&id).is_some_and(|there| there.contains(&product.id)))
            && within(filter.min_stock, filter.max_stock)
            && (!filter.low_stock_only || is_low)
            && (!filter.ordered_only || product.figures.ordered_units > Some(0))
            && filter
                .search
                .as_ref()
                .is_none_or(|text| self.texts[&product.id].contains(&search::fold(text.trim())))
    }

    /// The whole list.
    fn expected(
        &self,
        filter: &ProductFilter,
        rule: LowStockRule,
        sort: ProductSort,
        order: SortOrder,
    ) -> Vec<&Product> {
        let mut found: Vec<_> =
            self.products.iter().filter(|product| self.holds(product, filter, rule)).collect();
        found.sort_by_cached_key(|p| (crate::product_order::key(p, sort), p.id.as_uuid().into_bytes()));
        if order == SortOrder::Descending {
            found.reverse();
        }
        found
    }
}

/// Numbers that look like chance and are always the same.
struct Draw(Wrapping<u64>);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0 * Wrapping(6_364_136_223_846_793_005) + Wrapping(1_442_695_040_888_963_407);
        usize::try_from(self.0.0 >> 33).unwrap() % end
    }

    fn one_of<T: Clone>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())].clone()
    }

    /// One of them in one of so many cases.
    fn rarely<T: Clone>(&mut self, one_in: usize, things: &[T]) -> Option<T> {
        (self.below(one_in) == 0).then(|| self.one_of(things))
    }
}

const TEXTS: [&str; 20] = [
    "кружка",
    "ЧАЙ",
    "ча",
    "ё",
    "аметист",
    "Аметист №7",
    "mug 100%",
    "100%",
    "tea_box",
    "a_b",
    "№7",
    "p0",
    "p04",
    "p0417",
    "нет такого",
    "новинка",
    "BRAND",
    "brand\nx",
    "\"",
    "",
];

async fn any_list_is_what_a_filter_and_a_sort_give(store: &Store) {
    let (shop, picture) = picture(store).await;
    let places: BTreeSet<_> = picture.there.keys().copied().collect();
    let places: Vec<_> = places.into_iter().chain([WarehouseId::generate()]).collect();
    let tx = store.read(&shop.owner.scope).await;
    let mut draw = Draw(Wrapping(1));
    let mut found_sizes = BTreeSet::new();
    for case in 0..CASES {
        let filter = ProductFilter {
            search: draw.rarely(2, &TEXTS).map(ToOwned::to_owned),
            marketplace: draw.rarely(8, &[crate::fixture::WB]),
            account_id: draw.rarely(8, &picture.accounts),
            warehouse_id: draw.rarely(6, &places),
            min_stock: draw.rarely(6, &[-1, 0, 50, 96, 900, 5000]),
            max_stock: draw.rarely(6, &[-1, 0, 3, 60, 900]),
            low_stock_only: draw.below(5) == 0,
            ordered_only: draw.below(10) == 0,
            status: draw.one_of(&[Some(ProductStatus::Active), Some(ProductStatus::Inactive), None]),
        };
        // Each text by itself first.
        let filter = match TEXTS.get(case) {
            Some(text) => ProductFilter {
                search: Some((*text).to_owned()),
                status: filter.status,
                ..ProductFilter::default()
            },
            None => filter,
        };
        let units = draw.one_of(&[0, 1, 10, 70]);
        let rule = LowStockRule { units, days_of_cover: draw.one_of(&[None, Some(1), Some(20), Some(1000)]) };
        let (sort, order) =
            (draw.one_of(&ProductSort::ALL), draw.one_of(&[SortOrder::Ascending, SortOrder::Descending]));
        let expected = picture.expected(&filter, rule, sort, order);
        found_sizes.insert(expected.len());
        let told =
            format!("case {case}: {filter:?} {rule:?} {sort:?} {order:?}, {} products", expected.len());
        let ids = |list: &[&Product]| list.iter().map(|p| p.external_id.clone()).collect::<Vec<_>>();

        // By key, from the beginning, through some pages, and from a long way in.
        let list = async |page: &PageRequest| {
            products::list(&tx, &filter, rule, sort, order, page, &picture.freshness).await.unwrap()
        };
        for limits in [[draw.one_of(&[1, 3, 50]); 3], [1 + draw.below(PRODUCTS) as u64, 1, 50]] {
            let (mut page, mut passed) = (first(1), 0);
            for limit in limits {
                page.limit = limit;
                let found = list(&page).await;
                let end = expected.len().min(passed + usize::try_from(limit).unwrap());
                assert_eq!(
                    ids(&found.items.iter().collect::<Vec<_>>()),
                    ids(&expected[passed..end]),
                    "{told}"
                );
                assert_eq!(found.next.is_none(), end == expected.len(), "{told}, to {end}");
                passed = end;
                page.cursor = found.next;
                if page.cursor.is_none() {
                    break;
                }
            }
        }

        // By number: the first, one in the middle, and the last.
        let size = draw.one_of(&[1, 7, 50]);
        let last = expected.len().div_ceil(size);
        for number in [1, last / 2, last] {
            let start = number.saturating_sub(1) * size;
            let wanted = &expected[start.min(expected.len())..expected.len().min(start + size)];
            let part = (number as u64, size as u64);
            let found = products::numbered(&tx, &filter, rule, (sort, order), part, &picture.freshness);
            let found = found.await.unwrap();
            assert_eq!(found.total, expected.len() as u64, "{told}");
            assert_eq!(ids(&found.items.iter().collect::<Vec<_>>()), ids(wanted), "{told}, page {number}");
        }
        assert_eq!(products::count(&tx, &filter, rule).await.unwrap(), expected.len() as u64, "{told}");
    }
    assert!(found_sizes.contains(&0) && found_sizes.contains(&1));
    assert!(found_sizes.iter().any(|size| (2..2000).contains(size)));
    assert!(found_sizes.iter().any(|size| (2001..PRODUCTS).contains(size)), "{found_sizes:?}");
}
