//! Vendure: whose key it is, what it can read, and which field of a credential is wrong.

use domain::marketplace::{AccountInfo, Capability, MarketplaceCode};
use marketplaces::{AuthProblem, ConnectError, Error, Settings};
use serde_json::json;

use crate::{
    server::{Reply, Server},
    support::World,
    vendure_shop::{KEY, Open, connect, fault, world},
};

async fn verify(open: &Open, channel: Option<&str>) -> Result<AccountInfo, Error> {
    open.unproven(channel).verify().await
}

/// The field that an error blames.
fn blamed(error: &Error) -> &'static str {
    match error {
        Error::Credential(problem) => problem.field,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_good_key_opens_everything() {
    let open = Open::new(|_| {});
    let info = verify(&open, None).await.unwrap();
    let everything = open.unproven(None).descriptor().capabilities.iter().copied().collect();
    assert_eq!(info.capabilities, everything);
    assert_eq!(info.facts.scopes, ["productVariants", "stockLocations", "stockLevels", "orders"]);
    assert_eq!((info.facts.masked.as_str(), info.facts.notes), ("0123…3210", vec![]));
    assert_eq!((info.facts.expires_at, info.slowest_interval_minutes), (None, None));
    let asked = open.server.asked();
    assert!(asked.iter().all(|asked| asked.path == "/admin-api"), "{:?}", open.server.paths());
    assert!(asked.iter().all(|asked| asked.headers["vendure-api-key"] == KEY));
    assert!(asked.iter().all(|asked| !asked.headers.contains_key("vendure-token")));
}

#[tokio::test]
async fn a_shop_and_a_channel_are_one_seller_whatever_key() {
    let open = Open::new(|_| {});
    let place = open.server.url().to_string().replace("http://", "").replace('/', "");
    let seller = verify(&open, None).await.unwrap().seller;
    assert_eq!((seller.external_id, seller.name), (format!("{place}#1"), place.clone()));
    let other_key = connect(&open.world, &format!("{}admin-api/", open.server.url()), "another-key", None);
    assert_eq!(other_key.unwrap().verify().await.unwrap().seller.external_id, format!("{place}#1"));

    open.shop().channel =
        json!({ "id": "2", "code": "outlet", "token": "t2", "seller": { "name": "Outlet Ltd" } });
    let seller = verify(&open, Some("t2")).await.unwrap().seller;
    assert_eq!((seller.external_id, seller.name), (format!("{place}#2"), "Outlet Ltd (outlet)".to_owned()));
    assert_eq!(open.server.asked().last().unwrap().headers["vendure-token"], "t2");
}

#[tokio::test]
async fn a_right_that_is_missing_narrows_the_account() {
    for (field, lost) in [("stockLocations", Capability::Locations), ("orders", Capability::Orders)] {
        let open = Open::new(|shop| shop.forbidden = vec![field]);
        let info = verify(&open, None).await.unwrap();
        assert!(!info.capabilities.contains(&lost));
        assert_eq!((info.capabilities.len(), info.facts.notes.len()), (3, 1), "{field}");
    }
    let open = Open::new(|shop| shop.forbidden = vec!["productVariants"]);
    let error = verify(&open, None).await.unwrap_err();
    let Error::Auth { kind: AuthProblem::Scope(Capability::Products), .. } = error else { panic!("{error}") };
}

#[tokio::test]
async fn a_key_that_is_not_known_is_told_from_a_missing_right() {
    let open = Open::new(|shop| shop.forbidden = vec!["activeChannel", "productVariants", "orders"]);
    assert_eq!(blamed(&verify(&open, None).await.unwrap_err()), "api_key");
    assert_eq!(open.server.asked().len(), 1, "one refusal is enough");
    // And while an account is read.
    let error = open.account().orders(None, None).await.unwrap_err();
    assert_eq!((blamed(&error), error.code()), ("api_key", "credentials_invalid"));
    open.shop().forbidden = vec!["orders"];
    let error = open.account().orders(None, None).await.unwrap_err();
    assert_eq!(error.code(), "credentials_scope");
    let Error::Auth { kind: AuthProblem::Scope(Capability::Orders), .. } = error else { panic!("{error}") };
}

#[tokio::test]
async fn a_channel_that_is_not_there_is_told() {
    let server =
        Server::start(|_| fault("CHANNEL_NOT_FOUND", "No Channel with the token \"nope\" could be found"));
    let account = connect(&world(&server), server.url().as_str(), KEY, Some("nope")).unwrap();
    assert_eq!(blamed(&account.verify().await.unwrap_err()), "channel_token");
    // A shop with one channel answers for it, whatever it is asked for.
    let open = Open::new(|_| {});
    assert_eq!(blamed(&verify(&open, Some("nope")).await.unwrap_err()), "channel_token");
    assert!(verify(&open, Some("t0")).await.is_ok());
}

#[tokio::test]
async fn an_address_without_a_shop_is_told() {
    let not_found = r#"{"statusCode":404,"message":"Cannot POST /admin-api","path":"/admin-api"}"#;
    for reply in [
        Reply::new(404, "application/json", not_found),
        Reply::new(404, "text/plain", "404 page not found"),
        Reply::new(200, "text/html", "<!doctype html><title>Shop</title>"),
        Reply::new(302, "text/plain", "").header("location", "/elsewhere"),
        Reply::new(200, "application/json", r#"{"status":"ok"}"#),
        Reply::new(200, "application/json", r#"{"data":{"activeChannel":null}}"#),
        fault("GRAPHQL_VALIDATION_FAILED", "Cannot query field \"activeChannel\" on type \"Query\"."),
    ] {
        let name = format!("{reply:?}");
        let server = Server::start(move |_| reply.clone());
        let account = connect(&world(&server), server.url().as_str(), KEY, None).unwrap();
        let error = account.verify().await.unwrap_err();
        assert_eq!((blamed(&error), server.asked().len()), ("base_url", 1), "{name}");
    }
}

#[tokio::test]
async fn a_shop_that_is_down_is_not_a_wrong_address() {
    let server = Server::start(|_| Reply::status(503));
    let account = connect(&world(&server), server.url().as_str(), KEY, None).unwrap();
    let error = account.verify().await.unwrap_err();
    assert_eq!((error.code(), server.asked().len()), ("marketplace_unavailable", 3));
}

#[tokio::test]
async fn what_cannot_be_tried_names_its_field() {
    let server = Server::start(|_| Reply::status(500));
    let world = world(&server);
    let url = server.url();
    let url = url.as_str();
    for (address, key, channel, field) in [
        ("shop.example.com", KEY, None, "base_url"),
        ("ftp://shop.example.com", KEY, None, "base_url"),
        ("https://user:secret@shop.example.com", KEY, None, "base_url"),
        (url, "two words", None, "api_key"),
        (url, KEY, Some("канал"), "channel_token"),
    ] {
        let refused = connect(&world, address, key, channel).err();
        let Some(ConnectError::Credential(problem)) = refused else { panic!("{address} {key} {channel:?}") };
        assert_eq!(problem.field, field);
        assert!(!problem.what.contains("secret"));
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn an_address_that_leads_inside_is_not_called() {
    let server = Server::start(|_| Reply::status(500));
    let strict = World::with_settings(server.url(), &Settings::default());
    let port = server.url().port().unwrap();
    for address in
        [server.url().to_string(), format!("https://127.0.0.1:{port}"), format!("https://[::1]:{port}")]
    {
        let Some(ConnectError::Credential(problem)) = connect(&strict, &address, KEY, None).err() else {
            panic!("{address}");
        };
        assert_eq!(problem.field, "base_url");
    }
    // Of a name it shows only when it is resolved.
    let account = connect(&strict, &format!("https://localhost:{port}"), KEY, None).unwrap();
    let error = account.verify().await.unwrap_err();
    assert_eq!((blamed(&error), error.code()), ("base_url", "credentials_invalid"));
    assert_eq!(strict.heard.0.lock().unwrap().len(), 1, "tried once");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_key_counts_in_its_own_budget_until_the_shop_has_accepted_it() {
    let open = Open::new(|_| {});
    verify(&open, None).await.unwrap();
    open.account().locations(None).await.unwrap();
    let sellers = open.world.limits.sellers_of("admin_api");
    let host = open.server.url().to_string().replace("http://", "").replace('/', "");
    assert!(sellers[..sellers.len() - 1].iter().all(|seller| seller.len() == 64), "{sellers:?}");
    assert_eq!(sellers.last(), Some(&host));
}

#[test]
fn vendure_is_among_the_marketplaces() {
    crate::support::install_tls();
    let world = World::new("http://127.0.0.1:1".parse().unwrap());
    let vendure = world.factory.descriptors().iter().find(|d| d.code == MarketplaceCode::Vendure).unwrap();
    let fields: Vec<_> = vendure.credential_fields.iter().map(|f| (f.name, f.optional, f.secret)).collect();
    assert_eq!(fields, [("base_url", false, false), ("api_key", false, true), ("channel_token", true, true)]);
}
