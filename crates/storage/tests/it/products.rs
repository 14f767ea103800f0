//! One product whole, and the figures it is made of.

use domain::{
    figures::{CoverState, Figures},
    ids::ProductId,
    reading::OrderRow,
};
use storage::{figures, products};

use crate::fixture::{Shop, Store, at, card, on_both_databases, order, own, plain, roubles, wb};

on_both_databases!(
    figures_are_sums_over_variants,
    writing_the_same_figures_again_changes_nothing,
    figures_grow_stale_after_two_intervals,
    a_product_whole,
);

const YESTERDAY: i64 = -24 * 60;

async fn figures_are_sums_over_variants(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &[]), ("v2", "43", &[])]), plain("p2")]).await;
    shop.fbo(&[("v1", wb("A"), 5), ("v2", wb("B"), 7)]).await;
    shop.fbs(&[("v1", own("Дом"), 2)]).await;
    shop.orders(&[order("o1", "v1", at(YESTERDAY)), order("o2", "v2", at(YESTERDAY))]).await;
    shop.count(at(0)).await;
    let products = shop.products().await;
    let expected = Figures {
        fbo_stock: Some(12),
        fbs_stock: Some(2),
        incomplete: false,
        in_transit_to_customer: None,
        in_transit_returns: None,
        ordered_units: Some(2),
        cancelled_units: Some(0),
        ordered_today: Some(0),
        revenue: Some(roubles(200)),
        as_of: products["p1"].figures.as_of,
        stale: false,
    };
    assert_eq!(products["p1"].figures, expected);
    assert!(expected.as_of.is_some());
    assert_eq!(products["p2"].figures.total_stock(), Some(0));
    assert_eq!(products["p2"].figures.cover().state, Some(CoverState::OutOfStock));
}

async fn writing_the_same_figures_again_changes_nothing(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[plain("p1"), plain("p2")]).await;
    let sync = shop.begin().await;
    let tx = shop.write().await;
    shop.stage(&tx, sync, domain::marketplace::Side::Fbo, &[crate::fixture::Units::new("p1-v", wb("A"), 5)])
        .await;
    let reading = storage::stock::Reading {
        account: shop.account,
        pass: sync.into(),
        cause: domain::picture::Cause::Sync,
        side: domain::marketplace::Side::Fbo,
        complete: true,
        began_at: at(500),
        at: at(500),
    };
    storage::stock::apply(&tx, reading).await.unwrap();
    assert_eq!(figures::write(&tx, shop.account, at(600)).await.unwrap(), 2);
    assert_eq!(figures::write(&tx, shop.account, at(700)).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(shop.products().await["p1"].updated_at, at(600));
}

async fn figures_grow_stale_after_two_intervals(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[plain("p1")]).await;
    shop.fbo(&[("p1-v", wb("A"), 5)]).await;
    shop.fbs(&[]).await;
    let figures = async |now| {
        let tx = store.read(&shop.owner.scope).await;
        let freshness = products::freshness(&tx, now).await.unwrap();
        let id = store.rows::<Id>("SELECT id FROM product", []).await[0].id;
        products::get(&tx, id.into(), &freshness).await.unwrap().unwrap().product.figures
    };
    let as_of = figures(at(0)).await.as_of.unwrap();
    assert!(!figures(as_of + chrono::TimeDelta::minutes(60)).await.stale, "exactly two intervals");
    assert!(figures(as_of + chrono::TimeDelta::minutes(60) + chrono::TimeDelta::seconds(1)).await.stale);
    // The older of the two sides tells the age.
    shop.fbs(&[]).await;
    assert_eq!(figures(at(0)).await.as_of, Some(as_of));
    shop.fbo(&[]).await;
    assert!(figures(at(0)).await.as_of > Some(as_of));
}

#[derive(sea_orm::FromQueryResult)]
struct Id {
    id: uuid::Uuid,
}

async fn a_product_whole(store: &Store) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1"]), ("v2", "43", &[])]), plain("p2")]).await;
    shop.fbo(&[("v1", wb("Б"), 5), ("v2", wb("Б"), 7), ("v1", wb("А"), 1), ("p2-v", wb("Б"), 9)]).await;
    shop.orders(&[OrderRow { location: Some(wb("Б")), ..order("o1", "v1", at(YESTERDAY)) }]).await;
    shop.count(at(0)).await;
    let detail = shop.product("p1").await;
    let variants: Vec<_> =
        detail.variants.iter().map(|v| (v.external_id.as_str(), v.figures.total_stock())).collect();
    assert_eq!(variants.len(), 2);
    assert!(variants.contains(&("v1", Some(6))) && variants.contains(&("v2", Some(7))));
    let first = detail.variants.iter().find(|v| v.external_id == "v1").unwrap();
    assert_eq!((first.sku.as_deref(), first.name.as_deref()), (Some("b1"), Some("42")));
    let places: Vec<_> =
        detail.warehouses.iter().map(|w| (w.name.as_str(), w.available, w.ordered_units)).collect();
    assert_eq!(places, [("А", Some(1), Some(0)), ("Б", Some(12), Some(1))], "by name");
    assert!(detail.warehouses.iter().all(|w| w.as_of.is_some()));

    let tx = store.read(&shop.owner.scope).await;
    let freshness = products::freshness(&tx, at(0)).await.unwrap();
    assert!(products::exists(&tx, detail.product.id).await.unwrap());
    assert!(!products::exists(&tx, ProductId::generate()).await.unwrap());
    assert!(products::get(&tx, ProductId::generate(), &freshness).await.unwrap().is_none());
}
