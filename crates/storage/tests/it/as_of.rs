//! Stock as it was: what the ledger tells of a moment is what was seen then.

use std::{cell::Cell, collections::BTreeMap};

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    marketplace::Side,
    page::PageRequest,
    picture::{Cause, MovementFilter, Stock, StockFilter},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use storage::{Error, readings, stock};
use uuid::Uuid;

use crate::fixture::{Shop, Store, Units, at, card, first, masked, on_both_databases, order, own, plain, wb};

on_both_databases!(
    a_moment_shows_what_was_seen_then,
    what_is_not_counted_any_more_is_still_there_in_the_past,
    of_movements_of_one_moment_the_last_id_counts,
    readings_of_one_moment_are_told_apart,
    a_clock_that_runs_behind_tells_nothing_in_the_wrong_order,
    rows_are_filtered_and_paged_at_one_moment,
    the_ledger_is_filtered,
);

/// What is available, by variant and name of the warehouse.
type Seen = BTreeMap<(String, String), i64>;

async fn rows(shop: &Shop<'_>, filter: &StockFilter, moment: Timestamp) -> Vec<Stock> {
    let tx = shop.store.read(&shop.owner.scope).await;
    let mut page = first(3);
    let mut rows = Vec::new();
    loop {
        let found = stock::as_of(&tx, filter, moment, &page).await.unwrap();
        assert!(found.items.len() <= 3 && (found.next.is_none() || found.items.len() == 3));
        rows.extend(found.items);
        let Some(next) = found.next else { break };
        page.cursor = Some(next);
    }
    assert!(rows.is_sorted_by(|a, b| (a.variant_id, a.warehouse_id) < (b.variant_id, b.warehouse_id)));
    rows
}

fn seen_in(rows: Vec<Stock>) -> Seen {
    rows.into_iter()
        .filter_map(|row| Some(((row.external_variant_id, row.warehouse_name), row.available?)))
        .collect()
}

async fn seen_at(shop: &Shop<'_>, moment: Timestamp) -> Seen {
    seen_in(rows(shop, &StockFilter::default(), moment).await)
}

/// What is available now, but for places that never held anything: nothing happened there that a ledger could tell.
fn moved(now: BTreeMap<(String, String), Option<i64>>, then: &Seen) -> Seen {
    let known = now.into_iter().filter_map(|(key, units)| Some((key, units?)));
    known.filter(|(key, units)| *units != 0 || then.contains_key(key)).collect()
}

async fn shop_of_two(store: &Store) -> Shop<'_> {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &[]), ("v2", "43", &[])]), plain("p2")]).await;
    shop
}

fn of(entries: &[(&str, &str, i64)]) -> Seen {
    entries.iter().map(|(v, w, units)| (((*v).to_owned(), (*w).to_owned()), *units)).collect()
}

async fn a_moment_shows_what_was_seen_then(store: &Store) {
    let shop = shop_of_two(store).await;
    let before = shop.now();
    shop.fbo(&[("v1", wb("A"), 5), ("v2", wb("A"), 0)]).await;
    let then = shop.now();
    shop.fbs(&[("v1", own("Home"), 2)]).await;
    shop.fbo(&[("v1", wb("A"), 5), ("v2", wb("B"), 4)]).await;
    let later = shop.now();
    shop.fbo(&[]).await;
    let now = shop.now();
    assert_eq!(seen_at(&shop, before).await, Seen::new(), "what was not there yet has no row");
    assert_eq!(seen_at(&shop, then).await, of(&[("v1", "A", 5), ("v2", "A", 0)]));
    let all = [("v1", "A", 5), ("v1", "Home", 2), ("v2", "A", 0), ("v2", "B", 4)];
    assert_eq!(seen_at(&shop, later).await, of(&all));
    assert_eq!(
        seen_at(&shop, now).await,
        of(&[("v1", "A", 0), ("v1", "Home", 2), ("v2", "A", 0), ("v2", "B", 0)])
    );
    let tx = store.read(&shop.owner.scope).await;
    let page = stock::as_of(&tx, &StockFilter::default(), later, &first(10)).await.unwrap();
    let row = page.items.iter().find(|row| row.warehouse_name == "A" && row.available == Some(5)).unwrap();
    assert!(row.as_of.unwrap() > before && row.as_of.unwrap() <= then, "since when it had been so");
    assert_eq!((row.reserved, row.on_hand, row.ordered_units), (None, None, None));
    let exactly = row.as_of.unwrap();
    assert_eq!(seen_at(&shop, exactly).await.len(), 2, "the moment itself is in it");
    assert_eq!(seen_at(&shop, exactly - TimeDelta::microseconds(1)).await.len(), 0);
}

