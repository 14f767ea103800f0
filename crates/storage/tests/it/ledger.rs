//! Whatever is read, in whatever order: a level is the sum of its movements, a figure the sum of its levels.

use std::{cell::Cell, collections::BTreeMap};

use domain::marketplace::Side;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::fixture::{Shop, Store, Units, card, masked, own, wb};

/// A reading: which side, whether complete, and units by variant and place.
type Script = Vec<(bool, bool, BTreeMap<(u8, u8), i64>)>;

fn scripts() -> impl Strategy<Value = Script> {
    let rows = prop::collection::btree_map((0_u8..3, 0_u8..4), 0_i64..4, 0..6);
    prop::collection::vec((any::<bool>(), prop::bool::weighted(0.75), rows), 1..7)
}

async fn holds(store: &Store, script: &Script) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p0", &[("v0", "", &[]), ("v1", "42", &[])]), card("p1", &[("v2", "", &[])])]).await;
    for (fbo, complete, rows) in script {
        let side = if *fbo { Side::Fbo } else { Side::Fbs };
        let rows: Vec<Units> = rows
            .iter()
            .map(|((variant, place), units)| {
                let place = match (side, place) {
                    (Side::Fbo, 0) => masked(),
                    (Side::Fbo, n) => wb(&format!("W{n}")),
                    (Side::Fbs, n) => own(&format!("S{n}")),
                };
                Units::new(&format!("v{variant}"), place, *units)
            })
            .collect();
        let before = shop.levels().await;
        shop.read_stock(side, *complete, &rows).await;

        let levels = shop.levels().await;
        let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
        let mut last: BTreeMap<(String, String), i64> = BTreeMap::new();
        for (variant, place, from, to) in shop.ledger().await {
            let key = (variant, place);
            assert_eq!(
                from.unwrap_or(0),
                last.get(&key).copied().unwrap_or(0),
                "the ledger has no gap: {key:?}"
            );
            assert_ne!(from, Some(to), "a movement moves: {key:?}");
            *sums.entry(key.clone()).or_default() += to - from.unwrap_or(0);
            last.insert(key, to);
        }
        for (key, level) in &levels {
            assert_eq!(sums.get(key).copied().unwrap_or(0), level.unwrap_or(0), "{key:?}");
        }
        if *complete {
            for row in &rows {
                assert_eq!(levels[&(row.variant.clone(), row.place.clone().unwrap().name)], row.available);
            }
            let total: i64 = rows.iter().filter_map(|row| row.available).sum();
            let known: i64 = shop.products().await.values().filter_map(|p| side_of(side, &p.figures)).sum();
            assert_eq!(known, total, "a complete reading is the whole side");
        } else {
            assert!(before.iter().all(|(key, _)| levels.contains_key(key)));
        }
        for product in shop.products().await.keys() {
            let detail = shop.product(product).await;
            let figures = detail.product.figures;
            let there: i64 = detail.warehouses.iter().filter_map(|w| w.available).sum();
            assert_eq!(figures.total_stock().unwrap_or(0), there, "parts equal totals");
            let of_variants: i64 = detail.variants.iter().filter_map(|v| v.figures.total_stock()).sum();
            assert_eq!(figures.total_stock().unwrap_or(0), of_variants);
        }
    }
}

fn side_of(side: Side, figures: &domain::figures::Figures) -> Option<i64> {
    match side {
        Side::Fbo => figures.fbo_stock,
        Side::Fbs => figures.fbs_stock,
    }
}

fn check(store: impl AsyncFnOnce() -> Store, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(store());
    let run = Cell::new(0);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let result = TestRunner::new(config).run(&scripts(), |script| {
        run.set(run.get() + 1);
        runtime.block_on(holds(&store, &script));
        Ok(())
    });
    result.unwrap();
    assert!(run.get() >= cases);
    runtime.block_on(async { drop(store) });
}

#[test]
fn sqlite_levels_are_sums_of_movements() {
    check(Store::sqlite, 30);
}

#[test]
fn postgres_levels_are_sums_of_movements() {
    check(Store::postgres, 8);
}
