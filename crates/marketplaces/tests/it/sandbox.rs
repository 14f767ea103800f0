//! A whole reading of the sandbox marketplace, compared with what it knows to be true, under its limits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use domain::{
    calendar::{Window, Zone},
    clock::{Clock as _, SystemClock},
    marketplace::{Capability, MarketplaceCode, Seller, Side, WarehouseKind},
    reading::{OrderRow, ProductRow, StockRow},
};
use marketplaces::{CatalogueScope, Error, Factory, Settings};
use sandbox::{AccountType, Category, EdgeRows, Options, Sandbox, TokenSpec};

use crate::support::{ALL, Known, World, read_all};

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
    let info = world.connect(token).verify().await?;
    let account = || world.connect_as(token, &info.seller, &info.capabilities);
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
    // Whoever has a report keeps it: a Basic token may fetch it only every quarter of an hour.
    let reader = account();
    let fbo = read_all(async |at| reader.stock(Side::Fbo, &known, at.as_ref()).await).await?;
    let orders = read_all(async |at| account().orders(None, at.as_ref()).await).await?;
    let failed = products.failed + locations.failed + fbs.failed + fbo.failed + orders.failed;
    let (products, fbs, fbo, orders) = (products.rows, fbs.rows, fbo.rows, orders.rows);
    Ok(Account { products, known, fbs, fbo, orders, failed })
}

fn sum(rows: &[StockRow]) -> BTreeMap<i64, i64> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let variant = row.variant_external_id.as_ref().unwrap().parse().unwrap();
        *sums.entry(variant).or_default() += row.available.unwrap();
    }
    sums.retain(|_, units| *units != 0);
    sums
}

/// Whether the limits were kept so well that the marketplace never had to say so.
fn assert_never_limited(sandbox: &Sandbox) {
    let limited: Vec<_> = sandbox.requests().into_iter().filter(|request| request.status == 429).collect();
    assert!(limited.is_empty(), "{limited:?}");
}

/// Whether everything that was called is in the list of what is ever called.
fn assert_calls_are_listed(world: &World) {
    let listed = Factory::operations();
    let heard = world.heard.0.lock().unwrap();
    assert!(!heard.is_empty());
    for (operation, _) in heard.iter() {
        assert!(listed.contains(&(MarketplaceCode::Wildberries, *operation)), "{operation}");
    }
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
            assert!(account.fbo.iter().all(|row| row.location.as_ref().unwrap().kind == kind));

            let window = Window::ending_before(now, Zone::MOSCOW);
            let lines: BTreeMap<_, _> = account.orders.iter().map(|row| (&row.external_id, row)).collect();
            let count = |of: &dyn Fn(&OrderRow) -> bool| lines.values().filter(|row| of(row)).count();
            let day = |row: &OrderRow| Zone::MOSCOW.day_of(row.ordered_at);
            let ordered = count(&|row| window.counts(day(row)) && row.cancelled_at.is_none());
            let cancelled = count(&|row| window.counts(day(row)) && row.cancelled_at.is_some());
            assert_eq!((ordered, cancelled), (truth.total.ordered as usize, truth.total.cancelled as usize));
            assert!(ordered > 0);
        }
        assert_never_limited(&sandbox);
        assert_calls_are_listed(&world);
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
    let account = || world.connect_as(&access.token, &seller, &ALL.into());
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

/// A scale at which three hours are two seconds.
const FAST: f64 = 0.0002;

