//! The rows beneath a product's figures, as they are grouped for explaining them.

use domain::{
    explain::{Evidence, Explanation, Reason, RowKind, Rows, Unknown, Verdict},
    figures::Staleness,
    ids::{ProductId, SyncId},
    marketplace::{Capability, Side},
    money::{Currency, Money},
    reading::OrderRow,
    sync::Phase,
    tenant::LowStockRule,
};
use storage::{
    accounts, explain, figures,
    readings::{self, Subject},
    syncs::{self, Step, StepState},
};

use crate::fixture::{
    Shop, Store, Units, at, card, masked, on_both_databases, order, own, plain, wb, wholly,
};

on_both_databases!(
    figures_are_counted_from_levels_and_lines,
    what_is_unknown_says_why,
    lines_that_name_no_variant_are_told_of,
    a_reading_is_told_with_its_call_its_age_and_its_sync,
    a_figure_that_the_rows_do_not_come_to_is_found,
    nobody_elses_product_is_explained,
);

async fn evidence(shop: &Shop<'_>, product: ProductId) -> Option<Evidence> {
    let tx = shop.store.read(&shop.owner.scope).await;
    explain::evidence(&tx, product, at(0)).await.unwrap()
}

async fn explained(shop: &Shop<'_>, product: &str) -> Explanation {
    let id = shop.products().await[product].id;
    let evidence = evidence(shop, id).await.expect("the product");
    Explanation::of(&evidence, LowStockRule::default(), at(0))
}

/// What the account's credential grants.
async fn grant(shop: &Shop<'_>, capabilities: &[Capability]) {
    let tx = shop.write().await;
    accounts::set_capabilities(&tx, shop.account, &capabilities.iter().copied().collect()).await.unwrap();
    tx.commit().await.unwrap();
}

const ALL: [Capability; 4] =
    [Capability::Products, Capability::StockMarketplace, Capability::StockSeller, Capability::Orders];

async fn shop_of_two(store: &Store) -> Shop<'_> {
    let shop = Shop::new(store).await;
    grant(&shop, &ALL).await;
    shop.cards(&[card("p1", &[("v1", "42", &["b1"]), ("v2", "43", &["b2"])]), plain("p2")]).await;
    shop
}

async fn figures_are_counted_from_levels_and_lines(store: &Store) {
    let shop = shop_of_two(store).await;
    let transit = |units: Units, out, back| Units { transit: Some((out, back)), ..units };
    let rows = [
        transit(Units::new("v1", wb("A"), 5), 2, 1),
        transit(Units::new("v2", wb("A"), 4), 0, 0),
        transit(Units::new("v2", masked(), 0), 3, 0),
        transit(Units::new("p2-v", wb("A"), 100), 9, 9),
    ];
    shop.read_stock(Side::Fbo, true, &rows).await;
    shop.fbs(&[("v1", own("Home"), 3)]).await;
    let (yesterday, long_ago, today) = (at(-24 * 60), at(-9 * 24 * 60), at(-10));
    shop.orders(&[
        OrderRow { quantity: 2, location: Some(wb("B")), ..order("o1", "v1", yesterday) },
        order("o2", "v2", yesterday),
        OrderRow { cancelled_at: Some(at(-20)), ..order("o3", "v2", yesterday) },
        OrderRow { price: None, list_price: None, ..order("o4", "v2", at(-2 * 24 * 60)) },
        order("o5", "v1", long_ago),
        order("o6", "v1", today),
        order("o7", "p2-v", yesterday),
        order("o8", "v1", at(-300 * 24 * 60)),
    ])
    .await;
    shop.count(at(0)).await;
    let told = explained(&shop, "p1").await;
    assert!(told.agrees(), "{told:#?}");
    assert_eq!(
        (told.fbo_stock.value, told.fbs_stock.value, told.total_stock.value),
        (Some(9), Some(3), Some(12))
    );
    assert_eq!((told.in_transit_to_customer.value, told.in_transit_returns.value), (Some(5), Some(1)));
    assert_eq!(
        (told.ordered_units.value, told.cancelled_units.value, told.ordered_today.value),
        (Some(4), Some(1), Some(1))
    );
    assert_eq!(told.revenue.value, Some(Money { minor: 30_000, currency: Currency::RUB }));
    assert_eq!((told.variants.active, told.variants.inactive), (2, 0));
    assert_eq!(told.low_stock.value, Some(Verdict::Enough));

    let counted = told.fbo_stock.why.counted.clone().unwrap();
    assert_eq!((counted.kind, counted.all), (RowKind::Levels, Rows { rows: 3, units: 9 }));
    let places: Vec<_> = counted
        .by_warehouse
        .iter()
        .map(|(place, rows)| (place.name.as_str(), rows.rows, rows.units))
        .collect();
    assert_eq!(places.len(), 2);
    assert!(places.contains(&("A", 2, 9)) && places.contains(&("All", 1, 0)), "{places:?}");
    let never: Vec<_> = told.fbo_stock.why.excluded.iter().map(|e| (e.reason, e.rows.rows)).collect();
    assert_eq!(never, [(Reason::NeverMeasured, 1)], "orders were sent from there");
    let transit = told.in_transit_to_customer.why.counted.clone().unwrap();
    assert_eq!((transit.kind, transit.all), (RowKind::Variants, Rows { rows: 2, units: 5 }));
    assert_eq!(transit.by_warehouse.iter().map(|(_, rows)| rows.units).sum::<i64>(), 5);

    let lines = told.ordered_units.why.counted.clone().unwrap();
    assert_eq!((lines.kind, lines.all), (RowKind::OrderLines, Rows { rows: 3, units: 4 }));
    assert_eq!(lines.by_day.len(), 2);
    let reasons: Vec<_> = told.ordered_units.why.excluded.iter().map(|e| (e.reason, e.rows)).collect();
    let one = Rows { rows: 1, units: 1 };
    assert_eq!(
        reasons,
        [(Reason::BeforeWindow, one), (Reason::Cancelled, one), (Reason::Today, one)],
        "and what was ordered long ago is not looked at"
    );
    let unpriced: Vec<_> =
        told.revenue.why.excluded.iter().filter(|e| e.reason == Reason::WithoutPrice).collect();
    assert_eq!(unpriced.len(), 1);
    let window = told.ordered_units.why.window.unwrap();
    assert_eq!((window.window.first.to_string(), window.is_current), ("2026-11-13".to_owned(), true));
}

