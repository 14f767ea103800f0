use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::{
    figures::Cover,
    ids::{AccountId, ProductId, WarehouseId},
    marketplace::{MarketplaceCode, WarehouseKind},
    money::Currency,
    picture::ProductStatus,
};

const RULE: LowStockRule = LowStockRule { units: 10, days_of_cover: None };

/// Noon in Moscow on 20 November 2026.
fn now() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// A day of that November.
fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

fn place(kind: WarehouseKind, name: &str) -> Place {
    Place { id: WarehouseId::from(uuid::Uuid::nil()), external_id: None, name: name.to_owned(), kind }
}

fn level(kind: WarehouseKind, name: &str, rows: i64, units: i64) -> LevelGroup {
    LevelGroup {
        place: place(kind, name),
        is_active: true,
        is_measured: true,
        is_read: true,
        is_known: true,
        stock: Rows { rows, units },
        to_customer: Rows::default(),
        returns: Rows::default(),
    }
}

fn lines(on: u32, rows: i64, units: i64) -> LineGroup {
    LineGroup {
        is_matched: true,
        day: day(on),
        is_cancelled: false,
        currency: Some(Currency::RUB),
        rows: Rows { rows, units },
        value_minor: units * 100,
    }
}

fn reading(call: &str) -> Reading {
    Reading { as_of: Some(now()), call: Some(call.to_owned()), sync_id: None, has_drifted: false }
}

/// Evidence of a product of two variants whose sides and orders are known and empty.
fn evidence(figures: Figures) -> Evidence {
    let product = Product {
        id: ProductId::generate(),
        account_id: AccountId::generate(),
        marketplace: MarketplaceCode::Wildberries,
        external_id: "1".to_owned(),
        seller_article: None,
        name: None,
        brand: None,
        category: None,
        status: ProductStatus::Active,
        figures,
        updated_at: now(),
    };
    Evidence {
        product,
        zone: Zone::MOSCOW,
        capabilities: [Capability::StockMarketplace, Capability::StockSeller, Capability::Orders].into(),
        sync_interval_minutes: 30,
        running_sync: None,
        fbo: reading("POST /fbo"),
        fbs: reading("POST /fbs"),
        orders: reading("GET /orders"),
        variants: Variants {
            active: 2,
            fbo_known: 2,
            fbs_known: 2,
            orders_known: 2,
            to_customer: Rows { rows: 2, units: 0 },
            returns: Rows { rows: 2, units: 0 },
            ..Variants::default()
        },
        levels: Vec::new(),
        lines: Vec::new(),
        currency: Some(Currency::RUB),
    }
}

fn zeroes() -> Figures {
    Figures {
        fbo_stock: Some(0),
        fbs_stock: Some(0),
        in_transit_to_customer: Some(0),
        in_transit_returns: Some(0),
        ordered_units: Some(0),
        cancelled_units: Some(0),
        ordered_today: Some(0),
        revenue: Some(Money { minor: 0, currency: Currency::RUB }),
        ..Figures::default()
    }
}

fn explain(evidence: &Evidence) -> Explanation {
    Explanation::of(evidence, RULE, now())
}

fn reasons(why: &Why) -> Vec<(Reason, i64, i64)> {
    why.excluded.iter().map(|excluded| (excluded.reason, excluded.rows.rows, excluded.rows.units)).collect()
}

