//! Searching is for what somebody typed as it stands, and the index behind it follows the catalogue.

use domain::{
    picture::{ProductFilter, ProductSort, SortOrder},
    reading::ProductRow,
    search,
    tenant::LowStockRule,
};
use migrations::{Migrator, MigratorTrait as _};
use sea_orm::FromQueryResult;
use storage::{Db, accounts, products};

use crate::fixture::{Database, Shop, Store, at, card, first, on_both_databases, plain};

on_both_databases!(
    what_is_typed_is_taken_as_it_stands,
    what_is_searched_for_follows_the_catalogue,
    a_new_name_is_found_and_the_old_one_is_not,
    pages_of_a_search_go_on_though_products_change,
    what_is_removed_leaves_nothing_in_the_index,
    only_another_text_is_written_to_the_index,
    the_index_is_made_of_what_is_there,
);

/// The external ids of all that a search finds, by name. The list by key, the list by number and the count agree.
async fn found_by(db: &Db, shop: &Shop<'_>, text: &str) -> Vec<String> {
    let tx = db.read(&shop.owner.scope).await.unwrap();
    let filter = ProductFilter { search: Some(text.to_owned()), ..ProductFilter::default() };
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    let (sort, order, rule) = (ProductSort::Name, SortOrder::Ascending, LowStockRule::default());
    let by_number =
        products::numbered(&tx, &filter, rule, (sort, order), (1, 200), &freshness).await.unwrap();
    let by_key = products::list(&tx, &filter, rule, sort, order, &first(200), &freshness).await.unwrap();
    let a_few = products::list(&tx, &filter, rule, sort, order, &first(1), &freshness).await.unwrap();
    let ids = |found: Vec<domain::picture::Product>| -> Vec<String> {
        found.into_iter().map(|product| product.external_id).collect()
    };
    let (by_number, total, by_key) = (ids(by_number.items), by_number.total, ids(by_key.items));
    assert_eq!(by_number, by_key, "{text:?}");
    assert_eq!(by_key.get(..1).unwrap_or_default(), ids(a_few.items), "{text:?}");
    assert_eq!(total, by_key.len() as u64, "{text:?}");
    assert_eq!(products::count(&tx, &filter, rule).await.unwrap(), total, "{text:?}");
    by_key
}

async fn found(shop: &Shop<'_>, text: &str) -> Vec<String> {
    found_by(&shop.store.db, shop, text).await
}

fn named(id: &str, name: &str) -> ProductRow {
    ProductRow { name: Some(name.to_owned()), ..plain(id) }
}

const NAMES: [&str; 24] = [
    "100% хлопок",
    "100 хлопок",
    "tea_box",
    "teaxbox",
    "back\\slash",
    "back\\\\slash",
    "say \"hello\" now",
    "it's O'Neil",
    "cats AND dogs OR birds NOT fish",
    "NEAR(cats dogs, 5)",
    "text:column {a b} - c",
    "star* ^caret +plus -minus",
    "ЁЛКА Ёжика",
    "елка ежика",
    "СТРАẞE straße",
    "İstanbul ISPARTA",
    "日本語テスト",
    "ﾊﾝｶｸ ＷＩＤＥ",
    "и\u{306}од",
    "два  пробела",
    "tab\tand\u{a0}blank",
    "👟👟👟 обувь",
    "ab",
    "%%%___\\\\\\",
];
const TEXTS: [&str; 61] = [
    "100%",
    "100% х",
    "%",
    "%%",
    "%%%",
    "_",
    "___",
    "a_b",
    "a_box",
    "eax",
    "\\",
    "\\\\",
    "\\\\\\",
    "k\\s",
    "ck\\slash",
    "back\\\\slash",
    "\"",
    "\"\"",
    "\"hello\"",
    "\"hel",
    "'",
    "it's",
    "o'neil",
    "AND",
    "cats AND dogs",
    "cats dogs",
    "OR",
    "NOT fish",
    "NEAR(cats",
    "NEAR",
    "cats dogs, 5)",
    "text:",
    "text:column",
    "{a b}",
    "- c",
    "star*",
    "sta*",
    "*",
    "^caret",
    "+plus -minus",
    "-minus",
    "ёлка",
    "ЁЛКА",
    "елка",
    "Ёж",
    "ё",
    "Е",
    "стра",
    "straße",
    "STRASSE",
    "istanbul",
    "İstanbul",
    "本語テ",
    "語テ",
    "ハンカク",
    "wide",
    "йод",
    "  ab  ",
    "два  про",
    "and blank",
    "👟👟",
];

