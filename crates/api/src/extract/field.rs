//! Types of single fields that refuse what does not fit while they are read, so that the complaint has a pointer.

use std::{fmt, marker::PhantomData};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

/// A text of `MIN` to `MAX` characters that a database can keep.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<const MIN: usize, const MAX: usize>(pub(crate) String);

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        check::<D::Error>(&text, MIN, MAX)?;
        Ok(Self(text))
    }
}

/// A secret of 1 to `MAX` characters.
#[derive(Debug, Clone)]
pub(crate) struct SecretText<const MAX: usize>(pub(crate) SecretString);

impl<'de, const MAX: usize> Deserialize<'de> for SecretText<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let refused = check::<D::Error>(&text, 1, MAX);
        let secret = SecretString::from(text);
        refused.map(|()| Self(secret))
    }
}

fn check<E: de::Error>(text: &str, min: usize, max: usize) -> Result<(), E> {
    let length = text.chars().count();
    if text.contains('\0') {
        // PostgreSQL keeps no such text.
        Err(E::custom("must not contain NUL characters"))
    } else if length < min && min == 1 {
        Err(E::custom("must not be empty"))
    } else if !(min..=max).contains(&length) {
        Err(E::custom(format_args!("must have {min} to {max} characters")))
    } else {
        Ok(())
    }
}

/// A whole number of a body, from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number<const MIN: i64, const MAX: i64>(pub(crate) i64);

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Number<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(Within::<MIN, MAX>).map(Self)
    }
}

/// A whole number of a query, from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueryNumber<const MIN: i64, const MAX: i64>(pub(crate) i64);

impl<const MIN: i64, const MAX: i64> QueryNumber<MIN, MAX> {
    /// The number, for what cannot be negative.
    pub(crate) fn count(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for QueryNumber<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.parse().ok().filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(|| de::Error::custom(format_args!("must be {}", Within::<MIN, MAX>)))
    }
}

/// A yes or no of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueryFlag(pub(crate) bool);

impl<'de> Deserialize<'de> for QueryFlag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| de::Error::custom("must be true or false"))
    }
}

struct Within<const MIN: i64, const MAX: i64>;

impl<const MIN: i64, const MAX: i64> fmt::Display for Within<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }
}

impl<const MIN: i64, const MAX: i64> de::Visitor<'_> for Within<MIN, MAX> {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
        if (MIN..=MAX).contains(&number) {
            Ok(number)
        } else {
            Err(E::invalid_value(de::Unexpected::Signed(number), &self))
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
        let unexpected = de::Unexpected::Unsigned(number);
        let number = i64::try_from(number).map_err(|_| E::invalid_value(unexpected, &self))?;
        self.visit_i64(number)
    }
}

/// A JSON object. Structs can also be read from arrays, field after field, which nobody means.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// For a field that may be left out but not be null.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// For a field that may be left out, which leaves it as it is, or be null, which empties it.
#[expect(clippy::option_option, reason = "left out, null and a value are three different wishes")]
pub(crate) fn given_or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
