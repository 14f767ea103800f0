//! A Vendure shop from its address to the figures.

use domain::{
    marketplace::AccountState,
    picture::{OrderFilter, ProductStatus},
    sync::SyncState,
};
use secrecy::ExposeSecret as _;
use serde_json::json;
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    product::{Product, all},
    shop::{Shop, Stock, location, order, variant},
};

on_each_database!(
    a_shop_is_read_as_it_is,
    one_change_is_one_line_of_the_ledger,
    stock_that_shifts_while_it_is_read_is_read_again,
    what_is_cancelled_later_moves_its_units,
    a_refusal_names_the_field_that_is_wrong,
    a_shop_is_connected_once,
);

/// Twelve variants in two locations.
fn filled() -> Stock {
    let levels = |id: i64| [("1", 10 + id, 1), ("2", id, 0)];
    let mut variants: Vec<_> = (1..=12).map(|id| variant(id, &levels(id.into()))).collect();
    variants[2]["trackInventory"] = json!("FALSE");
    variants[3]["stockLevels"] = json!([]);
    variants[4]["stockLevels"][0]["stockAllocated"] = json!(99);
    for hidden in &mut variants[10..] {
        hidden["product"]["enabled"] = json!(false);
    }
    let orders = (1..=7).map(|id| order(id, 2, 2, "2026-11-18T10:00:00.000Z")).collect();
    Stock { locations: vec![location("1"), location("2")], variants, orders, lose_after: None }
}

async fn a_shop_is_read_as_it_is(database: TestDatabase) {
    let product = Product::start(database).await;
    let shop = Shop::open(filled());
    let tenant = shop.of_new_company(&product).await;
    let account = product.app.accounts().get(&tenant.caller, tenant.account).await.unwrap();
    assert_eq!(account.state, AccountState::Active);
    assert_eq!(account.last_sync.unwrap().state, SyncState::Completed);

    let stocks = product.stocks(&tenant).await;
    let level = |variant: &str, place: &str| {
        let mut found = stocks.iter().filter(|row| {
            row.external_variant_id == variant && row.warehouse_external_id.as_deref() == Some(place)
        });
        found.next().map(|row| (row.available, row.reserved, row.on_hand))
    };
    assert_eq!(level("1", "1"), Some((Some(10), Some(1), Some(11))));
    assert_eq!(level("1", "2"), Some((Some(1), Some(0), Some(1))));
    assert_eq!((level("3", "1"), level("4", "1")), (None, None), "not tracked, and nowhere");
    assert_eq!(level("5", "1"), Some((Some(0), Some(99), Some(15))), "never less than nothing");

    let products = product.products(&tenant).await;
    let found = |id: &str| products.iter().find(|p| p.external_id == id).unwrap();
    assert_eq!(products.len(), 6);
    assert_eq!(found("1").figures.total_stock(), Some(10 + 1 + 11 + 2));
    assert_eq!((found("1").figures.fbo_stock, found("1").figures.fbs_stock), (None, Some(24)));
    assert!(!found("1").figures.incomplete);
    assert_eq!(found("1").figures.ordered_units, Some(14));
    assert_eq!(found("1").figures.revenue.map(|money| money.minor), Some(140_000));
    let partly = found("2");
    assert_eq!(
        (partly.figures.total_stock(), partly.figures.incomplete),
        (Some(0), true),
        "one counted, one not"
    );
    assert_eq!(found("6").status, ProductStatus::Inactive);
    assert_eq!(found("6").name.as_deref(), Some("Product 6"));
    assert_eq!(found("5").status, ProductStatus::Active);
}

async fn one_change_is_one_line_of_the_ledger(database: TestDatabase) {
    let product = Product::start(database).await;
    let shop = Shop::open(filled());
    let tenant = shop.of_new_company(&product).await;
    let before = product.ledger(&tenant).await;
    let unchanged = product.sync(&tenant).await;
    assert_eq!((unchanged.state, unchanged.counts.movements), (SyncState::Completed, 0));
    shop.stock().variants[0]["stockLevels"][1]["stockOnHand"] = json!(4);
    let changed = product.sync(&tenant).await;
    assert_eq!((changed.state, changed.counts.movements), (SyncState::Completed, 1));
    let ledger = product.ledger(&tenant).await;
    let new: Vec<_> = ledger.iter().filter(|row| row.sync_id == Some(changed.id)).collect();
    assert_eq!(ledger.len(), before.len() + 1);
    assert_eq!(new.iter().map(|row| (row.from, row.to)).collect::<Vec<_>>(), [(Some(1), Some(4))]);
}