async fn what_is_not_counted_any_more_is_still_there_in_the_past(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbs(&[("v1", own("Home"), 5)]).await;
    let counted = shop.now();
    let uncounted = Units { available: None, ..Units::new("v1", own("Home"), 0) };
    shop.read_stock(Side::Fbs, true, &[uncounted]).await;
    // Counting orders clears rows of places that hold nothing and sold nothing.
    shop.orders(&[order("o1", "v1", at(-24 * 60))]).await;
    shop.count(at(0)).await;
    assert_eq!(seen_at(&shop, counted).await, of(&[("v1", "Home", 5)]));
    assert_eq!(seen_at(&shop, shop.now()).await, Seen::new());
    shop.fbs(&[("v1", own("Home"), 7)]).await;
    assert_eq!(seen_at(&shop, shop.now()).await, of(&[("v1", "Home", 7)]));
}

async fn of_movements_of_one_moment_the_last_id_counts(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    // As nothing here would write them, but a hand or another version could.
    let moment = shop.now();
    for (id, units) in [(2_u128, 20_i64), (9, 90), (5, 50)] {
        let sql = "INSERT INTO stock_movement (tenant_id, id, account_id, product_id, variant_id, warehouse_id, at, \
                   before, after, cause) SELECT tenant_id, $2, account_id, product_id, variant_id, warehouse_id, $3, \
                   available, $4, 'sync' FROM stock_level WHERE tenant_id = $1";
        let id = Uuid::from_u128((u128::from(u64::MAX) << 64) + id);
        let values = [shop.owner.id.as_uuid().into(), id.into(), moment.into(), units.into()];
        assert_eq!(store.run(sql, values).await, 1);
    }
    assert_eq!(seen_at(&shop, moment).await, of(&[("v1", "A", 90)]));
}

/// Applies a reading of one place that ends at a moment.
async fn read_at(shop: &Shop<'_>, moment: Timestamp, units: i64) {
    let sync = shop.begin().await;
    let tx = shop.write().await;
    shop.stage(&tx, sync, Side::Fbo, &[Units::new("v1", wb("A"), units)]).await;
    let reading = stock::Reading { at: moment, ..shop.reading(sync, Side::Fbo, true, moment) };
    stock::apply(&tx, reading).await.unwrap();
    tx.commit().await.unwrap();
    shop.end(sync).await;
}

async fn levels_in_the_ledger(shop: &Shop<'_>) -> Vec<(Timestamp, Option<i64>)> {
    let product = shop.product("p1").await.product.id;
    let tx = shop.store.read(&shop.owner.scope).await;
    let ledger = stock::ledger(&tx, product, &MovementFilter::default(), &first(100)).await.unwrap().items;
    ledger.into_iter().rev().map(|movement| (movement.at, movement.to)).collect()
}

async fn readings_of_one_moment_are_told_apart(store: &Store) {
    let shop = shop_of_two(store).await;
    let moment = at(1_000);
    // Ids of one millisecond are in any order: with so many, a wrong one would be found.
    let units: Vec<i64> = (1..=12).collect();
    for units in &units {
        read_at(&shop, moment, *units).await;
    }
    let ledger = levels_in_the_ledger(&shop).await;
    assert_eq!(ledger.iter().map(|(_, to)| to.unwrap()).collect::<Vec<_>>(), units);
    assert_eq!(ledger[0].0, moment);
    assert!(ledger.is_sorted_by(|a, b| a.0 < b.0), "{ledger:?}");
    assert!(ledger[11].0 - moment < TimeDelta::milliseconds(12), "as near to the truth as can be");
    for (moment, units) in ledger {
        assert_eq!(seen_at(&shop, moment).await, of(&[("v1", "A", units.unwrap())]));
    }
}

