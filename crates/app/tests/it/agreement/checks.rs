//! What must be the same wherever it is shown.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    analytics::Population,
    clock::Clock as _,
    explain::{Explanation, Subject, Verdict},
    figures::{Figures, StockState},
    ids::{ProductId, VariantId, WarehouseId},
    marketplace::Side,
    page::PageRequest,
    picture::{
        MovementFilter, Product as Listed, ProductDetail, ProductFilter, ProductSort, ProductStatus,
        SortOrder, Stock, StockFilter,
    },
};

use super::Levels;
use crate::product::{Product, Tenant, all};

/// What is available, but for places that never held anything: nothing happened there that a ledger could tell.
pub(super) fn moved(levels: &Levels, told: &Levels) -> Levels {
    let moved = levels.iter().filter(|(key, units)| **units != 0 || told.contains_key(*key));
    moved.map(|(key, units)| (*key, *units)).collect()
}

/// Checks that every figure is the same wherever it is shown.
pub(super) async fn agree(product: &Product, tenant: &Tenant) {
    let products = product.products(tenant).await;
    let stocks = product.stocks(tenant).await;
    let mut explanations = HashMap::new();
    for listed in &products {
        let detail =
            product.app.catalogue().product(&tenant.caller, listed.id).await.expect("a listed product");
        assert_eq!(detail.product, *listed, "list and detail");
        let rows: Vec<&Stock> = stocks.iter().filter(|row| row.product_id == listed.id).collect();
        parts_are_totals(&detail, &rows);
        let explanation = product.app.catalogue().explain(&tenant.caller, listed.id).await.expect("the same");
        explained_as_shown(listed, &explanation);
        explanations.insert(listed.id, explanation);
    }
    the_ledger_tells_the_levels(product, tenant, &products, &stocks).await;
    analytics_add_up(product, tenant, &products, &explanations).await;
    exports_are_the_lists(product, tenant, &products, &stocks).await;
}

/// Whether every figure is what its rows come to.
pub(super) async fn explained(product: &Product, tenant: &Tenant) -> bool {
    for listed in product.products(tenant).await {
        let explanation =
            product.app.catalogue().explain(&tenant.caller, listed.id).await.expect("a product");
        if !explanation.agrees() {
            return false;
        }
    }
    true
}

const fn of_side(figures: &Figures, side: Side) -> Option<i64> {
    match side {
        Side::Fbo => figures.fbo_stock,
        Side::Fbs => figures.fbs_stock,
    }
}

/// A product is the sum of its variants, and each side of a variant the sum of its rows; what lies in a warehouse is the
/// sum of its rows too.
fn parts_are_totals(detail: &ProductDetail, rows: &[&Stock]) {
    let whole = &detail.product.figures;
    let sum = |figure: fn(&Figures) -> Option<i64>| {
        detail.variants.iter().filter_map(|variant| figure(&variant.figures)).reduce(|a, b| a + b)
    };
    for (name, figure) in [
        ("fbo_stock", (|f| f.fbo_stock) as fn(&Figures) -> Option<i64>),
        ("fbs_stock", |f| f.fbs_stock),
        ("total_stock", Figures::total_stock),
        ("in_transit_to_customer", |f| f.in_transit_to_customer),
        ("in_transit_returns", |f| f.in_transit_returns),
        ("ordered_units", |f| f.ordered_units),
        ("cancelled_units", |f| f.cancelled_units),
        ("ordered_today", |f| f.ordered_today),
        ("revenue", |f| f.revenue.map(|money| money.minor)),
    ] {
        assert_eq!(figure(whole), sum(figure), "{name} of {}", detail.product.external_id);
    }
    for variant in &detail.variants {
        for side in [Side::Fbo, Side::Fbs] {
            let there =
                rows.iter().filter(|row| row.variant_id == variant.id && row.warehouse_kind.side() == side);
            let units: i64 = there.filter_map(|row| row.available).sum();
            if let Some(known) = of_side(&variant.figures, side) {
                assert_eq!(known, units, "{side:?} of {}", variant.external_id);
            }
        }
    }
    let mut by_warehouse: BTreeMap<WarehouseId, (Option<i64>, Option<i64>)> = BTreeMap::new();
    let add = |a: &mut Option<i64>, b: Option<i64>| *a = a.map_or(b, |a| Some(a + b.unwrap_or(0)));
    for row in rows {
        let (available, ordered) = by_warehouse.entry(row.warehouse_id).or_default();
        add(available, row.available);
        add(ordered, row.ordered_units);
    }
    let shown: BTreeMap<_, _> = detail
        .warehouses
        .iter()
        .map(|place| (place.warehouse_id, (place.available, place.ordered_units)))
        .collect();
    assert_eq!(shown, by_warehouse, "warehouses of {}", detail.product.external_id);
}