#[test]
fn stock_is_counted_level_by_level() {
    use WarehouseKind::{Aggregate, Marketplace, Seller};
    let stored = Figures { fbo_stock: Some(9), fbs_stock: Some(4), ..zeroes() };
    let mut evidence = evidence(stored);
    evidence.levels = vec![
        level(Marketplace, "A", 2, 5),
        LevelGroup { is_active: false, ..level(Marketplace, "A", 1, 3) },
        level(Aggregate, "All", 1, 1),
        level(Seller, "Home", 1, 4),
        LevelGroup { is_known: false, ..level(Seller, "Home", 1, 7) },
        LevelGroup { is_measured: false, ..level(Seller, "Shop", 2, 0) },
        LevelGroup { is_measured: false, is_read: false, ..level(Marketplace, "B", 1, 0) },
    ];
    let explained = explain(&evidence);
    assert!(explained.agrees(), "{explained:#?}");
    assert_eq!((explained.total_stock.value, explained.fbo_stock.value), (Some(13), Some(9)));
    let counted = explained.fbo_stock.why.counted.as_ref().unwrap();
    assert_eq!(
        (counted.all, counted.of_inactive_variants),
        (Rows { rows: 4, units: 9 }, Some(Rows { rows: 1, units: 3 }))
    );
    let by_name: Vec<_> =
        counted.by_warehouse.iter().map(|(place, rows)| (place.name.as_str(), rows.units)).collect();
    assert_eq!(by_name, [("A", 8), ("All", 1)]);
    assert_eq!(reasons(&explained.fbo_stock.why), [(Reason::NeverMeasured, 1, 0)]);
    assert_eq!(
        reasons(&explained.total_stock.why),
        [(Reason::VariantUnknown, 1, 7), (Reason::NotCounted, 2, 0), (Reason::NeverMeasured, 1, 0)]
    );
    assert_eq!(explained.stock_state.value, Some(StockState::Low));
    assert_eq!(explained.low_stock.value, Some(Verdict::Enough));
}

#[test]
fn a_side_that_is_not_granted_is_unknown_and_its_levels_do_not_count() {
    let mut evidence = evidence(Figures { fbo_stock: None, fbs_stock: Some(4), ..zeroes() });
    evidence.variants.fbo_known = 0;
    evidence.capabilities.remove(&Capability::StockMarketplace);
    evidence.levels = vec![
        LevelGroup { is_known: false, ..level(WarehouseKind::Marketplace, "A", 1, 50) },
        level(WarehouseKind::Seller, "Home", 1, 4),
    ];
    let explained = explain(&evidence);
    assert!(explained.agrees(), "{explained:#?}");
    assert_eq!(explained.fbo_stock.value, None);
    assert_eq!(explained.fbo_stock.why.unknown, Some(Unknown::NotGranted));
    assert_eq!(reasons(&explained.total_stock.why), [(Reason::NotGranted, 1, 50)]);
    assert_eq!(explained.total_stock.why.unknown, None, "the other side is known");
    assert_eq!((explained.total_stock.value, explained.low_stock.value), (Some(4), Some(Verdict::Low)));
    let [fbo, fbs] = &explained.total_stock.why.sources[..] else { panic!("two sides") };
    assert_eq!((fbo.is_granted, fbs.is_granted), (false, true));
    assert_eq!((fbo.variants_unknown, fbs.variants_known), (2, 2));
}

#[test]
fn what_was_never_read_says_so() {
    let mut evidence = evidence(Figures::default());
    evidence.variants = Variants { active: 2, ..Variants::default() };
    (evidence.fbo, evidence.orders) = (Reading::default(), Reading::default());
    evidence.currency = None;
    let explained = explain(&evidence);
    assert!(explained.agrees(), "{explained:#?}");
    assert_eq!(explained.fbo_stock.why.unknown, Some(Unknown::NotRead));
    assert_eq!(explained.fbs_stock.why.unknown, Some(Unknown::NotCounted), "it was read, and told nothing");
    assert_eq!(explained.ordered_units.why.unknown, Some(Unknown::NotRead));
    assert_eq!(explained.velocity_thousandths.why.unknown, Some(Unknown::NotRead));
    assert_eq!(explained.stock_state.why.unknown, Some(Unknown::NotRead));
    assert_eq!(reasons(&explained.in_transit_returns.why), [(Reason::NotTold, 2, 0)]);
    evidence.product.marketplace = MarketplaceCode::Vendure;
    assert_eq!(explain(&evidence).fbo_stock.why.unknown, Some(Unknown::NoSuchSide));
    evidence.variants = Variants::default();
    assert_eq!(explain(&evidence).fbs_stock.why.unknown, Some(Unknown::NoVariants));
}