async fn stock_that_shifts_while_it_is_read_is_read_again(database: TestDatabase) {
    let product = Product::start(database).await;
    let shop = Shop::open(filled());
    let tenant = shop.of_new_company(&product).await;
    let gone = product.stocks(&tenant).await.iter().filter(|row| row.external_variant_id == "1").count();
    assert_eq!(gone, 2);
    // One question is refused, because it asks for too much.
    shop.stock().lose_after = Some(2);
    let run = product.sync(&tenant).await;
    assert_eq!((run.state, run.error), (SyncState::Completed, None));
    assert_eq!(shop.stock().lose_after, None, "it has gone");
    let stocks = product.stocks(&tenant).await;
    let of = |id: &str| -> Vec<_> {
        stocks.iter().filter(|row| row.external_variant_id == id).map(|row| row.available).collect()
    };
    assert_eq!(of("1"), [Some(0), Some(0)], "what is gone is zero at once");
    assert_eq!(of("2"), [Some(11), Some(2)], "and what stayed is as it was");
}

async fn what_is_cancelled_later_moves_its_units(database: TestDatabase) {
    let product = Product::start(database).await;
    let shop = Shop::open(Stock { orders: vec![order(1, 4, 4, "2026-11-18T10:00:00.000Z")], ..filled() });
    let tenant = shop.of_new_company(&product).await;
    let figures = async || {
        let products = product.products(&tenant).await;
        let figures = &products.iter().find(|p| p.external_id == "1").unwrap().figures;
        (figures.ordered_units, figures.cancelled_units)
    };
    assert_eq!(figures().await, (Some(4), Some(0)));
    for (left, expected) in [(3, (Some(3), Some(1))), (1, (Some(1), Some(3))), (0, (Some(0), Some(4)))] {
        shop.stock().orders = vec![order(1, left, 4, "2026-11-18T10:00:00.000Z")];
        assert_eq!(product.sync(&tenant).await.counts.order_lines, if left == 0 { 1 } else { 2 });
        assert_eq!(figures().await, expected, "{left} left");
    }
    let filter = OrderFilter::default();
    let lines = all(async |page| product.app.catalogue().orders(&tenant.caller, &filter, &page).await).await;
    let mut told: Vec<_> =
        lines.iter().map(|l| (l.external_id.as_str(), l.quantity, l.cancelled_at.is_some())).collect();
    told.sort_unstable();
    assert_eq!(told, [("1:1", 4, true), ("1:1:cancelled", 0, true)]);
}

async fn a_refusal_names_the_field_that_is_wrong(database: TestDatabase) {
    let product = Product::start(database).await;
    let shop = Shop::open(filled());
    let caller = product.company("Shopkeeper").await;
    for (field, value) in [
        ("base_url", "shop.example.com"),
        ("base_url", "ftp://127.0.0.1"),
        ("api_key", "two words"),
        ("channel_token", "another"),
    ] {
        let mut account = shop.account();
        account.credentials.insert(field.to_owned(), value.to_owned().into());
        let error = product.app.accounts().connect(&caller, account).await.unwrap_err();
        let app::Error::CredentialRefused(refusal) = error else { panic!("{error}") };
        assert_eq!(refusal.field, field, "{value}");
    }
    let mut account = shop.account();
    let elsewhere = format!("{}/elsewhere", shop.account().credentials["base_url"].expose_secret());
    account.credentials.insert("base_url".to_owned(), elsewhere.into());
    let error = product.app.accounts().connect(&caller, account).await.unwrap_err();
    let app::Error::CredentialRefused(refusal) = error else { panic!("{error}") };
    assert_eq!(refusal.field, "base_url", "there is no shop beneath that path");
}

async fn a_shop_is_connected_once(database: TestDatabase) {
    let product = Product::start(database).await;
    let shop = Shop::open(Stock::default());
    let caller = product.company("Shopkeeper").await;
    shop.connect(&product, &caller).await;
    let mut again = shop.account();
    again.credentials.insert("api_key".to_owned(), "another:key".to_owned().into());
    let error = product.app.accounts().connect(&caller, again).await.unwrap_err();
    assert!(matches!(error, app::Error::Conflict(app::Conflict::AccountExists)), "{error}");
    // A stranger may connect it too.
    shop.connect(&product, &product.company("Another").await).await;
}