/// An explanation stores what the list shows; what it counts is the same, as far as orders can be counted at all.
fn explained_as_shown(listed: &Listed, told: &Explanation) {
    let (figures, name) = (&listed.figures, &listed.external_id);
    assert_eq!(told.product, *listed);
    assert_eq!(told.running_sync, None);
    for (explained, shown) in [
        (&told.total_stock, figures.total_stock()),
        (&told.fbo_stock, figures.fbo_stock),
        (&told.fbs_stock, figures.fbs_stock),
        (&told.in_transit_to_customer, figures.in_transit_to_customer),
        (&told.in_transit_returns, figures.in_transit_returns),
    ] {
        assert_eq!((explained.value, explained.stored), (shown, shown), "{name}: {}", explained.why.rule);
        assert_eq!(shown.is_none(), explained.why.unknown.is_some(), "{name}: {}", explained.why.rule);
    }
    assert_eq!(told.stock_state.value, figures.stock_state(), "{name}");
    let why = &told.total_stock.why;
    assert_eq!((why.as_of(), why.is_stale()), (figures.as_of, figures.stale), "{name}");
    assert_eq!(told.ordered_units.stored, figures.ordered_units, "{name}");
    assert_eq!(told.velocity_thousandths.stored, figures.velocity_thousandths(), "{name}");
    assert_eq!(told.cover_tenths.stored, figures.cover().tenths, "{name}");
    // Orders that have not been read completely since yesterday are not counted: lines that failing syncs have read
    // since then wait for the next good one.
    let orders = told.ordered_units.why.sources.iter().find(|source| source.subject == Subject::Orders);
    let read_at = orders.and_then(|source| source.reading.as_of);
    let zone = told.window.zone;
    let are_counted = read_at.is_some_and(|at| zone.day_of(at).succ_opt() >= Some(zone.day_of(told.at)));
    if are_counted || figures.ordered_units.is_none() {
        assert!(told.agrees(), "{name}: {told:#?}");
        assert!(told.window.is_current, "{name}: {:?}", told.window);
    }
}

/// The newest movement of a level left what is there, and all of them come to it.
async fn the_ledger_tells_the_levels(
    product: &Product,
    tenant: &Tenant,
    products: &[Listed],
    stocks: &[Stock],
) {
    let mut sums: Levels = BTreeMap::new();
    let mut newest: BTreeMap<(VariantId, WarehouseId), Option<i64>> = BTreeMap::new();
    for listed in products {
        let every = MovementFilter::default();
        let catalogue = product.app.catalogue();
        let history = async |page| catalogue.history(&tenant.caller, listed.id, &every, &page).await;
        for movement in all(history).await {
            let key = (movement.variant_id, movement.warehouse_id);
            *sums.entry(key).or_default() += movement.to.unwrap_or(0) - movement.from.unwrap_or(0);
            newest.entry(key).or_insert(movement.to);
        }
    }
    let levels: Levels =
        stocks.iter().filter_map(|row| Some(((row.variant_id, row.warehouse_id), row.available?))).collect();
    assert_eq!(sums, moved(&levels, &sums), "stock rows and the sum of the ledger");
    let newest: Levels = newest.into_iter().filter_map(|(key, units)| Some((key, units?))).collect();
    assert_eq!(newest, moved(&levels, &newest), "stock rows and the newest of the ledger");
    let (filter, now) = (StockFilter::default(), product.clock.now());
    let catalogue = product.app.catalogue();
    let list = async |page| catalogue.stocks_as_of(&tenant.caller, &filter, now, &page).await;
    let as_of_now: Levels = all(list)
        .await
        .iter()
        .filter_map(|row| Some(((row.variant_id, row.warehouse_id), row.available?)))
        .collect();
    assert_eq!(as_of_now, newest, "stock as of now");
}