#[test]
fn lines_count_by_day_and_by_fate() {
    use Reason::{
        AfterToday, BeforeToday, BeforeWindow, Cancelled, NotCancelled, Today, Unmatched, WithoutPrice,
    };

    let stored = Figures {
        ordered_units: Some(5),
        cancelled_units: Some(2),
        ordered_today: Some(3),
        revenue: Some(Money { minor: 400, currency: Currency::RUB }),
        ..zeroes()
    };
    let mut evidence = evidence(stored);
    let usd = Some(Currency::parse("USD").unwrap());
    evidence.lines = vec![
        lines(12, 4, 4),
        lines(13, 1, 1),
        LineGroup { is_cancelled: true, ..lines(14, 2, 2) },
        LineGroup { is_matched: false, ..lines(15, 1, 6) },
        LineGroup { is_matched: false, ..lines(10, 1, 6) },
        lines(19, 2, 3),
        LineGroup { currency: None, value_minor: 0, ..lines(19, 1, 1) },
        lines(20, 1, 3),
        LineGroup { is_cancelled: true, ..lines(20, 1, 1) },
        lines(21, 1, 1),
    ];
    let explained = explain(&evidence);
    assert!(explained.agrees(), "{explained:#?}");
    let window = explained.ordered_units.why.window.unwrap();
    assert_eq!((window.window.first, window.window.last, window.is_current), (day(13), day(19), true));
    let counted = explained.ordered_units.why.counted.as_ref().unwrap();
    assert_eq!(counted.all, Rows { rows: 4, units: 5 });
    assert_eq!(
        counted.by_day,
        [(day(13), Rows { rows: 1, units: 1 }), (day(19), Rows { rows: 3, units: 4 })]
    );
    assert_eq!(
        reasons(&explained.ordered_units.why),
        [(BeforeWindow, 4, 4), (Cancelled, 2, 2), (Unmatched, 1, 6), (Today, 2, 4), (AfterToday, 1, 1)]
    );
    assert_eq!(
        reasons(&explained.cancelled_units.why),
        [(BeforeWindow, 4, 4), (NotCancelled, 4, 5), (Today, 2, 4), (AfterToday, 1, 1)]
    );
    assert_eq!(
        reasons(&explained.ordered_today.why),
        [(BeforeToday, 10, 11), (Cancelled, 1, 1), (AfterToday, 1, 1)]
    );
    assert!(reasons(&explained.revenue.why).contains(&(WithoutPrice, 1, 1)));
    assert_eq!(explained.velocity_thousandths.value, Some(714));
    // A line in another currency would make the sum one of apples and pears.
    evidence.lines.push(LineGroup { currency: usd, ..lines(18, 1, 0) });
    assert!(reasons(&explain(&evidence).revenue.why).contains(&(Reason::OtherCurrency, 1, 0)));
}

#[test]
fn the_window_is_the_one_that_was_counted() {
    let mut evidence = evidence(Figures { ordered_units: Some(4), ordered_today: Some(0), ..zeroes() });
    evidence.product.figures.revenue = Some(Money { minor: 400, currency: Currency::RUB });
    evidence.lines = vec![lines(12, 4, 4)];
    // Read on the 19th: the figures count up to the 18th until the day's turn has been counted.
    evidence.orders.as_of = Some("2026-11-19T09:00:00Z".parse().unwrap());
    let explained = explain(&evidence);
    let window = explained.ordered_units.why.window.unwrap();
    assert!(explained.agrees(), "{explained:#?}");
    assert_eq!((window.window.first, window.window.today, window.is_current), (day(12), day(19), false));
    // Read today, nothing but today's window can be meant, and the figure is wrong.
    evidence.orders.as_of = Some(now());
    let explained = explain(&evidence);
    assert!(!explained.agrees());
    assert_eq!((explained.ordered_units.value, explained.ordered_units.stored), (Some(0), Some(4)));
    assert!(explained.ordered_units.why.window.unwrap().is_current);
    assert!(explained.total_stock.agrees() && !explained.velocity_thousandths.agrees());
    // Read a week ago, they were counted for the last time when the day after began.
    evidence.orders.as_of = Some("2026-11-13T09:00:00Z".parse().unwrap());
    evidence.product.figures.ordered_units = Some(99);
    assert_eq!(explain(&evidence).window.window.today, day(14));
}

