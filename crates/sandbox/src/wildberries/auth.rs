//! Tokens: what sellers get and what the gateway makes of an `Authorization` header.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::{Builder, Uuid};

/// What a token opens, with its bit in the token's mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Product cards.
    Content = 1,
    /// Stock reports.
    Analytics = 2,
    /// Prices and discounts.
    Prices = 3,
    /// Seller warehouses and assembly orders.
    Marketplace = 4,
    /// Orders and sales.
    Statistics = 5,
    /// Deliveries to the marketplace's warehouses.
    Supplies = 10,
    /// Sales reports.
    Finance = 13,
}

/// Type of a token, with its number in the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// For anybody; few methods, low limits.
    Basic = 1,
    /// For the seller's own software.
    Personal = 3,
    /// For a cloud service of the marketplace's catalogue.
    Service = 4,
}

/// What a new token should be like.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenSpec {
    /// Its type.
    pub account_type: AccountType,
    /// What it opens.
    pub categories: Vec<Category>,
    /// Days until it expires; 0 or less makes it expired from the start.
    pub valid_days: i64,
}

impl Default for TokenSpec {
    /// A personal token for everything a stock tracker reads, valid for the marketplace's 180 days.
    fn default() -> Self {
        use Category::{Analytics, Content, Marketplace, Statistics};
        let categories = vec![Content, Analytics, Marketplace, Statistics];
        Self { account_type: AccountType::Personal, categories, valid_days: 180 }
    }
}

/// A token that the marketplace knows.
#[derive(Debug)]
pub(crate) struct Token {
    text: String,
    pub(crate) seller: usize,
    spec: TokenSpec,
    expires_at: DateTime<Utc>,
}

impl Token {
    pub(crate) fn opens(&self, category: Category) -> bool {
        self.spec.categories.contains(&category)
    }

    pub(crate) fn is_basic(&self) -> bool {
        self.spec.account_type == AccountType::Basic
    }
}

/// All tokens that were given out and not taken back.
#[derive(Debug)]
pub(crate) struct Tokens {
    issued: Vec<Token>,
    rng: StdRng,
}

impl Tokens {
    pub(crate) fn new(seed: u64) -> Self {
        Self { issued: Vec::new(), rng: StdRng::seed_from_u64(seed ^ 0x746f_6b65_6e73) }
    }

    /// Gives out a token.
    pub(crate) fn issue(&mut self, seller: usize, sid: Uuid, spec: TokenSpec, now: DateTime<Utc>) -> String {
        let expires_at = now + TimeDelta::days(spec.valid_days);
        let text = encode(&spec, sid, expires_at, &mut self.rng);
        self.issued.push(Token { text: text.clone(), seller, spec, expires_at });
        text
    }

    /// Takes a token back; whether there was such a token.
    pub(crate) fn revoke(&mut self, text: &str) -> bool {
        let before = self.issued.len();
        self.issued.retain(|token| token.text != text);
        self.issued.len() < before
    }

    /// Reads an `Authorization` header, with or without `Bearer`.
    pub(crate) fn check(&self, header: Option<&str>, now: DateTime<Utc>) -> Result<&Token, &'static str> {
        let header = header.unwrap_or_default().trim();
        let text = header.strip_prefix("Bearer ").unwrap_or(header).trim();
        if text.is_empty() {
            return Err("token is missing");
        }
        if text.split('.').count() != 3 {
            return Err("token is malformed: token contains an invalid number of segments");
        }
        let token =
            self.issued.iter().find(|token| token.text == text).ok_or("token is unknown or was withdrawn")?;
        if token.expires_at <= now { Err("token is expired") } else { Ok(token) }
    }
}

/// A JWT in shape. The signature is noise: nobody but the marketplace could verify it.
fn encode(spec: &TokenSpec, sid: Uuid, expires_at: DateTime<Utc>, rng: &mut StdRng) -> String {
    let mask = spec.categories.iter().fold(0_u64, |mask, category| mask | 1 << (*category as u64));
    let header = json!({"alg": "ES256", "kid": "sandbox", "typ": "JWT"});
    let payload = json!({
        "acc": spec.account_type as u8,
        "ent": 1,
        "exp": expires_at.timestamp(),
        "id": Builder::from_random_bytes(rng.random()).into_uuid(),
        "iid": rng.random_range(10_000_000..99_999_999),
        "oid": rng.random_range(100_000..9_999_999),
        "s": mask,
        "sid": sid,
        "t": false,
        "uid": rng.random_range(10_000_000..99_999_999),
    });
    let mut signature = [0; 64];
    rng.fill_bytes(&mut signature);
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_seller_type_and_categories() {
        let sid = Uuid::from_u128(7);
        let spec = TokenSpec { account_type: AccountType::Service, ..TokenSpec::default() };
        let text = Tokens::new(1).issue(0, sid, spec, DateTime::UNIX_EPOCH);
        let payload = text.split('.').nth(1).expect("three parts");
        let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
        let payload: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(payload["sid"], sid.to_string());
        assert_eq!(payload["acc"], 4);
        assert_eq!(payload["s"], 0b11_0110);
        assert_eq!(payload["exp"], 180 * 86_400);
    }

    #[test]
    fn only_known_tokens_pass_and_only_until_they_expire() {
        let mut tokens = Tokens::new(1);
        let now = DateTime::UNIX_EPOCH;
        let text = tokens.issue(2, Uuid::nil(), TokenSpec::default(), now);
        assert_eq!(tokens.check(Some(&text), now).map(|token| token.seller), Ok(2));
        assert!(tokens.check(Some(&format!("Bearer {text}")), now).is_ok());
        assert!(tokens.check(Some(&format!("{text}x")), now).is_err());
        assert!(tokens.check(None, now).is_err());
        let late = now + TimeDelta::days(180);
        assert_eq!(tokens.check(Some(&text), late).map(|token| token.seller), Err("token is expired"));
        assert!(tokens.revoke(&text));
        assert!(tokens.check(Some(&text), now).is_err());
    }
}
