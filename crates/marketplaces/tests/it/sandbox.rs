//! A whole reading of the sandbox marketplace, compared with what it knows to be true, under its limits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    calendar::Window,
    clock::{Clock as _, SystemClock},
    marketplace::{MarketplaceCode, Seller, Side, WarehouseKind},
    reading::{OrderRow, ProductRow, StockRow},
};
use marketplaces::{CatalogueScope, Error, Settings};
use sandbox::{EdgeRows, Options, Sandbox};

use crate::support::{Known, World, read_all};

/// Makes a limit of 20 s one of 0.2 s, on both sides.
const SCALE: f64 = 0.01;

/// Everything of one account, as a first sync reads it.
struct Account {
    products: Vec<ProductRow>,
    known: Known,
    fbs: Vec<StockRow>,
    fbo: Vec<StockRow>,
    orders: Vec<OrderRow>,
    failed: u64,
}

fn world(sandbox: &Sandbox) -> World {
    let settings = Settings { limit_scale: SCALE, ..Settings::default() };
    let url = sandbox.base_url().parse().unwrap();
    World::with(&settings, url, false, Arc::new(SystemClock))
}

async fn read(world: &World, token: &str) -> Result<Account, Error> {
    let info = world.connect(token, None).verify().await?;
    let account = || world.connect(token, Some(&info.seller));
    let scope = CatalogueScope::Full;
    let products = read_all(async |at| account().products(&scope, at.as_ref()).await).await?;
    let locations = account().locations(None).await?;
    let mut variants: Vec<_> =
        products.rows.iter().flat_map(|row| &row.variants).map(|size| size.external_id.clone()).collect();
    variants.sort();
    let mut warehouses = locations.rows;
    warehouses.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    let known = Known { variants, warehouses };
    let fbs = read_all(async |at| account().stock(Side::Fbs, &known, at.as_ref()).await).await?;
    let fbo = read_all(async |at| account().stock(Side::Fbo, &known, at.as_ref()).await).await?;
    let orders = read_all(async |at| account().orders(None, at.as_ref()).await).await?;
    let failed = products.failed + locations.failed + fbs.failed + fbo.failed + orders.failed;
    let (products, fbs, fbo, orders) = (products.rows, fbs.rows, fbo.rows, orders.rows);
    Ok(Account { products, known, fbs, fbo, orders, failed })
}

fn sum(rows: &[StockRow]) -> BTreeMap<i64, i64> {
    let mut sums = BTreeMap::new();
    for row in rows.iter().filter(|row| row.available != 0) {
        *sums.entry(row.variant_external_id.parse().unwrap()).or_default() += row.available;
    }
    sums
}

/// Whether the limits were kept so well that the marketplace never had to say so.
fn assert_never_limited(sandbox: &Sandbox) {
    let limited: Vec<_> = sandbox.requests().into_iter().filter(|request| request.status == 429).collect();
    assert!(limited.is_empty(), "{limited:?}");
}

async fn start(options: Options) -> Sandbox {
    let small = Options { limit_scale: SCALE, speed: 0.0, sellers: 2, cards_per_seller: 110, ..options };
    Sandbox::start(small).await.unwrap()
}

#[tokio::test]
async fn what_is_read_is_what_is_true() {
    for (masked, edge_rows, orders_page_rows) in [
        (true, EdgeRows::Repeated, 80_000),
        (false, EdgeRows::Skipped, 4000),
        (true, EdgeRows::Repeated, 4000),
    ] {
        let sandbox = start(Options { masked, edge_rows, orders_page_rows, ..Options::default() }).await;
        let world = world(&sandbox);
        for seller in sandbox.sellers() {
            let now = SystemClock.now();
            let account = read(&world, &seller.token).await.unwrap();
            assert_eq!(account.failed, 0);
            let truth = sandbox.truth(seller.index, now).unwrap();
            let live: BTreeMap<_, _> = truth.variants.iter().filter(|(_, variant)| variant.active).collect();
            let read: BTreeSet<i64> = account.known.variants.iter().map(|id| id.parse().unwrap()).collect();
            assert_eq!(read, live.keys().map(|id| **id).collect());
            assert!(account.products.iter().all(|product| !product.removed));

            let expected = |of: fn(&sandbox::Figures) -> u32| -> BTreeMap<i64, i64> {
                let stock = truth.variants.iter().map(|(id, variant)| (*id, i64::from(of(&variant.figures))));
                stock.filter(|(_, units)| *units != 0).collect()
            };
            assert_eq!(sum(&account.fbo), expected(|figures| figures.fbo), "fbo, masked: {masked}");
            assert_eq!(sum(&account.fbs), expected(|figures| figures.fbs), "fbs");
            let kind = if masked { WarehouseKind::Aggregate } else { WarehouseKind::Marketplace };
            assert!(account.fbo.iter().all(|row| row.location.kind == kind));

            let window = Window::ending_before(now, MarketplaceCode::Wildberries.zone());
            let lines: BTreeMap<_, _> = account.orders.iter().map(|row| (&row.external_id, row)).collect();
            let count = |of: &dyn Fn(&OrderRow) -> bool| lines.values().filter(|row| of(row)).count();
            let day = |row: &OrderRow| MarketplaceCode::Wildberries.zone().day_of(row.ordered_at);
            let ordered = count(&|row| window.counts(day(row)) && row.cancelled_at.is_none());
            let cancelled = count(&|row| window.counts(day(row)) && row.cancelled_at.is_some());
            assert_eq!((ordered, cancelled), (truth.total.ordered as usize, truth.total.cancelled as usize));
            assert!(ordered > 0);
        }
        assert_never_limited(&sandbox);
        sandbox.stop().await.unwrap();
    }
}

#[tokio::test]
async fn two_accounts_of_one_seller_share_its_limits() {
    let sandbox = start(Options { sellers: 1, ..Options::default() }).await;
    let world = world(&sandbox);
    let token = &sandbox.sellers()[0].token;
    let (first, second) = tokio::join!(read(&world, token), read(&world, token));
    assert_eq!(first.unwrap().fbo.len(), second.unwrap().fbo.len());
    assert_never_limited(&sandbox);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_changed_catalogue_is_read_from_where_it_was_left() {
    let sandbox = start(Options { sellers: 1, ..Options::default() }).await;
    let world = world(&sandbox);
    let access = sandbox.sellers().remove(0);
    let seller = Seller { external_id: access.sid.to_string(), name: access.name };
    let account = || world.connect(&access.token, Some(&seller));
    let full = CatalogueScope::Full;
    let first = read_all(async |at| account().products(&full, at.as_ref()).await).await.unwrap();
    let since = CatalogueScope::Since(first.watermark.unwrap());
    let second = read_all(async |at| account().products(&since, at.as_ref()).await).await.unwrap();

    let added = sandbox.add_card(access.index).unwrap();
    let thrown_away = first.rows[0].external_id.clone();
    sandbox.trash_card(access.index, thrown_away.parse().unwrap()).unwrap();
    let since = CatalogueScope::Since(second.watermark.unwrap());
    let third = read_all(async |at| account().products(&since, at.as_ref()).await).await.unwrap();
    let seen: BTreeSet<_> = third.rows.iter().map(|row| (row.external_id.clone(), row.removed)).collect();
    assert!(seen.contains(&(added.nm_id.to_string(), false)), "{seen:?}");
    assert!(seen.contains(&(thrown_away, true)), "{seen:?}");
    sandbox.stop().await.unwrap();
}