async fn what_is_unknown_says_why(store: &Store) {
    let shop = shop_of_two(store).await;
    let told = explained(&shop, "p1").await;
    assert!(told.agrees(), "{told:#?}");
    assert_eq!(told.total_stock.why.unknown, Some(Unknown::NotRead));
    assert_eq!(told.ordered_units.why.unknown, Some(Unknown::NotRead));

    let uncounted = Units { available: None, ..Units::new("v1", own("Home"), 0) };
    shop.read_stock(Side::Fbs, true, &[uncounted, Units::new("v2", own("Home"), 3)]).await;
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    shop.count(at(0)).await;
    let told = explained(&shop, "p1").await;
    assert!(told.agrees(), "{told:#?}");
    assert_eq!((told.fbs_stock.value, told.fbs_stock.why.unknown), (Some(3), None));
    let reasons: Vec<_> = told.fbs_stock.why.excluded.iter().map(|e| (e.reason, e.rows.rows)).collect();
    assert_eq!(reasons, [(Reason::NotCounted, 1)]);
    let source = &told.fbs_stock.why.sources[0];
    assert_eq!((source.variants_known, source.variants_unknown), (1, 1));

    grant(&shop, &[Capability::Products, Capability::StockSeller, Capability::Orders]).await;
    let tx = shop.write().await;
    figures::forget(&tx, shop.account, Subject::Stock(Side::Fbo), at(0)).await.unwrap();
    tx.commit().await.unwrap();
    let told = explained(&shop, "p1").await;
    assert!(told.agrees(), "{told:#?}");
    assert_eq!((told.fbo_stock.value, told.fbo_stock.why.unknown), (None, Some(Unknown::NotGranted)));
    let reasons: Vec<_> = told.fbo_stock.why.excluded.iter().map(|e| (e.reason, e.rows)).collect();
    assert_eq!(reasons, [(Reason::NotGranted, Rows { rows: 1, units: 5 })]);
    assert_eq!(told.total_stock.value, Some(3));
}

async fn lines_that_name_no_variant_are_told_of(store: &Store) {
    let shop = shop_of_two(store).await;
    let lost = |id: &str, product: &str| OrderRow {
        variant_external_id: None,
        product_external_id: Some(product.to_owned()),
        size: Some("99".to_owned()),
        quantity: 3,
        ..order(id, "", at(-24 * 60))
    };
    shop.orders(&[
        lost("o1", "p1"),
        lost("o2", "p1"),
        lost("o3", "elsewhere"),
        order("o4", "v1", at(-24 * 60)),
    ])
    .await;
    assert_eq!(shop.count(at(0)).await, 9);
    let told = explained(&shop, "p1").await;
    assert!(told.agrees(), "{told:#?}");
    assert_eq!(told.ordered_units.value, Some(1));
    let reasons: Vec<_> = told.ordered_units.why.excluded.iter().map(|e| (e.reason, e.rows)).collect();
    assert_eq!(reasons, [(Reason::Unmatched, Rows { rows: 2, units: 6 })]);
}

