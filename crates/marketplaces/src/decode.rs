//! Tolerant reading of JSON: ids and quantities as numbers or strings, money as its exact text, each row on its own.
//!
//! A page must hold its shape; a row that does not is counted and left out.

mod list;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

pub(crate) use self::list::{Keep, List, Listed};
use crate::error::Error;

/// An identifier or a short text: a string, or a number as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Text(pub String);

impl Text {
    /// The text, unless there is none.
    pub(crate) fn filled(text: Option<Self>) -> Option<String> {
        text.map(|text| text.0).filter(|text| !text.trim().is_empty())
    }
}

/// An identifier: a text that [tells one thing from all others](tells_apart).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Id(pub String);

/// Whether an id tells one thing from all others. Nothing has the number 0: that is a number that has lost its value.
pub(crate) fn tells_apart(id: &str) -> bool {
    !matches!(id.trim(), "" | "0")
}

/// A whole number, also where it comes as a string or with a fraction of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole(pub i64);

/// A number of units on a shelf or on the way: a [`Whole`] from 0 to [`MOST_UNITS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Units(pub i64);

/// More units of one thing in one place than anybody has; the sums over a catalogue stay far from overflow.
const MOST_UNITS: i64 = 1_000_000_000;

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Whole(units) = Whole::deserialize(deserializer)?;
        if (0..=MOST_UNITS).contains(&units) {
            Ok(Self(units))
        } else {
            Err(de::Error::custom("not a number of units"))
        }
    }
}

/// A decimal number as it is written, from a JSON number or string; never a float.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Decimal(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a whole number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        if tells_apart(&text) { Ok(Self(text)) } else { Err(de::Error::custom("an empty id")) }
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Decimal(text) = Decimal::deserialize(deserializer)?;
        let whole = match text.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
            _ => &text,
        };
        whole.parse().map(Self).map_err(|_| de::Error::custom("not a whole number"))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('"') {
            return serde_json::from_str(raw)
                .map(|text: String| Self(text.trim().to_owned()))
                .map_err(de::Error::custom);
        }
        match raw.as_bytes() {
            [b'-' | b'0'..=b'9', ..] => Ok(Self(raw.to_owned())),
            _ => Err(de::Error::custom("neither a number nor a string")),
        }
    }
}

/// The rows of a page, not yet read.
pub(crate) type RawRows<'a> = Vec<&'a RawValue>;

/// For a field that must be there and may be null: one that is missing has been renamed.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// Reads the shape of an answer. What breaks off is a transient failure; what does not fit is a changed contract.
pub(crate) fn page<'a, T: Deserialize<'a>>(endpoint: &'static str, body: &'a [u8]) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| misfit(endpoint, &error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| misfit(endpoint, ".", &error))?;
    Ok(value)
}

fn misfit(endpoint: &'static str, path: &str, error: &serde_json::Error) -> Error {
    if error.is_eof() {
        let what = "the answer breaks off".to_owned();
        return Error::Transient { operation: endpoint, what, retry_after: None };
    }
    Error::ContractChanged { endpoint, what: format!("{path}: {error}") }
}

/// Reads each row by itself. `make` turns the wire's row into ours, or says that it cannot be one.
pub(crate) fn rows<'a, T: Deserialize<'a>, R>(
    endpoint: &'static str,
    raw: RawRows<'a>,
    make: impl Fn(T) -> Option<R>,
) -> (Vec<R>, u64) {
    let mut failed = 0;
    let mut good = Vec::with_capacity(raw.len());
    for text in raw {
        match row(text.get()).and_then(|row| make(row).ok_or_else(|| SENSELESS.to_owned())) {
            Ok(row) => good.push(row),
            Err(why) => note_failed(endpoint, &mut failed, &why),
        }
    }
    (good, failed)
}

/// Why a row that can be read is none all the same.
const SENSELESS: &str = "a value makes no sense";

