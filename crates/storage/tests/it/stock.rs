//! Stock: a reading changes nothing until it is applied, and then the whole side at once.

use domain::{
    marketplace::Side,
    picture::{Cause, MovementFilter, StockFilter},
};
use storage::{
    readings,
    stock::{self, Again},
    warehouses,
};

use crate::fixture::{Shop, Store, Units, card, first, masked, on_both_databases, own, plain, wb};

on_both_databases!(
    the_first_reading_is_a_baseline_and_the_next_a_change,
    what_a_complete_reading_does_not_carry_is_zero,
    a_partial_reading_zeroes_nothing,
    the_sides_leave_each_other_alone,
    a_switch_between_masked_and_named_places_does_not_double,
    a_partial_switch_keeps_the_old_figure,
    zero_is_a_measurement_and_unknown_is_not,
    a_variant_that_came_after_the_reading_began_is_not_covered,
    a_variant_that_only_stock_names_has_its_figure_at_once,
    in_transit_is_of_the_variant,
    transit_that_nobody_tells_is_unknown,
    transit_is_told_of_the_variant_alone_too,
    what_nobody_counts_is_unknown_and_the_ledger_says_since_when,
    a_side_whose_marketplace_has_changed_is_stale_at_once,
    applying_the_same_again_writes_nothing,
    rows_that_come_again_replace_and_are_seen,
    rows_that_are_parts_of_one_place_are_added,
    a_reading_thrown_away_leaves_nothing,
    nothing_is_seen_before_the_commit,
    the_list_is_paged_and_filtered,
    the_ledger_is_paged_newest_first,
);

fn owned(rows: &[(&str, &str, Option<i64>, i64)]) -> Vec<(String, String, Option<i64>, i64)> {
    rows.iter().map(|(v, w, from, to)| ((*v).to_owned(), (*w).to_owned(), *from, *to)).collect()
}

async fn shop_of_two(store: &Store) -> Shop<'_> {
    let shop = Shop::new(store).await;
    shop.cards(&[card("p1", &[("v1", "42", &[]), ("v2", "43", &[])])]).await;
    shop
}

async fn the_first_reading_is_a_baseline_and_the_next_a_change(store: &Store) {
    let shop = shop_of_two(store).await;
    assert_eq!(shop.fbo(&[("v1", wb("A"), 5), ("v2", wb("A"), 0)]).await, 2);
    assert_eq!(shop.ledger().await, owned(&[("v1", "A", None, 5), ("v2", "A", None, 0)]));
    assert_eq!(shop.fbo(&[("v1", wb("A"), 3), ("v2", wb("A"), 0), ("v2", wb("B"), 4)]).await, 2);
    assert_eq!(
        shop.ledger().await[2..],
        owned(&[("v1", "A", Some(5), 3), ("v2", "B", Some(0), 4)]),
        "a new place of a known variant held nothing before"
    );
    assert_eq!(shop.products().await["p1"].figures.fbo_stock, Some(7));
}

async fn what_a_complete_reading_does_not_carry_is_zero(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 5), ("v2", wb("A"), 7)]).await;
    assert_eq!(shop.fbo(&[("v1", wb("A"), 5)]).await, 1);
    assert_eq!(shop.ledger().await.last(), owned(&[("v2", "A", Some(7), 0)]).last());
    assert_eq!(shop.levels().await[&("v2".into(), "A".into())], Some(0));
    assert_eq!(shop.products().await["p1"].figures.fbo_stock, Some(5));
    assert_eq!(shop.fbo(&[]).await, 1);
    assert_eq!(shop.products().await["p1"].figures.fbo_stock, Some(0));
    assert_eq!(shop.fbo(&[]).await, 0);
}

async fn a_partial_reading_zeroes_nothing(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 5), ("v1", wb("B"), 1), ("v2", wb("A"), 7)]).await;
    let moved = shop.read_stock(Side::Fbo, false, &[Units::new("v1", wb("A"), 4)]).await;
    assert_eq!(moved, 1);
    assert_eq!(shop.products().await["p1"].figures.fbo_stock, Some(12));
    assert_eq!(shop.levels().await[&("v2".into(), "A".into())], Some(7));
    assert_eq!(shop.read_stock(Side::Fbo, false, &[]).await, 0);
    assert_eq!(shop.products().await["p1"].figures.fbo_stock, Some(12));
}

