//! What a connector does when a marketplace does not do what it should.

use std::time::Duration;

use domain::marketplace::Side;
use marketplaces::{CallOutcome, CatalogueScope, Error, Settings};
use serde_json::json;

use crate::{
    server::{Reply, Server},
    support::{Known, World},
};

fn empty() -> Reply {
    Reply::json(&json!({ "cards": [], "cursor": { "total": 0 } }))
}

/// What comes before the third answer, which is good.
async fn read_after(twice: Reply) -> (Result<usize, Error>, usize) {
    let server = Server::start(move |asked| if asked.earlier < 2 { twice.clone() } else { empty() });
    let page = World::new(server.url()).account("s").products(&CatalogueScope::Full, None).await;
    (page.map(|page| page.rows.len()), server.asked().len())
}

#[tokio::test]
async fn what_may_pass_is_tried_three_times() {
    let long = json!({ "cards": [], "cursor": { "total": 0 }, "padding": "x".repeat(5000) });
    for reply in [
        Reply::status(500),
        Reply::status(503),
        Reply::new(200, "text/html", "<html>busy</html>"),
        Reply::new(409, "application/json", r#"[{"code":"StoreIsProcessing"}]"#),
        Reply::new(200, "application/json", r#"{"cards":[{"nmID""#),
        Reply::json(&long).cut(),
        Reply::json(&json!({})).header("content-encoding", "gzip"),
    ] {
        let name = format!("{reply:?}").chars().take(150).collect::<String>();
        let (outcome, tries) = read_after(reply).await;
        assert_eq!((outcome.unwrap(), tries), (0, 3), "{name}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_said_after_three_tries() {
    let server = Server::start(|_| Reply::status(502));
    let world = World::new(server.url());
    let error = world.account("s").products(&CatalogueScope::Full, None).await.unwrap_err();
    assert!(matches!(error, Error::Transient { operation: "cards", retry_after: None, .. }), "{error}");
    assert_eq!(server.asked().len(), 3);
    assert_eq!(*world.heard.0.lock().unwrap(), [("cards", CallOutcome::Transient); 3]);
}

#[tokio::test]
async fn what_will_not_pass_is_tried_once() {
    for (status, code) in [
        (400, "invalid_request"),
        (401, "credentials_invalid"),
        (402, "credentials_plan"),
        (403, "credentials_scope"),
        (404, "contract_changed"),
    ] {
        let server = Server::start(move |_| Reply::status(status));
        let error =
            World::new(server.url()).account("s").products(&CatalogueScope::Full, None).await.unwrap_err();
        assert_eq!((error.code(), server.asked().len()), (code, 1));
    }
}

#[tokio::test]
async fn a_refused_token_is_no_empty_catalogue() {
    let server = Server::start(|_| Reply::status(401));
    let world = World::new(server.url());
    let account = world.account("s");
    let known = Known::new([1], &[("1", "A")]);
    assert!(account.products(&CatalogueScope::Full, None).await.is_err());
    assert!(account.locations(None).await.is_err());
    assert!(account.stock(Side::Fbo, &known, None).await.is_err());
    assert!(account.orders(None, None).await.is_err());
    // Last, because a refusal costs ten calls of this group.
    assert!(account.stock(Side::Fbs, &known, None).await.is_err());
}

#[tokio::test]
async fn a_slow_answer_is_not_waited_for_for_ever() {
    let server = Server::start(|_| empty().after(Duration::from_secs(30)));
    let request_timeout = Duration::from_millis(100);
    let settings = Settings { limit_scale: 0.001, request_timeout, ..Settings::default() };
    let error = World::with_settings(server.url(), &settings)
        .account("s")
        .products(&CatalogueScope::Full, None)
        .await
        .unwrap_err();
    let Error::Transient { what, .. } = error else { panic!("{error}") };
    assert!(!what.contains("127.0.0.1"), "no address in what may be logged elsewhere: {what}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_kept() {
    let server = Server::start(|_| Reply::new(200, "application/json", &" ".repeat(33 * 1024 * 1024)));
    let error =
        World::new(server.url()).account("s").products(&CatalogueScope::Full, None).await.unwrap_err();
    let Error::ContractChanged { what, .. } = error else { panic!("{error}") };
    assert!(what.contains("larger"), "{what}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/elsewhere" => empty(),
        _ => Reply::new(302, "text/plain", "").header("location", "/elsewhere"),
    });
    let error =
        World::new(server.url()).account("s").products(&CatalogueScope::Full, None).await.unwrap_err();
    assert_eq!((error.code(), server.asked().len()), ("contract_changed", 1));
}

#[tokio::test]
async fn nobody_to_talk_to_is_transient() {
    let server = Server::start(|_| empty());
    let mut url = server.url();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    url.set_port(Some(closed.port())).unwrap();
    let error = World::new(url).account("s").products(&CatalogueScope::Full, None).await.unwrap_err();
    assert_eq!(error.code(), "marketplace_unavailable");
}

#[tokio::test]
async fn without_limits_to_ask_nothing_is_called() {
    let server = Server::start(|_| empty());
    let world = World::without_limiter(server.url());
    let error = world.account("s").products(&CatalogueScope::Full, None).await.unwrap_err();
    assert_eq!((error.code(), server.asked().len()), ("limiter_unavailable", 0));
}

#[tokio::test]
async fn a_position_of_another_reading_is_refused() {
    let server = Server::start(|_| empty());
    let account = World::new(server.url()).account("s");
    let position = account.products(&CatalogueScope::Full, None).await.unwrap().watermark.unwrap();
    let error = account.orders(Some(&position), None).await.unwrap_err();
    assert_eq!((error.code(), server.asked().len()), ("invalid_request", 1));
}