/// Reads one row, or tells why it cannot be read.
fn row<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    // No name has a NUL in it, and PostgreSQL would refuse the whole page for one.
    if text.contains("\\u0000") {
        return Err("a NUL".to_owned());
    }
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text))
        .map_err(|error| error.to_string())
}

/// Counts a row that cannot be read, and logs the first of its page.
fn note_failed(endpoint: &'static str, failed: &mut u64, why: &str) {
    *failed += 1;
    if *failed == 1 {
        tracing::warn!(operation = endpoint, why, "a row cannot be read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        items: RawRows<'a>,
    }

    #[derive(Debug, Deserialize)]
    struct Row {
        id: Id,
        amount: Option<Whole>,
        price: Option<Decimal>,
    }

    fn read(json: &str) -> (Vec<Row>, u64) {
        let page: Page<'_> = page("test", json.as_bytes()).unwrap();
        rows("test", page.items, Some)
    }

    #[test]
    fn ids_and_quantities_come_as_numbers_or_strings() {
        let (rows, failed) = read(
            r#"{"items":[{"id":9007199254740993,"amount":"7","new":{}},{"id":"x1","amount":7.0},{"id":-999999}],"more":1}"#,
        );
        assert_eq!(failed, 0);
        assert_eq!(rows[0].id.0, "9007199254740993");
        assert_eq!(rows[0].amount, Some(Whole(7)));
        assert_eq!(rows[1].amount, Some(Whole(7)));
        assert_eq!(rows[2].id.0, "-999999");
        assert_eq!(rows[2].amount, None);
    }

    #[test]
    fn money_keeps_its_exact_text() {
        let (rows, _) = read(
            r#"{"items":[{"id":1,"price":1234567890123.45},{"id":1,"price":" 0.1 "},{"id":1,"price":null}]}"#,
        );
        assert_eq!(rows[0].price.as_ref().unwrap().0, "1234567890123.45");
        assert_eq!(rows[1].price.as_ref().unwrap().0, "0.1");
        assert_eq!(rows[2].price, None);
    }

    #[test]
    fn one_bad_row_does_not_take_its_page_with_it() {
        let (rows, failed) = read(
            r#"{"items":[{"id":1},{"id":""},{"id":{}},null,{"amount":1},{"id":2,"amount":1.5},{"id":3,"price":[]},{"id":4}]}"#,
        );
        let ids: Vec<_> = rows.iter().map(|row| row.id.0.as_str()).collect();
        assert_eq!((ids, failed), (vec!["1", "4"], 6));
    }

    #[test]
    fn units_are_neither_negative_nor_more_than_anybody_has() {
        let read = |json: &str| serde_json::from_str::<Units>(json).map(|units| units.0).ok();
        assert_eq!((read("0"), read("\"12\""), read("1000000000")), (Some(0), Some(12), Some(1_000_000_000)));
        assert_eq!((read("-1"), read("1000000001"), read("9223372036854775807")), (None, None, None));
    }

    #[test]
    fn a_row_with_a_nul_in_it_is_a_bad_row() {
        let (rows, failed) = read(r#"{"items":[{"id":"a\u0000"},{"id":"b"}]}"#);
        assert_eq!((rows.len(), failed), (1, 1));
    }

    #[test]
    fn a_page_that_loses_its_shape_says_where() {
        let changed = page::<Page<'_>>("test", br#"{"items":{"0":1}}"#).unwrap_err();
        let Error::ContractChanged { endpoint: "test", what } = changed else { panic!("{changed}") };
        assert!(what.starts_with("items: "), "{what}");
    }

    #[test]
    fn a_page_that_breaks_off_may_be_asked_for_again() {
        for text in ["", r#"{"items":[{"id":1},"#, r#"{"items":[{"id":"a"#] {
            let error = page::<Page<'_>>("test", text.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::Transient { .. }), "{text}: {error}");
        }
    }
}