async fn what_is_typed_is_taken_as_it_stands(store: &Store) {
    let shop = Shop::new(store).await;
    let rows: Vec<_> = NAMES.iter().enumerate().map(|(n, name)| named(&format!("n{n:02}"), name)).collect();
    shop.cards(&rows).await;
    let mut hits = 0;
    for text in TEXTS {
        let wanted = search::fold(text.trim());
        let mut expected: Vec<_> = rows
            .iter()
            .filter(|row| {
                let parts = [
                    Some(&row.external_id),
                    row.seller_article.as_ref(),
                    row.name.as_ref(),
                    row.brand.as_ref(),
                ];
                let parts: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
                search::fold(&parts.join("\n")).contains(&wanted)
            })
            .collect();
        expected.sort_by_key(|row| row.name.clone().unwrap().into_bytes());
        let expected: Vec<_> = expected.into_iter().map(|row| row.external_id.clone()).collect();
        hits += expected.len();
        assert_eq!(found(&shop, text).await, expected, "{text:?}");
    }
    assert!(hits > TEXTS.len(), "most of it is there: {hits}");
    assert_eq!(found(&shop, "   ").await.len(), NAMES.len(), "a blank asks for nothing");
}

async fn what_is_searched_for_follows_the_catalogue(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("one", &[("v", "", &["460001"])]), plain("two")]).await;
    assert_eq!(found(&shop, "460001").await, ["one"]);
    // Another barcode: the old one is forgotten.
    shop.cards(&[card("one", &[("v", "", &["460002"])])]).await;
    assert_eq!(found(&shop, "460001").await, Vec::<String>::new());
    assert_eq!(found(&shop, "460002").await, ["one"]);
    assert_eq!(found(&shop, "title two").await, ["two"]);
    store.run("DELETE FROM product WHERE external_id = 'one'", []).await;
    assert_eq!(found(&shop, "460002").await, Vec::<String>::new());
    // What comes after one that is gone is found by its own text.
    shop.cards(&[card("three", &[("w", "", &["460003"])])]).await;
    assert_eq!(found(&shop, "460002").await, Vec::<String>::new());
    assert_eq!(found(&shop, "460003").await, ["three"]);
    assert_eq!(found(&shop, "title").await, ["three", "two"]);
}

async fn a_new_name_is_found_and_the_old_one_is_not(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[named("one", "Красная шапка"), named("two", "Синяя шапка")]).await;
    for name in ["Зелёная шапка", "Жёлтая шапка", "Красная кепка"] {
        shop.cards(&[named("one", name)]).await;
        assert_eq!(found(&shop, &name.to_uppercase()).await, ["one"]);
    }
    for gone in ["Красная шапка", "Зелёная", "Жёлтая"] {
        assert_eq!(found(&shop, gone).await, Vec::<String>::new(), "{gone}");
    }
    assert_eq!(found(&shop, "шапка").await, ["two"]);
}

async fn pages_of_a_search_go_on_though_products_change(store: &Store) {
    let shop = Shop::new(store).await;
    let names = ["Шапка а", "Шапка б", "Шапка в", "Шапка г", "Шапка д", "Кепка"];
    let rows: Vec<_> = names.iter().enumerate().map(|(n, name)| named(&format!("n{n}"), name)).collect();
    shop.cards(&rows).await;
    let filter = ProductFilter { search: Some("шапка".to_owned()), ..ProductFilter::default() };
    let mut page = first(2);
    let mut read = async || {
        let tx = store.read(&shop.owner.scope).await;
        let freshness = products::freshness(&tx, at(0)).await.unwrap();
        let (sort, order, rule) = (ProductSort::Name, SortOrder::Ascending, LowStockRule::default());
        let found = products::list(&tx, &filter, rule, sort, order, &page, &freshness).await.unwrap();
        page.cursor = found.next;
        found.items.into_iter().map(|product| product.external_id).collect::<Vec<_>>()
    };
    assert_eq!(read().await, ["n0", "n1"]);
    // The product that the page ended with is gone, the next one is no hit any more, and one has become one.
    store.run("DELETE FROM product WHERE external_id = 'n1'", []).await;
    shop.cards(&[named("n2", "Кепка в"), named("n5", "Шапка гг")]).await;
    assert_eq!(read().await, ["n3", "n5"]);
    assert_eq!(read().await, ["n4"]);
}

/// How many rows there are in the index and beside it.
async fn entries(store: &Store) -> i64 {
    let sql = if store.is_postgres() {
        "SELECT count(*) AS n FROM product_text"
    } else {
        "SELECT (SELECT count(*) FROM product_text_docsize) + (SELECT count(*) FROM product_number) AS n"
    };
    store.number(sql, []).await
}

