//! The token: what can be read in it without proof, and how it is sent, shown and hashed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::clock::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{DESCRIPTOR, hosts::Category};

/// What kind of token it says it is. A Basic token with a secret does not say so: it is taken for a Basic one, which is
/// allowed less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// For anybody; few methods, very slow.
    Basic,
    /// For the marketplace's own test environment.
    Test,
    /// For software of the seller's own.
    Personal,
    /// For one cloud service.
    Service,
    /// It does not say, or in words that are not known.
    Unknown,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Basic, Self::Test, Self::Personal, Self::Service, Self::Unknown];

    /// The type with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The published name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Test => "test",
            Self::Personal => "personal",
            Self::Service => "service",
            Self::Unknown => "unknown",
        }
    }
}

/// The payload of the token. Nothing in it is proof of anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    exp: Option<i64>,
    sid: Option<String>,
    s: Option<u64>,
    acc: Option<i64>,
}

/// A token.
pub(super) struct Token {
    text: SecretString,
    payload: Payload,
}

impl Token {
    /// Takes a token as people paste it. A text that is no JWT passes: the marketplace decides what it is worth.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let text = if first.eq_ignore_ascii_case("Bearer") { rest.trim_start() } else { text };
        if text.is_empty() {
            return Err("Enter the API token.");
        }
        if text.len() > DESCRIPTOR.credential_fields[0].max_length {
            return Err("This is too long to be an API token.");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("An API token has no spaces and only Latin letters, digits and signs.");
        }
        Ok(Self { text: SecretString::from(text), payload: payload(text).unwrap_or_default() })
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(self.text.expose_secret())
            .expect("a token is made of visible ASCII characters");
        value.set_sensitive(true);
        value
    }

    /// SHA-256 of it in hexadecimal: a name for it that gives nothing away.
    pub(super) fn hash(&self) -> String {
        format!("{:x}", Sha256::digest(self.text.expose_secret()))
    }

    /// Its first and last four characters; nothing of one so short that this would give it away.
    pub(super) fn masked(&self) -> String {
        let text = self.text.expose_secret();
        if text.len() < 24 {
            return "…".to_owned();
        }
        format!("{}…{}", &text[..4], &text[text.len() - 4..])
    }

    /// A text without the token and without its parts, should somebody have put them in.
    pub(super) fn redact(&self, text: &str) -> String {
        let token = self.text.expose_secret();
        let parts = std::iter::once(token).chain(token.split('.').filter(|part| part.len() > 8));
        parts.fold(text.to_owned(), |text, secret| text.replace(secret, "[token]"))
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        Timestamp::from_timestamp(self.payload.exp?, 0)
    }

    pub(super) fn seller_id(&self) -> Option<&str> {
        self.payload.sid.as_deref().filter(|id| !id.is_empty())
    }

    pub(super) const fn kind(&self) -> Kind {
        match self.payload.acc {
            Some(1) => Kind::Basic,
            Some(2) => Kind::Test,
            Some(3) => Kind::Personal,
            Some(4) => Kind::Service,
            _ => Kind::Unknown,
        }
    }

    /// Whether the token says that it has a category; none where it says nothing.
    pub(super) fn claims(&self, category: Category) -> Option<bool> {
        let bit = match category {
            Category::Common => return Some(true),
            Category::Content => 1,
            Category::Analytics => 2,
            Category::Marketplace => 4,
            Category::Statistics => 5,
        };
        self.payload.s.map(|mask| mask & (1 << bit) != 0)
    }
}

fn payload(text: &str) -> Option<Payload> {
    let mut parts = text.split('.');
    let (_, body, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("eyJhbGciOiJFUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_token_tells_its_type_seller_end_and_categories() {
        let mask = (1 << 1) | (1 << 5) | (1 << 30);
        let text = jwt(&format!(r#"{{"acc":4,"sid":"s-1","exp":1800000000,"s":{mask},"t":false,"x":1}}"#));
        let token = Token::parse(&text).unwrap();
        assert_eq!(token.kind(), Kind::Service);
        assert_eq!(token.seller_id(), Some("s-1"));
        assert_eq!(token.expires_at().unwrap().to_rfc3339(), "2027-01-15T08:00:00+00:00");
        let claimed = Category::NEEDED.map(|category| token.claims(category).unwrap());
        assert_eq!(claimed, [true, false, true, false]);
    }

    #[test]
    fn every_type_has_a_name() {
        for (acc, kind) in
            [(1, Kind::Basic), (2, Kind::Test), (3, Kind::Personal), (4, Kind::Service), (9, Kind::Unknown)]
        {
            assert_eq!(Token::parse(&jwt(&format!(r#"{{"acc":{acc}}}"#))).unwrap().kind(), kind);
        }
    }

    #[test]
    fn a_token_is_taken_as_people_paste_it() {
        let plain = Token::parse("abc.def").unwrap();
        for text in [" abc.def\n", "Bearer abc.def", "bearer  abc.def "] {
            assert_eq!(Token::parse(text).unwrap().hash(), plain.hash(), "{text:?}");
        }
        for wrong in ["", "  ", "Bearer ", "два слова", "two words", "a\u{0}b", &"x".repeat(5000)] {
            assert!(Token::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_jwt_is_tolerated() {
        for text in ["plain", "a.b.c", "a.e30.c.d", &jwt("[]"), &jwt("{\"exp\":\"soon\"}")] {
            let token = Token::parse(text).unwrap();
            assert_eq!((token.kind(), token.expires_at()), (Kind::Unknown, None), "{text}");
        }
    }

    #[test]
    fn a_token_is_never_shown_whole() {
        let text = jwt(r#"{"acc":3}"#);
        let token = Token::parse(&text).unwrap();
        assert_eq!(token.masked(), "eyJh…dXJl");
        assert!(token.header().is_sensitive());
        assert_eq!(Token::parse("short-token").unwrap().masked(), "…");
        let payload = text.split('.').nth(1).unwrap();
        let echoed = token.redact(&format!("bad {text}, or {payload}"));
        assert!(echoed.starts_with("bad [token], or "), "{echoed}");
        assert_eq!(
            Token::parse("a-secret-of-another-shape").unwrap().redact("no a-secret-of-another-shape"),
            "no [token]"
        );
    }
}
