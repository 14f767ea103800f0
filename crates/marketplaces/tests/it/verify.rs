//! Verifying a token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::marketplace::{Capability, MarketplaceCode, Seller};
use marketplaces::{AuthProblem, Error};
use serde_json::{Value, json};

use crate::{
    server::{Asked, Reply, Server},
    support::{World, at, credential},
};

fn jwt(payload: &Value) -> String {
    format!("eyJhbGciOiJFUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(payload.to_string()))
}

/// A mask of Content (1), Analytics (2), Marketplace (4) and Statistics (5).
fn mask(bits: &[u32]) -> u64 {
    bits.iter().fold(1 << 30, |mask, bit| mask | 1 << bit)
}

fn good(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/ping" => Reply::json(&json!({ "TS": "2026-11-20T12:00:00+03:00", "Status": "OK" })),
        "/api/v1/seller-info" => Reply::json(&json!({ "name": "ООО Глина", "sid": "seller-1", "tin": "1" })),
        _ => Reply::status(404),
    }
}

#[tokio::test]
async fn a_good_token_tells_whose_it_is_and_what_it_can_read() {
    let server = Server::start(good);
    let token = jwt(&json!({ "acc": 4, "sid": "seller-1", "exp": 1_900_000_000, "s": mask(&[1, 2, 4, 5]) }));
    let account = World::new(server.url()).connect(&format!("  Bearer {token}\n"), None);
    let info = account.verify().await.unwrap();
    assert_eq!(info.seller, Seller { external_id: "seller-1".into(), name: "ООО Глина".into() });
    assert_eq!(info.capabilities.len(), account.descriptor().capabilities.len());
    assert_eq!(info.facts.masked, "eyJh…dXJl");
    assert_eq!(info.facts.expires_at, Some(at("2030-03-17T17:46:40Z")));
    assert_eq!(info.facts.scopes, ["content", "marketplace", "statistics", "analytics"]);
    assert_eq!(server.paths(), ["/ping", "/api/v1/seller-info"], "one origin is asked once");
    assert!(server.asked().iter().all(|asked| asked.authorization == token));
}

#[tokio::test]
async fn a_category_that_is_missing_narrows_what_can_be_read() {
    let server = Server::start(good);
    let token = jwt(&json!({ "acc": 3, "s": mask(&[1, 5]) }));
    let info = World::new(server.url()).connect(&token, None).verify().await.unwrap();
    assert_eq!(info.capabilities, [Capability::Products, Capability::Orders].into());
    assert_eq!(info.facts.scopes, ["content", "statistics"]);
}

#[tokio::test]
async fn a_token_without_product_cards_is_refused() {
    let server = Server::start(good);
    let token = jwt(&json!({ "acc": 3, "s": mask(&[2, 4, 5]) }));
    let error = World::new(server.url()).connect(&token, None).verify().await.unwrap_err();
    assert!(matches!(error, Error::Auth { kind: AuthProblem::Scope(Capability::Products), .. }), "{error}");
}

#[tokio::test]
async fn a_token_of_an_unsupported_type_is_refused_without_a_call() {
    let server = Server::start(good);
    for acc in [1, 2] {
        let token = jwt(&json!({ "acc": acc, "s": mask(&[1, 2, 4, 5]) }));
        let error = World::new(server.url()).connect(&token, None).verify().await.unwrap_err();
        assert_eq!(error.code(), "credentials_unsupported");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn an_expired_token_is_not_even_tried() {
    let server = Server::start(good);
    let account = World::new(server.url()).connect(&jwt(&json!({ "acc": 4, "exp": 1_700_000_000 })), None);
    assert_eq!(account.verify().await.unwrap_err().code(), "credentials_expired");
    assert_eq!(account.orders(None, None).await.unwrap_err().code(), "credentials_expired");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_text_that_is_no_jwt_is_decided_by_the_marketplace() {
    let server = Server::start(good);
    let info = World::new(server.url()).connect("plain-key-of-some-new-kind", None).verify().await.unwrap();
    assert_eq!(info.capabilities.len(), 5);
    assert_eq!(info.facts.expires_at, None);

    let server = Server::start(|_| Reply::status(401));
    let error =
        World::new(server.url()).connect("plain-key-of-some-new-kind", None).verify().await.unwrap_err();
    assert_eq!(error.code(), "credentials_invalid");
    assert_eq!(server.asked().len(), 1, "a refusal is not asked for twice");
}

#[tokio::test]
async fn before_a_ping_the_seller_in_a_token_is_not_believed() {
    let token = jwt(&json!({ "acc": 4, "sid": "victim" }));

    let server = Server::start(|_| Reply::status(401));
    let world = World::new(server.url());
    world.connect(&token, None).verify().await.unwrap_err();
    let claimed = world.limits.sellers_of("ping_content");
    assert_eq!(claimed.len(), 1);
    assert!(claimed[0].len() == 64 && !claimed[0].contains("victim"), "{claimed:?}");

    let server = Server::start(good);
    let world = World::new(server.url());
    world.connect(&token, None).verify().await.unwrap();
    assert_eq!(world.limits.sellers_of("seller_info"), ["victim"], "the ping has proven it");
}

#[tokio::test]
async fn a_seller_without_an_id_is_no_seller() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/ping" => good(asked),
        _ => Reply::json(&json!({ "name": "ООО Глина" })),
    });
    let error =
        World::new(server.url()).connect("plain-key-of-some-new-kind", None).verify().await.unwrap_err();
    assert!(matches!(error, Error::ContractChanged { endpoint: "seller_info", .. }), "{error}");
}

#[tokio::test]
async fn what_cannot_be_a_token_is_refused_with_its_field() {
    let server = Server::start(good);
    let world = World::new(server.url());
    for text in ["", "два слова"] {
        let problem =
            world.factory.connect(MarketplaceCode::Wildberries, &credential(text), None).err().unwrap();
        assert_eq!(problem.field, "token");
    }
}
