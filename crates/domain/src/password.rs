//! What a password must be before it is accepted. Hashing and checking live with the use cases.

use std::ops::RangeInclusive;

/// Characters that a password may have.
pub const LENGTH: RangeInclusive<usize> = 12..=128;

/// Guesses below which a password counts as common (`zxcvbn`'s estimate, which knows the usual lists, names,
/// keyboard walks and repetitions).
const COMMON_BELOW_LOG10_GUESSES: f64 = 5.0;

/// Why a password is refused, in words for the person who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not within [`LENGTH`].
    #[error("must have 12 to 128 characters")]
    Length,
    /// Everybody's first guess.
    #[error("is too common or too easy to guess")]
    Common,
}

/// Checks a new password. `personal` are words an attacker would try first: the e-mail address, the company.
pub fn check(password: &str, personal: &[&str]) -> Result<(), Refusal> {
    if !LENGTH.contains(&password.chars().count()) {
        return Err(Refusal::Length);
    }
    if zxcvbn::zxcvbn(password, personal).guesses_log10() < COMMON_BELOW_LOG10_GUESSES {
        return Err(Refusal::Common);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(check("короткий", &[]), Err(Refusal::Length));
        assert_eq!(check(&"я".repeat(129), &[]), Err(Refusal::Length));
        assert_eq!(check("сова-летит-3-раза", &[]), Ok(()));
    }

    #[test]
    fn common_ones_are_refused() {
        for common in ["passwordpassword", "123456789012", "qwertyuiop[]", "aaaaaaaaaaaaa", "password1234"] {
            assert_eq!(check(common, &[]), Err(Refusal::Common), "{common}");
        }
        assert_eq!(check("anna@example.com", &["anna@example.com"]), Err(Refusal::Common));
    }
}