/// Analytics are sums over the active products of the list.
async fn analytics_add_up(
    product: &Product,
    tenant: &Tenant,
    products: &[Listed],
    explanations: &HashMap<ProductId, Explanation>,
) {
    let analytics = product.app.analytics();
    let active: Vec<&Listed> = products.iter().filter(|p| p.status == ProductStatus::Active).collect();
    let stock: i64 = active.iter().filter_map(|p| p.figures.total_stock()).sum();
    let ordered: i64 = active.iter().filter_map(|p| p.figures.ordered_units).sum();
    let verdicts = |verdict| {
        let judged = active.iter().filter(|p| explanations[&p.id].low_stock.stored == Some(verdict));
        judged.map(|p| p.id).collect::<BTreeSet<_>>()
    };
    let (low, out) = (verdicts(Verdict::Low), verdicts(Verdict::Out));
    let dashboard = analytics.dashboard(&tenant.caller).await.expect("a dashboard");
    assert_eq!(dashboard.total_products, count(active.len()));
    assert_eq!((dashboard.total_stock, dashboard.total_orders), (stock, ordered), "dashboard");
    let counted = (dashboard.low_stock_count, dashboard.out_of_stock_count);
    assert_eq!(counted, (count(low.len()), count(out.len())), "low and out of the dashboard");

    let filter = ProductFilter {
        low_stock_only: true,
        status: Some(ProductStatus::Active),
        ..ProductFilter::default()
    };
    let query = app::ProductQuery { filter, ..app::ProductQuery::default() };
    let short = all(async |page| product.app.catalogue().products(&tenant.caller, &query, &page).await).await;
    let short: BTreeSet<ProductId> = short.iter().map(|p| p.id).collect();
    assert_eq!(short, low.union(&out).copied().collect(), "low_stock_only and the verdicts");

    let everything = Population::default();
    let distribution =
        analytics.stock_distribution(&tenant.caller, everything).await.expect("a distribution");
    for step in StockState::ALL {
        let there = active.iter().filter(|p| p.figures.stock_state() == Some(step)).count();
        assert_eq!(distribution.of(step), count(there), "{step:?}");
    }
    assert_eq!(distribution.products(), count(active.len()));

    let page = PageRequest { limit: 100, cursor: None };
    let order = (ProductSort::Name, SortOrder::Ascending);
    let turnover = analytics.turnover(&tenant.caller, everything, order, &page).await.expect("a turnover");
    assert_eq!(turnover.totals.total_stock.unwrap_or(0), stock, "turnover");
    assert_eq!(turnover.totals.ordered_units.unwrap_or(0), ordered, "turnover");
    let shown: BTreeMap<_, _> = turnover.products.items.iter().map(|p| (p.id, p)).collect();
    assert_eq!(shown, active.iter().map(|p| (p.id, *p)).collect(), "products of the turnover");
    let top = all(async |page| analytics.top_products(&tenant.caller, everything, &page).await).await;
    let sold: i64 = top.iter().filter_map(|p| p.figures.ordered_units).sum();
    assert_eq!(sold, ordered, "top products");

    let places = all(async |page| analytics.warehouses(&tenant.caller, everything, &page).await).await;
    let there: i64 = places.iter().filter_map(|place| place.total_stock).sum();
    assert_eq!(there, stock, "warehouses");
}

fn count(number: usize) -> i64 {
    i64::try_from(number).expect("a few")
}

/// What is taken out is what is shown.
async fn exports_are_the_lists(product: &Product, tenant: &Tenant, products: &[Listed], stocks: &[Stock]) {
    let exports = product.app.exports();
    let mut export = exports.stocks(&tenant.caller, StockFilter::default(), None).await.expect("an export");
    let mut rows = Vec::new();
    while let Some(part) = export.next().await.expect("rows") {
        rows.extend(part);
    }
    assert_eq!(rows, stocks, "stock rows and their export");
    drop(export);
    let mut export = exports.products(&tenant.caller, app::ProductQuery::default()).await.expect("an export");
    let mut rows = Vec::new();
    while let Some(part) = export.next().await.expect("rows") {
        rows.extend(part);
    }
    let listed: Vec<Listed> = rows.iter().map(|(listed, _)| listed.clone()).collect();
    assert_eq!(listed, products, "products and their export");
    for (listed, places) in rows {
        let there: i64 =
            stocks.iter().filter(|row| row.product_id == listed.id).filter_map(|row| row.available).sum();
        assert_eq!(
            places.iter().filter_map(|place| place.available).sum::<i64>(),
            there,
            "exported warehouses"
        );
    }
}