#[tokio::test]
async fn what_a_basic_token_reads_is_true_and_keeps_to_its_limits() {
    for masked in [true, false] {
        let options = Options {
            sellers: 1,
            masked,
            limit_scale: FAST,
            report_time: Duration::from_millis(50),
            ..Options::default()
        };
        let sandbox = Sandbox::start(Options { speed: 0.0, cards_per_seller: 60, ..options }).await.unwrap();
        let settings = Settings { limit_scale: FAST, ..Settings::default() };
        let url = sandbox.base_url().parse().unwrap();
        let world = World::with(&settings, url, false, Arc::new(SystemClock));
        let spec = TokenSpec { account_type: AccountType::Basic, ..TokenSpec::default() };
        let token = sandbox.issue_token(0, spec).unwrap();
        let now = SystemClock.now();
        let account = read(&world, &token).await.unwrap();
        assert_eq!(account.failed, 0);
        let truth = sandbox.truth(0, now).unwrap();

        // Told by product and size, as the catalogue names it; barcodes lead to the same.
        let sizes: BTreeMap<_, i64> = account
            .products
            .iter()
            .flat_map(|product| product.variants.iter().map(move |size| (product, size)))
            .map(|(p, size)| ((p.external_id.clone(), size.name.clone()), size.external_id.parse().unwrap()))
            .collect();
        let by_barcode: BTreeMap<_, i64> = account
            .products
            .iter()
            .flat_map(|product| &product.variants)
            .flat_map(|size| {
                size.barcodes.iter().map(|code| (code.clone(), size.external_id.parse().unwrap()))
            })
            .collect();
        let (mut stock, mut transit) = (BTreeMap::<i64, i64>::new(), BTreeMap::new());
        for row in &account.fbo {
            let size = sizes[&(row.product_external_id.clone().unwrap(), row.size.clone())];
            assert_eq!(by_barcode.get(row.barcode.as_ref().unwrap()), Some(&size));
            if row.location.is_some() {
                *stock.entry(size).or_default() += row.available.unwrap();
            } else {
                let units = (row.in_transit_to_customer.unwrap(), row.in_transit_returns.unwrap());
                assert_eq!(transit.insert(size, units), None);
            }
        }
        stock.retain(|_, units| *units != 0);
        transit.retain(|_, units| *units != (0, 0));
        let live = || truth.variants.iter().filter(|(_, variant)| variant.active);
        let fbo = live().map(|(id, v)| (*id, i64::from(v.figures.fbo))).filter(|(_, units)| *units != 0);
        assert_eq!(stock, fbo.collect(), "masked: {masked}");
        let on_the_way = live()
            .map(|(id, v)| (*id, (v.figures.in_way_to_client.into(), v.figures.in_way_from_client.into())))
            .filter(|(_, units)| *units != (0, 0));
        assert_eq!(transit, on_the_way.collect(), "masked: {masked}");
        assert!(!account.orders.is_empty());

        assert_eq!(sandbox.reports(0).unwrap().len(), 1, "one report, and one report only");
        assert!(sandbox.requests().iter().all(|request| request.path != "/api/v1/seller-info"));
        assert_calls_are_listed(&world);
        assert_never_limited(&sandbox);
        sandbox.stop().await.unwrap();
    }
}

#[tokio::test]
async fn two_tokens_of_one_seller_keep_to_the_limits_of_each() {
    let options =
        Options { sellers: 1, cards_per_seller: 60, speed: 0.0, limit_scale: FAST, ..Options::default() };
    let sandbox = Sandbox::start(Options { report_time: Duration::ZERO, ..options }).await.unwrap();
    let settings = Settings { limit_scale: FAST, ..Settings::default() };
    let world = World::with(&settings, sandbox.base_url().parse().unwrap(), false, Arc::new(SystemClock));
    let spec = TokenSpec { account_type: AccountType::Basic, ..TokenSpec::default() };
    let basic = sandbox.issue_token(0, spec).unwrap();
    let full = &sandbox.sellers()[0].token;
    let (slow, fast) = tokio::join!(read(&world, &basic), read(&world, full));
    // Whoever asks more often reads the lines at the end of an answer again.
    let ids = |orders: Vec<OrderRow>| orders.into_iter().map(|row| row.external_id).collect::<BTreeSet<_>>();
    assert_eq!(ids(slow.unwrap().orders), ids(fast.unwrap().orders));
    assert_never_limited(&sandbox);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn without_the_category_of_warehouses_their_stock_comes_from_a_report() {
    let sandbox = start(Options { sellers: 1, ..Options::default() }).await;
    let world = world(&sandbox);
    let categories = vec![Category::Content, Category::Analytics];
    let token = sandbox.issue_token(0, TokenSpec { categories, ..TokenSpec::default() }).unwrap();
    let info = world.connect(&token).verify().await.unwrap();
    assert!(!info.capabilities.contains(&Capability::Locations));
    let account = || world.connect_as(&token, &info.seller, &info.capabilities);
    let known = Known::default();
    let fbs = read_all(async |at| account().stock(Side::Fbs, &known, at.as_ref()).await).await.unwrap();
    let truth = sandbox.truth(0, SystemClock.now()).unwrap();
    let expected = truth.variants.iter().map(|(id, variant)| (*id, i64::from(variant.figures.fbs)));
    assert_eq!(sum(&fbs.rows), expected.filter(|(_, units)| *units != 0).collect());
    let places = fbs.rows.iter().map(|row| row.location.as_ref().unwrap());
    assert!(places.into_iter().all(|l| l.kind == WarehouseKind::Seller && l.external_id.is_some()));
    assert_never_limited(&sandbox);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn hosts_are_reached_without_a_credential_and_their_absence_is_told() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let at = |url: &str| Settings { wildberries_base_url: Some(url.parse().unwrap()), ..Settings::default() };
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let reached = marketplaces::reach::all(&at(&sandbox.base_url()), &SystemClock).await.unwrap();
    assert_eq!(reached.len(), 1, "one origin takes the place of all");
    let answer = reached[0].answer.as_ref().unwrap();
    let off = answer.ahead.unwrap().abs();
    assert!(off < chrono::TimeDelta::minutes(1), "{off}");

    // Nobody listens where nothing is bound any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let reached = marketplaces::reach::all(&at(&format!("http://{gone}")), &SystemClock).await.unwrap();
    let error = reached[0].answer.as_ref().unwrap_err();
    assert!(error.contains("refused"), "{error}");
}