async fn the_sides_leave_each_other_alone(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    shop.fbs(&[("v1", own("Дом"), 2), ("v2", own("Дом"), 1)]).await;
    let figures = |p: &domain::picture::Product| (p.figures.fbo_stock, p.figures.fbs_stock);
    assert_eq!(figures(&shop.products().await["p1"]), (Some(5), Some(3)));
    shop.fbo(&[]).await;
    assert_eq!(figures(&shop.products().await["p1"]), (Some(0), Some(3)));
    shop.fbs(&[]).await;
    shop.fbo(&[("v2", wb("A"), 9)]).await;
    assert_eq!(figures(&shop.products().await["p1"]), (Some(9), Some(0)));
}

async fn a_switch_between_masked_and_named_places_does_not_double(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", masked(), 10)]).await;
    shop.fbo(&[("v1", wb("A"), 6), ("v1", wb("B"), 4)]).await;
    assert_eq!(shop.products().await["p1"].figures.fbo_stock, Some(10));
    assert_eq!(
        shop.ledger().await[1..],
        owned(&[("v1", "A", Some(0), 6), ("v1", "All", Some(10), 0), ("v1", "B", Some(0), 4)])
    );
    shop.fbo(&[("v1", masked(), 9)]).await;
    assert_eq!(shop.products().await["p1"].figures.fbo_stock, Some(9));
}

/// The parts of what stood as one row are known only when all of them have been read.
async fn a_partial_switch_keeps_the_old_figure(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", masked(), 10), ("v2", masked(), 0)]).await;
    let rows = [Units::new("v1", wb("A"), 6), Units::new("v2", wb("A"), 3)];
    shop.read_stock(Side::Fbo, false, &rows).await;
    let detail = shop.product("p1").await;
    assert_eq!(detail.variants[0].figures.fbo_stock, Some(10), "neither 6 nor 16");
    assert_eq!(detail.variants[1].figures.fbo_stock, Some(3), "nothing stood in the way");
    assert_eq!(store.number("SELECT count(*) AS n FROM stock_reading", []).await, 0);
}

async fn zero_is_a_measurement_and_unknown_is_not(store: &Store) {
    let shop = shop_of_two(store).await;
    let unknown = shop.products().await["p1"].figures.clone();
    assert_eq!((unknown.total_stock(), unknown.incomplete), (None, true));
    assert_eq!((unknown.as_of, unknown.stale), (None, false));
    shop.fbo(&[]).await;
    let known = shop.products().await["p1"].figures.clone();
    assert_eq!((known.fbo_stock, known.fbs_stock, known.incomplete), (Some(0), None, true));
    assert!(known.as_of.is_some());
    shop.fbs(&[]).await;
    assert!(!shop.products().await["p1"].figures.incomplete);
    assert_eq!(shop.ledger().await, Vec::new(), "where nothing was, nothing changed");
}