async fn a_clock_that_runs_behind_tells_nothing_in_the_wrong_order(store: &Store) {
    let shop = shop_of_two(store).await;
    read_at(&shop, at(1_000), 5).await;
    // Another process takes the next sync; its clock is two minutes behind.
    read_at(&shop, at(998), 6).await;
    read_at(&shop, at(1_005), 7).await;
    let ledger = levels_in_the_ledger(&shop).await;
    assert_eq!(ledger.iter().map(|(_, to)| to.unwrap()).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(ledger[1].0, at(1_000) + TimeDelta::milliseconds(1));
    assert_eq!(ledger[2].0, at(1_005));
    assert_eq!(seen_at(&shop, at(1_001)).await, of(&[("v1", "A", 6)]));
}

async fn rows_are_filtered_and_paged_at_one_moment(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 1), ("v1", wb("B"), 2), ("v2", wb("A"), 3), ("p2-v", wb("A"), 4)]).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.cards(&[plain("q1")]).await;
    other.fbo(&[("q1-v", wb("A"), 5)]).await;
    let moment = at(1_000);
    let all = rows(&shop, &StockFilter::default(), moment).await;
    assert_eq!(all.iter().filter_map(|row| row.available).sum::<i64>(), 15);
    let row = all.iter().find(|row| row.available == Some(2)).unwrap();
    let none = StockFilter::default();
    let units = async |filter: StockFilter| {
        rows(&shop, &filter, moment).await.iter().filter_map(|row| row.available).sum::<i64>()
    };
    assert_eq!(units(StockFilter { account_id: Some(other.account), ..none.clone() }).await, 5);
    assert_eq!(units(StockFilter { product_id: Some(row.product_id), ..none.clone() }).await, 6);
    assert_eq!(units(StockFilter { warehouse_id: Some(row.warehouse_id), ..none.clone() }).await, 2);
    let nothing = StockFilter { account_id: Some(other.account), product_id: Some(row.product_id), ..none };
    assert_eq!(units(nothing.clone()).await, 0);

    // Another company has its own past.
    let stranger = Shop::new(store).await;
    stranger.cards(&[plain("s1")]).await;
    stranger.fbo(&[("s1-v", wb("A"), 8)]).await;
    let theirs = rows(&stranger, &StockFilter::default(), moment).await;
    assert_eq!(theirs.iter().filter_map(|row| row.available).collect::<Vec<_>>(), [8]);
    for filter in [
        StockFilter { account_id: Some(shop.account), ..StockFilter::default() },
        StockFilter { product_id: Some(row.product_id), ..StockFilter::default() },
        StockFilter { warehouse_id: Some(row.warehouse_id), ..StockFilter::default() },
    ] {
        assert!(rows(&stranger, &filter, moment).await.is_empty());
    }

    // A cursor goes on at its own moment, with its own filters.
    let tx = store.read(&shop.owner.scope).await;
    let ages = readings::ages(&tx).await.unwrap();
    let filter = StockFilter::default();
    let begun = stock::as_of(&tx, &filter, moment, &first(2)).await.unwrap();
    let page = PageRequest { limit: 2, cursor: Some(begun.next.unwrap()) };
    assert!(stock::as_of(&tx, &filter, moment, &page).await.is_ok());
    let elsewhere = [
        stock::as_of(&tx, &filter, moment - TimeDelta::microseconds(1), &page).await,
        stock::as_of(&tx, &nothing, moment, &page).await,
        stock::list(&tx, &filter, &page, &ages).await,
    ];
    for refused in elsewhere {
        assert!(matches!(refused, Err(Error::InvalidCursor)), "{refused:?}");
    }
    let begun = stock::list(&tx, &filter, &first(2), &ages).await.unwrap();
    let page = PageRequest { limit: 2, cursor: Some(begun.next.unwrap()) };
    assert!(matches!(stock::as_of(&tx, &filter, moment, &page).await, Err(Error::InvalidCursor)));
    assert!(matches!(stock::list(&tx, &nothing, &page, &ages).await, Err(Error::InvalidCursor)));
}