#[test]
fn lines_are_looked_at_as_far_back_as_a_window_can_lie() {
    assert_eq!(lines_since(now(), Zone::MOSCOW, None).to_string(), "2026-10-21");
    assert_eq!(lines_since(now(), Zone::MOSCOW, Some(now())).to_string(), "2026-10-21");
    let long_ago = "2026-08-10T09:00:00Z".parse().unwrap();
    assert_eq!(lines_since(now(), Zone::MOSCOW, Some(long_ago)).to_string(), "2026-08-03");
}

#[test]
fn rules_say_the_numbers_that_figures_go_by() {
    assert_eq!(
        Figure::StockState.rule(RULE),
        "By `total_stock`: 0 `out`, 1 to 5 `critical`, 6 to 20 `low`, 21 to 50 `medium`, 51 to 100 `good`, 101 or more \
         `excellent`."
    );
    let by_cover = LowStockRule { units: 7, days_of_cover: Some(3) };
    let rule = Figure::LowStock.rule(by_cover);
    assert!(rule.contains("fewer than 7 units, or less than 3 days of cover"), "{rule}");
    assert!(!Figure::LowStock.rule(RULE).contains("days"));
    for figure in [Figure::OrderedUnits, Figure::CancelledUnits, Figure::VelocityPerDay, Figure::DaysOfCover]
    {
        assert!(figure.rule(RULE).contains(&crate::calendar::WINDOW_DAYS.to_string()), "{figure:?}");
    }
    for figure in Figure::ALL {
        assert!(figure.rule(RULE).ends_with('.'), "{figure:?}");
    }
}

proptest! {
    /// What a rule says in numbers is what the figures do with them.
    #[test]
    fn figures_follow_their_rules(stock in 0_i64..500, ordered in 0_i64..100, units in 1_i64..50, days in prop::option::of(1_i64..20)) {
        let rule = LowStockRule { units, days_of_cover: days };
        let figures = Figures { fbs_stock: Some(stock), ordered_units: Some(ordered), ..Figures::default() };
        let short = days.is_some_and(|days| ordered > 0 && stock * 7 < days * ordered);
        let expected = match stock {
            0 => Verdict::Out,
            _ if stock < units || short => Verdict::Low,
            _ => Verdict::Enough,
        };
        prop_assert_eq!(Verdict::of(rule, &figures), Some(expected));
        prop_assert_eq!(figures.cover(), Cover::of(Some(stock), Some(ordered)));
    }

    /// No row is lost: what counts and what does not are all rows of the product.
    #[test]
    fn every_line_counts_or_has_a_reason(groups in prop::collection::vec((1_u32..29, any::<bool>(), 0_i64..5, 0_i64..9), 0..30)) {
        let mut evidence = evidence(zeroes());
        evidence.lines = groups
            .iter()
            .map(|(on, cancelled, rows, units)| LineGroup { is_cancelled: *cancelled, ..lines(*on, *rows, *units) })
            .collect();
        let all: i64 = groups.iter().map(|(_, _, rows, _)| rows).sum();
        let explained = explain(&evidence);
        for why in [&explained.ordered_units.why, &explained.cancelled_units.why, &explained.ordered_today.why, &explained.revenue.why] {
            let excluded: i64 = why.excluded.iter().map(|excluded| excluded.rows.rows).sum();
            prop_assert_eq!(why.counted.as_ref().unwrap().all.rows + excluded, all);
        }
    }
}
