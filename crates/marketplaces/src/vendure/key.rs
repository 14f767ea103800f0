//! The API key and the channel token: how they are sent, shown and hashed.

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// Most characters of a key or of a channel token.
pub(super) const LONGEST: usize = 512;

/// A secret that travels in a header of its own.
pub(super) struct Key(SecretString);

impl Key {
    /// Takes a key as people paste it. What is wrong with it comes in words for its owner.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Enter it as Vendure shows it.");
        }
        if text.len() > LONGEST {
            return Err("This is too long.");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("It has no spaces and only Latin letters, digits and signs.");
        }
        Ok(Self(SecretString::from(text)))
    }

    /// The value of its header.
    pub(super) fn header(&self) -> HeaderValue {
        let mut value =
            HeaderValue::from_str(self.0.expose_secret()).expect("a key is made of visible ASCII characters");
        value.set_sensitive(true);
        value
    }

    /// SHA-256 of it in hexadecimal: a name for it that gives nothing away.
    pub(super) fn hash(&self) -> String {
        format!("{:x}", Sha256::digest(self.0.expose_secret()))
    }

    /// Its first and last four characters; nothing of one so short that this would give it away.
    pub(super) fn masked(&self) -> String {
        let text = self.0.expose_secret();
        if text.len() < 24 {
            return "…".to_owned();
        }
        format!("{}…{}", &text[..4], &text[text.len() - 4..])
    }

    /// A text without the key and without its parts, should somebody have put them in.
    pub(super) fn redact(&self, text: &str) -> String {
        let key = self.0.expose_secret();
        let parts = std::iter::once(key).chain(key.split(':').filter(|part| part.len() > 8));
        parts.fold(text.to_owned(), |text, secret| text.replace(secret, "[key]"))
    }

    /// Whether it is this text.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0.expose_secret() == text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_as_people_paste_it() {
        assert_eq!(Key::parse(" abc:def\n").unwrap().hash(), Key::parse("abc:def").unwrap().hash());
        for wrong in ["", "  ", "two words", "ключ", "a\u{0}b", &"x".repeat(LONGEST + 1)] {
            assert!(Key::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_key_is_never_shown_whole() {
        let key = Key::parse("0123456789abcdef01234567:fedcba9876543210fedcba98").unwrap();
        assert_eq!(key.masked(), "0123…ba98");
        assert!(key.header().is_sensitive());
        assert_eq!(Key::parse("short").unwrap().masked(), "…");
        let said = key.redact("no key 0123456789abcdef01234567, nor fedcba9876543210fedcba98");
        assert_eq!(said, "no key [key], nor [key]");
    }
}