async fn the_ledger_is_filtered(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 1), ("v1", wb("B"), 2), ("v2", wb("A"), 3)]).await;
    shop.fbo(&[("v1", wb("A"), 4), ("v1", wb("B"), 2), ("v2", wb("A"), 3)]).await;
    let moment = shop.now();
    shop.fbo(&[("v1", wb("A"), 5), ("v1", wb("B"), 6), ("v2", wb("A"), 3)]).await;
    let detail = shop.product("p1").await;
    let product = detail.product.id;
    let tx = store.read(&shop.owner.scope).await;
    let found = async |filter: MovementFilter| {
        let (mut page, mut units) = (first(2), Vec::new());
        loop {
            let part = stock::ledger(&tx, product, &filter, &page).await.unwrap();
            units.extend(part.items.into_iter().filter_map(|movement| movement.to));
            let Some(next) = part.next else { break };
            page.cursor = Some(next);
        }
        units.sort_unstable();
        units
    };
    let all = MovementFilter::default();
    assert_eq!(found(all).await, [1, 2, 3, 4, 5, 6]);
    let variant_id = Some(detail.variants[1].id);
    assert_eq!(found(MovementFilter { variant_id, ..all }).await, [3]);
    let warehouse_id =
        detail.warehouses.iter().find(|place| place.name == "B").map(|place| place.warehouse_id);
    assert_eq!(found(MovementFilter { warehouse_id, ..all }).await, [2, 6]);
    assert_eq!(found(MovementFilter { from: Some(moment), ..all }).await, [5, 6]);
    assert_eq!(found(MovementFilter { to: Some(moment), ..all }).await, [1, 2, 3, 4]);
    assert_eq!(found(MovementFilter { cause: Some(Cause::Sync), ..all }).await.len(), 6);
    assert_eq!(found(MovementFilter { cause: Some(Cause::Import), ..all }).await.len(), 0);
    // Bounds are exact: the moment of a movement itself is not before it.
    let ledger = stock::ledger(&tx, product, &all, &first(10)).await.unwrap().items;
    let last = ledger[0].at;
    assert_eq!(found(MovementFilter { from: Some(last), ..all }).await, [5, 6]);
    assert_eq!(found(MovementFilter { from: Some(last), to: Some(last), ..all }).await, [0; 0]);
    let after = last + TimeDelta::microseconds(1);
    assert_eq!(found(MovementFilter { from: Some(after), ..all }).await, [0; 0]);
    assert_eq!(found(MovementFilter { from: Some(last), to: Some(after), ..all }).await, [5, 6]);

    let begun = stock::ledger(&tx, product, &all, &first(2)).await.unwrap();
    let page = PageRequest { limit: 2, cursor: begun.next };
    let other = MovementFilter { variant_id, ..all };
    assert!(matches!(stock::ledger(&tx, product, &other, &page).await, Err(Error::InvalidCursor)));
}

/// A reading: which side, whether complete, and units by variant and place. A variant without a number is not counted.
type Script = Vec<(bool, bool, BTreeMap<(u8, u8), i64>, Option<u8>)>;

fn scripts() -> impl Strategy<Value = Script> {
    let rows = prop::collection::btree_map((0_u8..3, 0_u8..4), 0_i64..4, 0..6);
    let uncounted = prop::option::weighted(0.3, 0_u8..3);
    prop::collection::vec((any::<bool>(), prop::bool::weighted(0.75), rows, uncounted), 1..9)
}

async fn holds(store: &Store, script: &Script) {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p0", &[("v0", "", &[]), ("v1", "42", &[])]), card("p1", &[("v2", "", &[])])]).await;
    let mut snapshots = Vec::new();
    for (fbo, complete, rows, uncounted) in script {
        let side = if *fbo { Side::Fbo } else { Side::Fbs };
        let rows: Vec<Units> = rows
            .iter()
            .map(|((variant, place), units)| {
                let place = match (side, place) {
                    (Side::Fbo, 0) => masked(),
                    (Side::Fbo, n) => wb(&format!("W{n}")),
                    (Side::Fbs, n) => own(&format!("S{n}")),
                };
                let available = (Some(*variant) != *uncounted).then_some(*units);
                Units { available, ..Units::new(&format!("v{variant}"), place, 0) }
            })
            .collect();
        shop.read_stock(side, *complete, &rows).await;
        // Counting orders clears what nobody needs, and must not clear what the ledger tells of.
        shop.count(at(0)).await;
        snapshots.push((shop.now(), shop.levels().await));
    }
    for (moment, seen) in snapshots {
        let then = seen_at(&shop, moment).await;
        assert_eq!(then, moved(seen, &then), "as of {moment}");
    }
    assert_eq!(seen_at(&shop, at(0) - TimeDelta::days(1)).await, Seen::new());
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
fn sqlite_any_past_moment_is_what_was_seen_then() {
    check(Store::sqlite, 30);
}

#[test]
fn postgres_any_past_moment_is_what_was_seen_then() {
    check(Store::postgres, 8);
}