async fn a_variant_that_came_after_the_reading_began_is_not_covered(store: &Store) {
    let shop = shop_of_two(store).await;
    let sync = shop.begin().await;
    let began_at = shop.now();
    let tx = shop.write().await;
    storage::catalogue::write(&tx, shop.reader(sync), &[plain("late")]).await.unwrap();
    let reading = shop.reading(sync, Side::Fbs, true, began_at);
    stock::apply(&tx, reading).await.unwrap();
    storage::figures::write(&tx, shop.account, shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let products = shop.products().await;
    assert_eq!(products["p1"].figures.fbs_stock, Some(0));
    assert_eq!(products["late"].figures.fbs_stock, None, "nobody asked for it");
}

async fn a_variant_that_only_stock_names_has_its_figure_at_once(store: &Store) {
    let shop = shop_of_two(store).await;
    let row = Units { product: Some("p9".into()), ..Units::new("x1", wb("A"), 4) };
    shop.read_stock(Side::Fbo, true, &[row]).await;
    assert_eq!(shop.products().await["p9"].figures.fbo_stock, Some(4));
}

async fn in_transit_is_of_the_variant(store: &Store) {
    let shop = shop_of_two(store).await;
    let row = |variant, place, available, transit| Units {
        transit: Some(transit),
        ..Units::new(variant, wb(place), available)
    };
    shop.read_stock(Side::Fbo, true, &[row("v1", "A", 5, (2, 1)), row("v1", "B", 0, (3, 0))]).await;
    let figures = |detail: domain::picture::ProductDetail| {
        detail
            .variants
            .iter()
            .map(|v| (v.figures.in_transit_to_customer, v.figures.in_transit_returns))
            .collect::<Vec<_>>()
    };
    let seen = shop.product("p1").await;
    assert_eq!(seen.product.figures.total_stock(), Some(5), "transit is no stock");
    assert_eq!(seen.product.figures.in_transit_to_customer, Some(5));
    assert_eq!(figures(seen), [(Some(5), Some(1)), (Some(0), Some(0))]);
    shop.fbs(&[("v1", own("Дом"), 2)]).await;
    assert_eq!(
        figures(shop.product("p1").await)[0],
        (Some(5), Some(1)),
        "the seller's side knows nothing of it"
    );
    shop.read_stock(Side::Fbo, true, &[row("v2", "A", 1, (0, 0))]).await;
    assert_eq!(figures(shop.product("p1").await), [(Some(0), Some(0)), (Some(0), Some(0))]);
}

async fn transit_that_nobody_tells_is_unknown(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    let figures = shop.products().await["p1"].figures.clone();
    assert_eq!((figures.in_transit_to_customer, figures.in_transit_returns), (None, None));
}

/// A report that names no places for them tells of units on their way in rows of the variant alone.
async fn transit_is_told_of_the_variant_alone_too(store: &Store) {
    let shop = shop_of_two(store).await;
    let alone = |variant, transit| Units {
        place: None,
        available: None,
        transit: Some(transit),
        ..Units::new(variant, wb("A"), 0)
    };
    let placed = |variant, units, transit| Units { transit, ..Units::new(variant, wb("A"), units) };
    let seen = async || {
        let detail = shop.product("p1").await;
        let of = |i: usize| &detail.variants[i].figures;
        let transit = |i| (of(i).in_transit_to_customer, of(i).in_transit_returns);
        (of(0).fbo_stock, transit(0), transit(1))
    };
    shop.read_stock(Side::Fbo, true, &[placed("v1", 5, None), alone("v1", (4, 1)), alone("v2", (0, 2))])
        .await;
    assert_eq!(seen().await, (Some(5), (Some(4), Some(1)), (Some(0), Some(2))));
    assert_eq!(shop.levels().await.len(), 1, "what lies nowhere is no level");
    shop.read_stock(Side::Fbo, true, &[placed("v1", 5, Some((3, 0)))]).await;
    assert_eq!(seen().await, (Some(5), (Some(3), Some(0)), (Some(0), Some(0))), "place by place again");
    shop.read_stock(Side::Fbo, true, &[placed("v1", 5, None), alone("v1", (2, 2))]).await;
    assert_eq!(seen().await, (Some(5), (Some(2), Some(2)), (Some(0), Some(0))), "and not both");
}

async fn what_nobody_counts_is_unknown_and_the_ledger_says_since_when(store: &Store) {
    let shop = shop_of_two(store).await;
    let uncounted = Units { available: None, ..Units::new("v1", own("Дом"), 0) };
    let seen = async || {
        let detail = shop.product("p1").await;
        let figures = detail.product.figures;
        (detail.variants[0].figures.fbs_stock, figures.fbs_stock, figures.incomplete)
    };
    let changes = async || {
        let id = shop.product("p1").await.product.id;
        let tx = store.read(&shop.owner.scope).await;
        let rows = stock::ledger(&tx, id, &MovementFilter::default(), &first(100)).await.unwrap().items;
        rows.into_iter().map(|row| (row.from, row.to)).collect::<Vec<_>>()
    };
    shop.fbo(&[]).await;
    let counted = Units::new("v2", own("Дом"), 3);
    shop.read_stock(Side::Fbs, true, &[uncounted.clone(), counted.clone()]).await;
    assert_eq!(seen().await.0, None);
    assert_eq!(changes().await, [(None, Some(3))], "what was never counted has not changed");
    shop.fbs(&[("v1", own("Дом"), 5), ("v2", own("Дом"), 3)]).await;
    assert_eq!(seen().await, (Some(5), Some(8), false));
    shop.read_stock(Side::Fbs, true, &[uncounted, counted]).await;
    assert_eq!(seen().await.0, None);
    assert_eq!(shop.levels().await.len(), 1, "an unknown level is not listed");
    assert_eq!(changes().await, [(Some(5), None), (None, Some(5)), (None, Some(3))]);
    shop.fbs(&[("v1", own("Дом"), 0), ("v2", own("Дом"), 3)]).await;
    assert_eq!(seen().await, (Some(0), Some(3), false));
    assert_eq!(changes().await[0], (None, Some(0)));
}

async fn a_side_whose_marketplace_has_changed_is_stale_at_once(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    shop.fbs(&[("v1", own("Дом"), 2)]).await;
    let figures = async || shop.products().await["p1"].figures.clone();
    let before = figures().await;
    assert!(!before.stale);
    let tx = shop.write().await;
    readings::note_drift(&tx, shop.account, readings::Subject::Stock(Side::Fbo), shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let after = figures().await;
    assert!(after.stale);
    assert_eq!(
        (after.fbo_stock, after.as_of),
        (Some(5), before.as_of),
        "the figure stays, and so does its age"
    );
    shop.fbo(&[("v1", wb("A"), 6)]).await;
    assert!(!figures().await.stale, "a complete reading ends it");
}

async fn applying_the_same_again_writes_nothing(store: &Store) {
    let shop = shop_of_two(store).await;
    let rows = [("v1", wb("A"), 5), ("v2", wb("B"), 0), ("v1", masked(), 1)];
    shop.fbo(&rows).await;
    let (ledger, levels) = (shop.ledger().await, shop.levels().await);
    let updated = shop.products().await["p1"].updated_at;
    assert_eq!(shop.fbo(&rows).await, 0);
    assert_eq!((shop.ledger().await, shop.levels().await), (ledger, levels));
    assert_eq!(shop.products().await["p1"].updated_at, updated);
}

async fn rows_that_come_again_replace_and_are_seen(store: &Store) {
    let shop = shop_of_two(store).await;
    let sync = shop.begin().await;
    let mut rows_read = 0;
    for page in [
        vec![Units::new("v1", wb("A"), 5), Units::new("v2", wb("A"), 1)],
        vec![Units::new("v1", wb("A"), 6), Units::new("v1", wb("B"), 2)],
    ] {
        let tx = shop.write().await;
        shop.stage(&tx, sync, Side::Fbo, &page).await;
        tx.commit().await.unwrap();
        rows_read += page.len() as u64;
    }
    let tx = shop.write().await;
    assert_eq!(stock::staged(&tx, sync, Side::Fbo).await.unwrap(), 3);
    assert_eq!(rows_read, 4, "so one came twice");
    assert_eq!(stock::staged(&tx, sync, Side::Fbs).await.unwrap(), 0);
    let reading = shop.reading(sync, Side::Fbo, true, shop.now());
    stock::apply(&tx, reading).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shop.levels().await[&("v1".into(), "A".into())], Some(6));
}

async fn rows_that_are_parts_of_one_place_are_added(store: &Store) {
    let shop = shop_of_two(store).await;
    let sync = shop.begin().await;
    let on_the_way =
        |transit| Units { place: None, available: None, transit, ..Units::new("v1", wb("A"), 0) };
    let uncounted = |place| Units { available: None, ..Units::new("v2", place, 0) };
    let tx = shop.write().await;
    for page in [
        vec![Units::new("v1", wb("A"), 5), on_the_way(Some((1, 0))), uncounted(wb("A")), uncounted(wb("B"))],
        vec![
            Units::new("v1", wb("A"), 6),
            on_the_way(Some((2, 3))),
            Units::new("v2", wb("A"), 1),
            uncounted(wb("B")),
        ],
    ] {
        shop.stage_again(&tx, sync, Side::Fbo, &page, Again::Adds).await;
    }
    assert_eq!(stock::staged(&tx, sync, Side::Fbo).await.unwrap(), 4);
    tx.commit().await.unwrap();
    for column in ["in_transit_to_customer", "in_transit_returns"] {
        let units =
            store.number(&format!("SELECT CAST(sum({column}) AS BIGINT) AS n FROM stock_reading"), []).await;
        assert_eq!(units, 3, "{column}");
    }
    let tx = shop.write().await;
    stock::apply(&tx, shop.reading(sync, Side::Fbo, true, shop.now())).await.unwrap();
    tx.commit().await.unwrap();
    let levels = shop.levels().await;
    assert_eq!(levels[&("v1".into(), "A".into())], Some(11));
    assert_eq!(levels[&("v2".into(), "A".into())], Some(1));
    assert_eq!(levels.get(&("v2".into(), "B".into())).copied().flatten(), None, "neither knows");
}

async fn a_reading_thrown_away_leaves_nothing(store: &Store) {
    let shop = shop_of_two(store).await;
    let sync = shop.begin().await;
    let tx = shop.write().await;
    shop.stage(&tx, sync, Side::Fbo, &[Units::new("v1", wb("A"), 5)]).await;
    shop.stage(&tx, sync, Side::Fbs, &[Units::new("v1", own("Дом"), 5)]).await;
    stock::discard(&tx, sync, Side::Fbo).await.unwrap();
    assert_eq!(stock::staged(&tx, sync, Side::Fbo).await.unwrap(), 0);
    assert_eq!(stock::staged(&tx, sync, Side::Fbs).await.unwrap(), 1, "the other side stays");
    tx.commit().await.unwrap();
    assert_eq!(shop.levels().await.len(), 0);
    shop.end(sync).await;
    let left = store.number("SELECT count(*) AS n FROM stock_reading", []).await;
    assert_eq!(left, 0, "a sync that is over leaves no reading behind");
}

async fn nothing_is_seen_before_the_commit(store: &Store) {
    let shop = shop_of_two(store).await;
    let sync = shop.begin().await;
    let tx = shop.write().await;
    shop.stage(&tx, sync, Side::Fbo, &[Units::new("v1", wb("A"), 5)]).await;
    let reading = shop.reading(sync, Side::Fbo, true, shop.now());
    stock::apply(&tx, reading).await.unwrap();
    drop(tx);
    assert_eq!((shop.levels().await.len(), shop.ledger().await.len()), (0, 0));
}

async fn the_list_is_paged_and_filtered(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 1), ("v1", wb("B"), 2), ("v2", wb("A"), 3)]).await;
    shop.fbs(&[("v2", own("Дом"), 4)]).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    other.cards(&[plain("q1")]).await;
    other.fbo(&[("q1-v", wb("A"), 5)]).await;

    let tx = store.read(&shop.owner.scope).await;
    let ages = readings::ages(&tx).await.unwrap();
    let mut page = first(2);
    let mut seen = Vec::new();
    loop {
        let found = stock::list(&tx, &StockFilter::default(), &page, &ages).await.unwrap();
        seen.extend(found.items);
        let Some(next) = found.next else { break };
        page.cursor = Some(next);
    }
    assert_eq!(seen.iter().filter_map(|row| row.available).sum::<i64>(), 15);
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by_key(|row| (row.variant_id, row.warehouse_id)));
    assert!(seen.iter().all(|row| row.as_of.is_some()));

    let units = async |filter: StockFilter| {
        let found = stock::list(&tx, &filter, &first(10), &ages).await.unwrap();
        found.items.iter().filter_map(|row| row.available).sum::<i64>()
    };
    let row = seen.iter().find(|row| row.available == Some(2)).unwrap();
    let none = StockFilter::default();
    assert_eq!(units(StockFilter { account_id: Some(other.account), ..none.clone() }).await, 5);
    assert_eq!(units(StockFilter { product_id: Some(row.product_id), ..none.clone() }).await, 10);
    assert_eq!(units(StockFilter { warehouse_id: Some(row.warehouse_id), ..none.clone() }).await, 2);
    let nothing = StockFilter { account_id: Some(other.account), product_id: Some(row.product_id), ..none };
    assert_eq!(units(nothing).await, 0);
}

