//! What imports ask: which variants lines are of, what is stored of what they name, and what they leave out.

use std::collections::BTreeSet;

use domain::{ids::PassId, import::Unit, marketplace::Side, picture::Cause, reading::ProductRow};
use storage::{
    catalogue,
    imports::{self, Found, LeftOut},
    stock::{self, Reading},
};

use crate::fixture::{Shop, Store, at, card, on_both_databases, own, units, wb};

on_both_databases!(
    units_are_found_by_whatever_a_line_gives,
    of_several_the_one_in_the_catalogue_is_meant,
    what_is_stored_of_a_file_is_found,
    what_a_file_leaves_out_is_counted_and_becomes_zero,
    an_account_is_held_until_the_end,
);

fn article(id: &str, article: &str, variants: &[(&str, &str, &[&str])]) -> ProductRow {
    ProductRow { seller_article: Some(article.to_owned()), ..card(id, variants) }
}

/// The external id of the variant that a unit is; `several` or nothing.
async fn found(shop: &Shop<'_>, unit: Unit) -> Option<String> {
    let tx = shop.write().await;
    let found = imports::find_units(&tx, shop.account, &BTreeSet::from([&unit])).await.unwrap();
    let found = found.get(&unit).copied()?;
    let Found::One(placed) = found else { return Some("several".to_owned()) };
    let ids = catalogue::variant_external_ids(&tx, shop.account, None, 100).await.unwrap();
    for id in ids {
        let known = [Unit::VariantId(id.clone())];
        let same = imports::find_units(&tx, shop.account, &known.iter().collect()).await.unwrap();
        if same.get(&known[0]) == Some(&Found::One(placed)) {
            return Some(id);
        }
    }
    None
}

async fn units_are_found_by_whatever_a_line_gives(store: &Store) {
    let shop = Shop::new(store).await;
    let odd = "\"[1,2]\\ 'ёж'";
    shop.cards(&[
        article("p1", "A-1", &[("v1", "42", &["b1", "shared"]), ("v2", "43", &["b2", "shared"])]),
        article("p2", "A-2", &[("v3", "", &[odd])]),
    ])
    .await;
    for (unit, expected) in [
        (Unit::VariantId("v2".into()), Some("v2")),
        (Unit::VariantId("b2".into()), None),
        (Unit::Sku("b1".into()), Some("v1")),
        (Unit::Sku("shared".into()), None),
        (Unit::Barcode("b2".into()), Some("v2")),
        (Unit::Barcode("shared".into()), Some("several")),
        (Unit::Article("A-2".into()), Some("v3")),
        (Unit::Article("A-1".into()), Some("several")),
        (Unit::Article("a-2".into()), None),
        (Unit::Sku(odd.into()), Some("v3")),
        (Unit::Barcode(odd.into()), Some("v3")),
    ] {
        assert_eq!(found(&shop, unit.clone()).await.as_deref(), expected, "{unit:?}");
    }
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    assert_eq!(found(&other, Unit::VariantId("v1".into())).await, None, "of another account");
}

async fn of_several_the_one_in_the_catalogue_is_meant(store: &Store) {
    let shop = Shop::new(store).await;
    let old = article("p1", "A", &[("v1", "", &["b"])]);
    shop.cards(std::slice::from_ref(&old)).await;
    shop.cards(&[ProductRow { removed: true, ..old }, article("p2", "A", &[("v2", "", &["b"])])]).await;
    for unit in [Unit::Barcode("b".into()), Unit::Sku("b".into()), Unit::Article("A".into())] {
        assert_eq!(found(&shop, unit).await.as_deref(), Some("v2"));
    }
    // What is alone is meant, in the catalogue or not.
    assert_eq!(found(&shop, Unit::VariantId("v1".into())).await.as_deref(), Some("v1"));
}

