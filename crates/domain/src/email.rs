//! E-mail addresses as people sign in with them.

use std::fmt;

/// An address that could exist: something, one `@`, a domain with a dot. Only a letter sent there proves more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// The text is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an e-mail address")]
pub struct MalformedEmail;

impl Email {
    /// Longest address that can be delivered to (RFC 5321).
    pub const MAX_LENGTH: usize = 254;

    /// Trims and checks an address. Case is kept for display and ignored for comparison.
    pub fn parse(text: &str) -> Result<Self, MalformedEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(MalformedEmail)?;
        let labels_fit = domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        let local_fits = !local.is_empty()
            && local.len() <= 64
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
        if text.len() <= Self::MAX_LENGTH && local_fits && labels_fit && domain.contains('.') {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedEmail)
        }
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which two spellings of one address are equal.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["a@b.co", " Anna.Smith+x@Example.COM ", "почта@пример.рф"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "a", "@b.co", "a@b", "a@@b.co", "a b@c.de", "a@b..co", ".a@b.co", "a@-b.co", "a\0@b.co"]
        {
            assert_eq!(Email::parse(bad), Err(MalformedEmail), "{bad}");
        }
        assert!(Email::parse(&format!("{}@b.co", "a".repeat(250))).is_err());
    }

    #[test]
    fn spelling_does_not_make_another_person() {
        assert_eq!(Email::parse("A@B.co").unwrap().folded(), Email::parse("a@b.CO").unwrap().folded());
    }
}