async fn the_ledger_is_paged_newest_first(store: &Store) {
    let shop = shop_of_two(store).await;
    for units in [5, 4, 3, 2] {
        shop.fbo(&[("v1", wb("A"), units)]).await;
    }
    let product = shop.products().await["p1"].id;
    let tx = store.read(&shop.owner.scope).await;
    let mut page = first(3);
    let mut seen = Vec::new();
    loop {
        let found = stock::ledger(&tx, product, &MovementFilter::default(), &page).await.unwrap();
        seen.extend(found.items);
        let Some(next) = found.next else { break };
        page.cursor = Some(next);
    }
    let steps: Vec<_> = seen.iter().map(|m| (m.from, m.to)).collect();
    assert_eq!(steps, [(Some(3), Some(2)), (Some(4), Some(3)), (Some(5), Some(4)), (None, Some(5))]);
    assert!(seen.iter().all(|m| m.cause == Cause::Sync && m.sync_id.is_some()));
    assert!(seen.iter().all(|m| m.id.as_uuid().get_version_num() == 7));

    // A cursor is good for its own list only.
    let ages = readings::ages(&tx).await.unwrap();
    let strange = stock::list(&tx, &StockFilter::default(), &page, &ages).await;
    assert!(matches!(strange, Err(storage::Error::InvalidCursor)));
    let places = warehouses::list(&tx, None, &page, &ages).await;
    assert!(matches!(places, Err(storage::Error::InvalidCursor)));
}