/// Lets a sync read the marketplace's side from a moment on.
async fn sync_of_fbo(shop: &Shop<'_>, began: i64, state: StepState) -> SyncId {
    let sync = shop.begin().await;
    let tx = shop.write().await;
    let step = Step { state, ..Step::beginning(Phase::StockMarketplace, None, at(began)) };
    syncs::save_step(&tx, sync, &step).await.unwrap();
    if state == StepState::Complete {
        readings::complete(&tx, shop.account, Subject::Stock(Side::Fbo), wholly(at(began))).await.unwrap();
    }
    tx.commit().await.unwrap();
    shop.end(sync).await;
    sync
}

async fn a_reading_is_told_with_its_call_its_age_and_its_sync(store: &Store) {
    let shop = shop_of_two(store).await;
    let source = async || explained(&shop, "p1").await.fbo_stock.why.sources.remove(0);
    assert_eq!(source().await.reading, domain::explain::Reading::default());
    sync_of_fbo(&shop, -50, StepState::Complete).await;
    let sync = sync_of_fbo(&shop, -40, StepState::Complete).await;
    sync_of_fbo(&shop, -30, StepState::Failed).await;
    let told = source().await;
    assert_eq!(
        (told.reading.as_of, told.reading.call.as_deref(), told.reading.sync_id, told.stale),
        (Some(at(-40)), Some("GET /test"), Some(sync), None)
    );
    sync_of_fbo(&shop, -120, StepState::Complete).await;
    assert_eq!(source().await.stale, Some(Staleness::TooOld));
    let tx = shop.write().await;
    readings::note_drift(&tx, shop.account, Subject::Stock(Side::Fbo), at(-1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(source().await.stale, Some(Staleness::ContractChanged));
    assert_eq!(explained(&shop, "p1").await.running_sync, None);
    let running = shop.begin().await;
    assert_eq!(explained(&shop, "p1").await.running_sync, Some(running));
    shop.end(running).await;
    // What no sync has read has none.
    let tx = shop.write().await;
    readings::complete(&tx, shop.account, Subject::Stock(Side::Fbo), wholly(at(-7))).await.unwrap();
    tx.commit().await.unwrap();
    let told = source().await;
    assert_eq!((told.reading.as_of, told.reading.sync_id), (Some(at(-7)), None));
}

async fn a_figure_that_the_rows_do_not_come_to_is_found(store: &Store) {
    let shop = shop_of_two(store).await;
    shop.fbo(&[("v1", wb("A"), 5)]).await;
    shop.fbs(&[]).await;
    shop.orders(&[order("o1", "v1", at(-24 * 60))]).await;
    shop.count(at(0)).await;
    assert!(explained(&shop, "p1").await.agrees());
    for (break_it, mend_it) in [
        (
            "UPDATE product SET fbo_stock = 6, total_stock = 6",
            "UPDATE product SET fbo_stock = 5, total_stock = 5",
        ),
        ("UPDATE variant SET fbo_stock = fbo_stock + 6", "UPDATE variant SET fbo_stock = fbo_stock - 6"),
        ("UPDATE stock_level SET available = 7", "UPDATE stock_level SET available = 5"),
        ("UPDATE order_line SET quantity = 2", "UPDATE order_line SET quantity = 1"),
        ("UPDATE product SET revenue_minor = 1", "UPDATE product SET revenue_minor = 10000"),
    ] {
        let run = async |sql: &str| {
            let of_p1 = if sql.contains("UPDATE product") { " AND external_id = 'p1'" } else { "" };
            let tenant = [shop.owner.id.as_uuid().into()];
            assert!(store.run(&format!("{sql} WHERE tenant_id = $1{of_p1}"), tenant).await > 0, "{sql}");
        };
        run(break_it).await;
        let told = explained(&shop, "p1").await;
        // A variant's own figure is no row of the product's: the product is the sum of the levels still.
        assert_eq!(told.agrees(), break_it.contains("variant"), "{break_it}: {told:#?}");
        run(mend_it).await;
        assert!(explained(&shop, "p1").await.agrees(), "{mend_it}");
    }
}

async fn nobody_elses_product_is_explained(store: &Store) {
    let (shop, other) = (shop_of_two(store).await, Shop::new(store).await);
    let product = shop.products().await["p1"].id;
    assert!(evidence(&shop, product).await.is_some());
    assert!(evidence(&other, product).await.is_none());
}
