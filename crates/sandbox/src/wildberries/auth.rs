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
    /// Advertising.
    Promotion = 6,
    /// Questions and reviews.
    Feedbacks = 7,
    /// Chat with buyers.
    Chat = 9,
    /// Deliveries to the marketplace's warehouses.
    Supplies = 10,
    /// Returns by buyers.
    Returns = 11,
    /// Documents.
    Documents = 12,
    /// Sales reports.
    Finance = 13,
}

/// The bit of the mask that says that nothing can be changed with the token.
const READ_ONLY_BIT: u32 = 30;

/// Type of a token, with its number in the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// For anybody; few methods, low limits.
    Basic = 1,
    /// For trying out the methods for cards and for the seller's own warehouses, and no others.
    Test = 2,
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
    /// Whether it says that nothing can be changed with it. The sandbox only has methods that read.
    pub read_only: bool,
    /// Days until it expires; 0 or less makes it expired from the start.
    pub valid_days: i64,
}

impl Default for TokenSpec {
    /// A personal token for everything a stock tracker reads, valid for the marketplace's 180 days.
    fn default() -> Self {
        use Category::{Analytics, Content, Marketplace, Statistics};
        let categories = vec![Content, Analytics, Marketplace, Statistics];
        Self { account_type: AccountType::Personal, categories, read_only: false, valid_days: 180 }
    }
}

/// A token that the marketplace knows.
#[derive(Debug)]
pub(crate) struct Token {
    text: String,
    pub(crate) seller: usize,
    spec: TokenSpec,
    expires_at: DateTime<Utc>,
    is_withdrawn: bool,
}

impl Token {
    pub(crate) fn opens(&self, category: Category) -> bool {
        self.spec.categories.contains(&category)
    }

    pub(crate) fn account_type(&self) -> AccountType {
        self.spec.account_type
    }
}

/// All tokens that were given out, also those that were taken back.
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
        self.issued.push(Token { text: text.clone(), seller, spec, expires_at, is_withdrawn: false });
        text
    }

    /// Takes a token back; whether there was such a token. It may come as the value of an `Authorization` header.
    pub(crate) fn revoke(&mut self, header: &str) -> bool {
        let text = bare(header);
        let token = self.issued.iter_mut().find(|token| token.text == text && !token.is_withdrawn);
        token.map(|token| token.is_withdrawn = true).is_some()
    }

    /// Reads an `Authorization` header, with or without `Bearer`.
    pub(crate) fn check(&self, header: Option<&str>, now: DateTime<Utc>) -> Result<&Token, &'static str> {
        let text = bare(header.unwrap_or_default());
        if text.is_empty() {
            return Err("token is missing");
        }
        if text.split('.').count() != 3 {
            return Err("token is malformed: token contains an invalid number of segments");
        }
        let token = self.issued.iter().find(|token| token.text == text).ok_or("token is unknown")?;
        if token.is_withdrawn {
            Err("token is withdrawn")
        } else if token.expires_at <= now {
            Err("token is expired")
        } else {
            Ok(token)
        }
    }
}

fn bare(header: &str) -> &str {
    let header = header.trim();
    header.strip_prefix("Bearer ").unwrap_or(header).trim()
}

/// A JWT in shape. The signature is noise: nobody but the marketplace could verify it.
fn encode(spec: &TokenSpec, sid: Uuid, expires_at: DateTime<Utc>, rng: &mut StdRng) -> String {
    let categories = spec.categories.iter().fold(0_u64, |mask, category| mask | 1 << (*category as u64));
    let mask = categories | u64::from(spec.read_only) << READ_ONLY_BIT;
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
        "t": spec.account_type == AccountType::Test,
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

    fn payload(sid: Uuid, spec: TokenSpec) -> serde_json::Value {
        let text = Tokens::new(1).issue(0, sid, spec, DateTime::UNIX_EPOCH);
        let payload = text.split('.').nth(1).expect("three parts");
        let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
        serde_json::from_slice(&payload).expect("JSON")
    }

    #[test]
    fn a_token_tells_its_seller_type_and_categories() {
        let sid = Uuid::from_u128(7);
        let spec = TokenSpec { account_type: AccountType::Service, ..TokenSpec::default() };
        let payload = payload(sid, spec);
        assert_eq!(payload["sid"], sid.to_string());
        assert_eq!(payload["acc"], 4);
        assert_eq!(payload["s"], 0b11_0110);
        assert_eq!(payload["exp"], 180 * 86_400);
        assert_eq!(payload["t"], false);
    }

    #[test]
    fn every_type_has_its_number_and_a_read_only_token_its_bit() {
        use AccountType::{Basic, Personal, Service, Test};
        for (account_type, number, is_test) in
            [(Basic, 1, false), (Test, 2, true), (Personal, 3, false), (Service, 4, false)]
        {
            let categories = vec![Category::Content, Category::Finance];
            let spec = TokenSpec { account_type, categories, read_only: is_test, ..TokenSpec::default() };
            let payload = payload(Uuid::nil(), spec);
            let mask = 1 << 1 | 1 << 13 | u64::from(is_test) << 30;
            assert_eq!((&payload["acc"], &payload["t"]), (&json!(number), &json!(is_test)));
            assert_eq!(payload["s"], mask);
        }
    }

    #[test]
    fn only_known_tokens_pass_and_only_until_they_expire() {
        let mut tokens = Tokens::new(1);
        let now = DateTime::UNIX_EPOCH;
        let text = tokens.issue(2, Uuid::nil(), TokenSpec::default(), now);
        assert_eq!(tokens.check(Some(&text), now).map(|token| token.seller), Ok(2));
        assert!(tokens.check(Some(&format!("Bearer {text}")), now).is_ok());
        let refusal = |tokens: &Tokens, text: &str, at| tokens.check(Some(text), at).map(|_| ()).unwrap_err();
        assert_eq!(refusal(&tokens, &format!("{text}x"), now), "token is unknown");
        assert!(tokens.check(None, now).is_err());
        let late = now + TimeDelta::days(180);
        assert_eq!(tokens.check(Some(&text), late).map(|token| token.seller), Err("token is expired"));
        assert!(tokens.revoke(&format!("Bearer {text}")));
        assert!(!tokens.revoke(&text));
        assert_eq!(refusal(&tokens, &text, late), "token is withdrawn");
    }
}