async fn what_is_removed_leaves_nothing_in_the_index(store: &Store) {
    let rows: Vec<_> = (0..20).map(|number| plain(&format!("p{number}"))).collect();
    let (shop, company) = (Shop::new(store).await, Shop::new(store).await);
    let kept = Shop::of(store, shop.owner.clone(), "another seller").await;
    for shop in [&shop, &company, &kept] {
        shop.cards(&rows).await;
    }
    let all = entries(store).await;
    let tx = shop.write().await;
    assert!(accounts::remove(&tx, shop.account).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(entries(store).await, all / 3 * 2, "without an account");
    store.run(&format!("DELETE FROM tenant WHERE {}", of(store, &company)), []).await;
    assert_eq!(entries(store).await, all / 3, "without a company");
    assert_eq!(found(&shop, "title").await.len(), 20);
}

/// That a row of `tenant` is the company of a shop.
fn of(store: &Store, shop: &Shop<'_>) -> String {
    let id = shop.owner.id.as_uuid();
    if store.is_postgres() { format!("id = '{id}'") } else { format!("id = x'{}'", id.simple()) }
}

/// What the index is made of, down to its storage.
async fn storage_of_the_index(store: &Store) -> String {
    #[derive(FromQueryResult)]
    struct Whole {
        whole: String,
    }
    let sql = if store.is_postgres() {
        "SELECT string_agg(xmin || ' ' || ctid || ' ' || text, '|' ORDER BY ctid) AS whole FROM product_text"
    } else {
        "SELECT group_concat(part, '|') AS whole FROM (SELECT id || ' ' || hex(block) AS part FROM product_text_data \
         UNION ALL SELECT number || ' ' || hex(product_id) FROM product_number)"
    };
    let [Whole { whole }] = store.rows::<Whole>(sql, []).await.try_into().ok().unwrap();
    whole
}

async fn only_another_text_is_written_to_the_index(store: &Store) {
    let shop = Shop::new(store).await;
    let cards = [named("one", "Кружка"), named("two", "Чашка")];
    shop.cards(&cards).await;
    let before = storage_of_the_index(store).await;
    // The same once more, another category, figures, and both in one statement.
    shop.cards(&cards).await;
    let category = Some("Посуда".to_owned());
    shop.cards(&[ProductRow { category, ..cards[0].clone() }]).await;
    store.run("UPDATE product SET total_stock = 7, ordered_units = 3, active = FALSE", []).await;
    store.run("UPDATE product SET search_text = search_text, total_stock = 8", []).await;
    assert_eq!(storage_of_the_index(store).await, before);
    shop.cards(&[named("one", "Бокал")]).await;
    assert_ne!(storage_of_the_index(store).await, before);
}

async fn the_index_is_made_of_what_is_there(store: &Store) {
    #[derive(FromQueryResult)]
    struct Left {
        name: String,
    }
    let shop = Shop::new(store).await;
    shop.cards(&[named("one", "Кружка"), named("two", "Чашка")]).await;
    let steps = Migrator::migrations();
    let back = steps.iter().rev().position(|step| step.name().ends_with("index_search")).unwrap() + 1;
    Migrator::down(&store.owner, Some(u32::try_from(back).unwrap())).await.unwrap();
    let left = if store.is_postgres() {
        "SELECT relname AS name FROM pg_class WHERE relname LIKE 'product\\_text%' UNION ALL \
         SELECT proname FROM pg_proc WHERE proname LIKE '%product\\_%' UNION ALL \
         SELECT tgname FROM pg_trigger WHERE tgname LIKE 'product\\_%'"
    } else {
        "SELECT name FROM sqlite_schema WHERE name LIKE 'product\\_text%' ESCAPE '\\' OR name = 'product_number'"
    };
    let left: Vec<_> = store.rows::<Left>(left, []).await.into_iter().map(|left| left.name).collect();
    assert_eq!(left, Vec::<String>::new());
    store.run("UPDATE product SET search_text = 'бокал' WHERE external_id = 'two'", []).await;

    Migrator::up(&store.owner, None).await.unwrap();
    if let Database::Postgres(database) = &store.database {
        migrations::grants::apply(&store.owner, database.app_role()).await.unwrap();
    }
    // Connections remember the schema that they saw.
    let db = store.another_process().await;
    assert_eq!(found_by(&db, &shop, "кружка").await, ["one"]);
    assert_eq!(found_by(&db, &shop, "бокал").await, ["two"]);
    assert_eq!(found_by(&db, &shop, "чашка").await, Vec::<String>::new());
}
