//! Verifying a token.

use domain::marketplace::{Capability, MarketplaceCode, Seller};
use marketplaces::{AuthProblem, ConnectError, Error};
use serde_json::json;

use crate::{
    server::{Asked, Reply, Server},
    support::{ALL, BASIC, PERSONAL, SERVICE, TEST, World, at, credential, jwt},
};

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
    let account = World::new(server.url()).connect(&format!("  Bearer {token}\n"));
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
    let info = World::new(server.url()).connect(&token).verify().await.unwrap();
    assert_eq!(info.capabilities, [Capability::Products, Capability::Orders].into());
    assert_eq!(info.facts.scopes, ["content", "statistics"]);
    let notes = info.facts.notes.join(" ");
    for told in ["Personal", "Analytics is missing", "Marketplace is missing"] {
        assert!(notes.contains(told), "{told}: {notes}");
    }
}

#[tokio::test]
async fn a_token_without_product_cards_is_refused() {
    let server = Server::start(good);
    let token = jwt(&json!({ "acc": 3, "s": mask(&[2, 4, 5]) }));
    let error = World::new(server.url()).connect(&token).verify().await.unwrap_err();
    assert!(matches!(error, Error::Auth { kind: AuthProblem::Scope(Capability::Products), .. }), "{error}");
}

#[tokio::test]
async fn a_basic_token_is_verified_by_pings_alone() {
    let server = Server::start(good);
    let token = jwt(&json!({ "acc": BASIC, "sid": "seller-9", "s": mask(&[1, 2, 5]) }));
    let info = World::new(server.url()).connect(&token).verify().await.unwrap();
    assert_eq!(server.paths(), ["/ping"]);
    assert_eq!(info.seller, Seller { external_id: "seller-9".into(), name: "seller-9".into() });
    assert_eq!(info.facts.kind.as_deref(), Some("basic"));
    let (products, orders, stock) = (Capability::Products, Capability::Orders, Capability::StockMarketplace);
    assert_eq!(
        info.capabilities,
        [products, orders, stock].into(),
        "its reports do not tell of the seller's side"
    );
    assert_eq!(info.slowest_interval_minutes, Some(180));
    let notes = info.facts.notes.join(" ");
    for told in ["Basic", "once in three hours", "four times an hour", "Marketplace is missing", "180 days"] {
        assert!(notes.contains(told), "{told}: {notes}");
    }
    assert!(!notes.contains("Statistics is missing"), "{notes}");
}

#[tokio::test]
async fn a_token_without_a_seller_asks_for_it() {
    let server = Server::start(good);
    let token = jwt(&json!({ "acc": BASIC, "s": mask(&[1, 5]) }));
    let info = World::new(server.url()).connect(&token).verify().await.unwrap();
    assert_eq!(info.seller.external_id, "seller-1");
    assert_eq!(server.paths(), ["/ping", "/api/v1/seller-info"]);
}

#[tokio::test]
async fn what_a_token_can_read_follows_from_its_type_and_categories() {
    use Capability::{Locations, Orders, Products, StockMarketplace, StockSeller};
    for (acc, bits, capabilities, slowest) in [
        (PERSONAL, &[1, 2, 4, 5][..], &ALL[..], None),
        (SERVICE, &[1, 2, 5], &[Products, StockMarketplace, StockSeller, Orders], None),
        (SERVICE, &[1, 4], &[Products, Locations, StockSeller], None),
        (BASIC, &[1, 2, 4, 5], &ALL, Some(180)),
        (BASIC, &[1, 2], &[Products, StockMarketplace], Some(15)),
        (BASIC, &[1, 4], &[Products, Locations, StockSeller], None),
        (9, &[1, 2, 5], &[Products, StockMarketplace, StockSeller, Orders], Some(180)),
        (TEST, &[1, 2, 4, 5], &[Products, Locations, StockSeller], None),
    ] {
        let server = Server::start(good);
        let token = jwt(&json!({ "acc": acc, "sid": "seller-1", "s": mask(bits) }));
        let info = World::new(server.url()).connect(&token).verify().await.unwrap();
        assert_eq!(info.capabilities, capabilities.iter().copied().collect(), "{acc} {bits:?}");
        assert_eq!(info.slowest_interval_minutes, slowest, "{acc} {bits:?}");
        let kind = ["basic", "test", "personal", "service", "unknown"];
        let kind = kind[usize::from(acc).clamp(1, 5) - 1];
        assert_eq!(info.facts.kind.as_deref(), Some(kind));
    }
}

#[tokio::test]
async fn a_test_token_is_refused_by_the_real_marketplace_without_a_call() {
    let account = World::of_real_hosts().connect(&jwt(&json!({ "acc": TEST, "s": mask(&[1, 4]) })));
    assert_eq!(account.verify().await.unwrap_err().code(), "credentials_unsupported");
}

#[tokio::test]
async fn an_expired_token_is_not_even_tried() {
    let server = Server::start(good);
    let account = World::new(server.url()).connect(&jwt(&json!({ "acc": 4, "exp": 1_700_000_000 })));
    assert_eq!(account.verify().await.unwrap_err().code(), "credentials_expired");
    assert_eq!(account.orders(None, None).await.unwrap_err().code(), "credentials_expired");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_text_that_is_no_jwt_is_decided_by_the_marketplace() {
    let server = Server::start(good);
    let info = World::new(server.url()).connect("plain-key-of-some-new-kind").verify().await.unwrap();
    assert_eq!(info.capabilities.len(), 5);
    assert_eq!(info.facts.expires_at, None);

    let server = Server::start(|_| Reply::status(401));
    let error = World::new(server.url()).connect("plain-key-of-some-new-kind").verify().await.unwrap_err();
    assert_eq!(error.code(), "credentials_invalid");
    assert_eq!(server.asked().len(), 1, "a refusal is not asked for twice");
}

#[tokio::test]
async fn before_a_ping_the_seller_in_a_token_is_not_believed() {
    let token = jwt(&json!({ "acc": 4, "sid": "victim" }));

    let server = Server::start(|_| Reply::status(401));
    let world = World::new(server.url());
    world.connect(&token).verify().await.unwrap_err();
    let claimed = world.limits.sellers_of("ping_content");
    assert_eq!(claimed.len(), 1);
    assert!(claimed[0].len() == 64 && !claimed[0].contains("victim"), "{claimed:?}");

    let server = Server::start(good);
    let world = World::new(server.url());
    world.connect(&token).verify().await.unwrap();
    assert_eq!(world.limits.sellers_of("seller_info"), ["victim"], "the ping has proven it");
}

#[tokio::test]
async fn a_seller_without_an_id_is_no_seller() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/ping" => good(asked),
        _ => Reply::json(&json!({ "name": "ООО Глина" })),
    });
    let error = World::new(server.url()).connect("plain-key-of-some-new-kind").verify().await.unwrap_err();
    assert!(matches!(error, Error::ContractChanged { endpoint: "seller_info", .. }), "{error}");
}

#[tokio::test]
async fn what_cannot_be_a_token_is_refused_with_its_field() {
    let server = Server::start(good);
    let world = World::new(server.url());
    for text in ["", "два слова"] {
        let refused = world.factory.connect(MarketplaceCode::Wildberries, &credential(text), None).err();
        let Some(ConnectError::Credential(problem)) = refused else { panic!("{refused:?}") };
        assert_eq!(problem.field, "token");
    }
}