async fn what_is_stored_of_a_file_is_found(store: &Store) {
    let shop = Shop::new(store).await;
    let shirt = article("p1", "A-1", &[("v1", "42", &["b1"]), ("v2", "43", &[])]);
    shop.cards(&[shirt.clone(), article("p2", "A-2", &[("v3", "", &[])])]).await;
    let smaller = article("p1", "A-1", &[("v1", "42", &["b1"])]);
    let tx = shop.write().await;
    let known = imports::known(&tx, shop.account, &["p1", "nothing"], &["v3", "nothing"]).await.unwrap();
    assert_eq!(known.products.keys().collect::<Vec<_>>(), ["p1"]);
    assert_eq!(known.products["p1"], shirt);
    assert_eq!(known.variants.keys().collect::<Vec<_>>(), ["v3"]);
    drop(tx);
    shop.cards(std::slice::from_ref(&smaller)).await;
    let tx = shop.write().await;
    let known = imports::known(&tx, shop.account, &["p1"], &["v2"]).await.unwrap();
    assert_eq!(known.products["p1"], smaller, "a variant that has left the catalogue is no sibling");
    assert_eq!(known.variants["v2"], shirt.variants[1], "but it is known when it is named");
}

async fn what_a_file_leaves_out_is_counted_and_becomes_zero(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &[]), ("v2", "43", &[]), ("v3", "44", &[])])]).await;
    shop.fbo(&[("v1", wb("Коледино"), 50)]).await;
    shop.fbs(&[("v1", own("A"), 1), ("v2", own("A"), 2), ("v3", own("A"), 0), ("v1", own("B"), 4)]).await;
    let sync = shop.begin().await;
    let pass = PassId::from(sync);
    let tx = shop.write().await;
    shop.stage(&tx, sync, Side::Fbs, &units(&[("v1", own("A"), 7)])).await;
    let left = imports::left_out(&tx, shop.account, pass).await.unwrap();
    assert_eq!(left, LeftOut { levels: 3, stocked: 2 }, "the marketplace's side is none of its business");
    let known = imports::seller_warehouses(&tx, shop.account).await.unwrap();
    let a = known.iter().find(|warehouse| warehouse.name == "A").unwrap();
    assert_eq!((known.len(), a.external_id.as_deref()), (2, Some("A")));
    assert_eq!(imports::stage_zeros(&tx, shop.account, pass, &[a.id]).await.unwrap(), 1);
    let left = imports::left_out(&tx, shop.account, pass).await.unwrap();
    assert_eq!(left, LeftOut { levels: 2, stocked: 1 });
    let reading = Reading {
        account: shop.account,
        pass,
        cause: Cause::Import,
        side: Side::Fbs,
        complete: false,
        began_at: at(60),
        at: at(60),
    };
    assert_eq!(stock::apply(&tx, reading).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let levels: Vec<_> = shop.levels().await.into_iter().collect();
    let level = |variant: &str, place: &str, units| ((variant.to_owned(), place.to_owned()), Some(units));
    assert_eq!(
        levels,
        [
            level("v1", "A", 7),
            level("v1", "B", 4),
            level("v1", "Коледино", 50),
            level("v2", "A", 0),
            level("v3", "A", 0)
        ]
    );
    shop.count(at(60)).await;
    assert_eq!(shop.product("p1").await.product.figures.fbs_stock, Some(11));
}

async fn an_account_is_held_until_the_end(store: &Store) {
    let shop = Shop::new(store).await;
    let first = shop.write().await;
    assert!(imports::hold_account(&first, shop.account).await.unwrap());
    let second = async {
        let tx = shop.write().await;
        imports::hold_account(&tx, shop.account).await.unwrap()
    };
    tokio::pin!(second);
    // It waits for as long as the first one is open.
    let patience = std::time::Duration::from_millis(300);
    assert!(tokio::time::timeout(patience, &mut second).await.is_err());
    first.commit().await.unwrap();
    assert!(second.await);
}
