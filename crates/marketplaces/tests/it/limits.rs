//! Keeping to the marketplace's limits.

use std::time::Duration;

use domain::marketplace::Side;
use marketplaces::{CallOutcome, CatalogueScope, Error, Settings};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    server::{Reply, Server},
    support::{ALL, BASIC, Known, SERVICE, Told, World, read_all},
};

fn limited(seconds: &str) -> Reply {
    Reply::status(429).header("X-Ratelimit-Retry", seconds)
}

#[tokio::test]
async fn a_long_wait_goes_back_to_the_caller_at_once() {
    let server = Server::start(|_| limited("90"));
    let world = World::new(server.url());
    let error = world.account("s").orders(None, None).await.unwrap_err();
    let Error::RateLimited { retry_after, group: "orders" } = error else { panic!("{error}") };
    assert_eq!(retry_after, Duration::from_secs(90), "as the marketplace says, whatever the scale");

    let error = world.account("s").orders(None, None).await.unwrap_err();
    let Error::RateLimited { retry_after, .. } = error else { panic!("{error}") };
    assert!(retry_after > Duration::from_mins(1));
    assert_eq!(server.asked().len(), 1, "nobody asks again before the wait is over");
    assert_eq!(*world.heard.0.lock().unwrap(), [("orders", CallOutcome::RateLimited)]);
}

#[tokio::test]
async fn a_short_wait_is_slept_through() {
    let server =
        Server::start(|asked| if asked.earlier == 0 { limited("1") } else { Reply::json(&json!([])) });
    let world = World::new(server.url());
    world.account("s").orders(None, None).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].at - asked[0].at >= Duration::from_secs(1));
}

#[tokio::test]
async fn one_sellers_limit_does_not_slow_another() {
    let server =
        Server::start(|asked| if asked.earlier == 0 { limited("90") } else { Reply::json(&json!([])) });
    let world = World::new(server.url());
    assert!(world.account("first").orders(None, None).await.is_err());
    world.account("second").orders(None, None).await.unwrap();
    assert_eq!(world.limits.sellers_of("orders"), ["first", "first", "second"]);
}

#[tokio::test]
async fn a_seller_has_one_budget_however_many_connectors() {
    let server = Server::start(|_| Reply::json(&json!([])));
    let settings = Settings { limit_scale: 1.0, ..Settings::default() };
    let world = World::with_settings(server.url(), &settings);
    let mut calls = 0;
    while world.account("s").orders(None, None).await.is_ok() {
        calls += 1;
        assert!(calls < 20);
    }
    assert_eq!(calls, 9, "one less than the burst of ten");
}

#[tokio::test]
async fn a_group_without_burst_waits_from_the_answer_on() {
    let on_the_way = Duration::from_millis(300);
    let rows: Vec<_> = (0..50_000)
        .map(|n| {
            json!({
                "nmId": 1, "chrtId": n, "warehouseId": 1, "warehouseName": "A", "quantity": 1, "inWayToClient": 0,
                "inWayFromClient": 0,
            })
        })
        .collect();
    let full = json!({ "data": { "items": rows } });
    let server = Server::start(move |asked| match asked.earlier {
        0 => Reply::json(&full).after(on_the_way),
        _ => Reply::new(204, "application/json", ""),
    });
    // 20 s become 1 s.
    let settings = Settings { limit_scale: 0.05, ..Settings::default() };
    let world = World::with_settings(server.url(), &settings);
    let known = Known::default();
    read_all(async |at| world.account("s").stock(Side::Fbo, &known, at.as_ref()).await).await.unwrap();
    let asked = server.asked();
    assert!(asked[1].at - asked[0].at >= on_the_way + Duration::from_secs(1));
}

#[tokio::test]
async fn an_error_costs_ten_calls_where_the_marketplace_says_so() {
    let server = Server::start(|_| Reply::status(403));
    let world = World::new(server.url());
    world.account("s").locations(None).await.unwrap_err();
    world.account("s").products(&CatalogueScope::Full, None).await.unwrap_err();
    assert_eq!(world.limits.told_of("marketplace"), [Told::Acquired, Told::Charged(9)]);
    assert_eq!(world.limits.told_of("content"), [Told::Acquired]);
}

#[tokio::test]
async fn a_failure_that_a_limit_forbids_to_retry_says_so() {
    let server = Server::start(|_| Reply::status(500));
    let settings = Settings { limit_scale: 0.2, ..Settings::default() };
    let world = World::with_settings(server.url(), &settings);
    let started = Instant::now();
    let error = world.account("s").stock(Side::Fbo, &Known::default(), None).await.unwrap_err();
    let Error::Transient { retry_after: Some(wait), .. } = error else { panic!("{error}") };
    assert!(wait <= Duration::from_secs(4) && wait > Duration::from_secs(2), "{wait:?}");
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_slow_token_waits_for_itself_and_not_for_the_others() {
    let server = Server::start(|_| Reply::json(&json!([])));
    let world = World::with_settings(server.url(), &Settings::default());
    world.account_with("s", BASIC, &ALL).orders(None, None).await.unwrap();
    let error = world.account_with("s", BASIC, &ALL).orders(None, None).await.unwrap_err();
    let Error::RateLimited { retry_after, group: "orders" } = error else { panic!("{error}") };
    let three_hours = Duration::from_hours(3);
    assert!((Duration::from_hours(2)..=three_hours).contains(&retry_after), "{retry_after:?}");
    let mut calls = 0;
    while world.account_with("s", SERVICE, &ALL).orders(None, None).await.is_ok() {
        calls += 1;
    }
    assert_eq!(calls, 8, "both count in the seller's budget of ten, of which one is left");
    assert_eq!(world.limits.told_of("orders_basic"), [Told::Acquired, Told::Blocked(three_hours)]);
}

#[tokio::test]
async fn a_slow_token_is_not_charged_while_the_seller_has_no_budget_left() {
    let server = Server::start(|_| Reply::json(&json!([])));
    let world = World::with_settings(server.url(), &Settings::default());
    while world.account("s").orders(None, None).await.is_ok() {}
    let error = world.account_with("s", BASIC, &ALL).orders(None, None).await.unwrap_err();
    let Error::RateLimited { retry_after, .. } = error else { panic!("{error}") };
    assert!(retry_after <= Duration::from_mins(1), "{retry_after:?}");
    assert!(world.limits.told_of("orders_basic").is_empty());
}

#[tokio::test]
async fn what_refuses_a_slow_token_does_not_stop_the_others() {
    let server =
        Server::start(|asked| if asked.earlier == 0 { limited("9000") } else { Reply::json(&json!([])) });
    let world = World::with_settings(server.url(), &Settings::default());
    let error = world.account_with("s", BASIC, &ALL).orders(None, None).await.unwrap_err();
    assert_eq!(error.code(), "rate_limited");
    world.account("s").orders(None, None).await.unwrap();
}

#[tokio::test]
async fn a_token_of_no_known_type_is_taken_for_a_slow_one() {
    let server = Server::start(|_| Reply::json(&json!([])));
    let world = World::with_settings(server.url(), &Settings::default());
    world.account_with("s", 9, &ALL).orders(None, None).await.unwrap();
    assert_eq!(world.account_with("s", 9, &ALL).orders(None, None).await.unwrap_err().code(), "rate_limited");
}
