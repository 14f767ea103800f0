//! Names of policies: short, plain, and copied without an allocation.

use std::fmt;

/// Name of a policy. It shows in keys, headers and metrics, so it is plain: `a-z`, `0-9`, `-` and `_`, beginning with
/// a letter, at most [`PolicyName::MAX_LENGTH`] characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName {
    length: u8,
    bytes: [u8; Self::MAX_LENGTH],
}

/// Why a text is no name of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a policy's name has 1 to {} characters of a-z, 0-9, `-` and `_` and begins with a letter: {given:?}",
    PolicyName::MAX_LENGTH
)]
pub struct NameError {
    /// What was given, its beginning if it is long.
    pub given: String,
}

impl PolicyName {
    /// The longest name, in characters.
    pub const MAX_LENGTH: usize = 31;

    /// Takes a name, if it is one.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        let begins = name.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        if !begins || usize::from(length) > Self::MAX_LENGTH || !name.as_bytes().iter().all(plain) {
            return Err(NameError { given: name.chars().take(2 * Self::MAX_LENGTH).collect() });
        }
        let mut bytes = [0; Self::MAX_LENGTH];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Ok(Self { length, bytes })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        // Plain ASCII since `new`.
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for PolicyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_plain_and_short() {
        for name in ["a", "login-by-address", "tenant_1", &"x".repeat(31)] {
            assert_eq!(PolicyName::new(name).unwrap().as_str(), name);
        }
        for name in
            ["", "1st", "-a", "Login", "a b", "a:b", "a{b}", "ä", "a\0", &"x".repeat(32), &"x".repeat(300)]
        {
            let error = PolicyName::new(name).unwrap_err();
            assert!(error.to_string().contains("1 to 31 characters"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_whole_or_refused(text in ".{0,40}") {
            if let Ok(name) = PolicyName::new(&text) {
                prop_assert_eq!(name.as_str(), text);
            }
        }
    }
}
