//! Between stored words and domain values. What does not decode is damage, never a default.

use std::str::FromStr;

use domain::{
    marketplace::MarketplaceCode,
    money::{Currency, Money},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::Error;

/// A word that a domain type knows.
pub(crate) fn word<T: FromStr>(what: &'static str, text: &str) -> Result<T, Error>
where
    T::Err: ToString,
{
    text.parse().map_err(|e: T::Err| Error::damaged(what, &e))
}

/// The marketplace of a row.
pub(crate) fn marketplace(text: &str) -> Result<MarketplaceCode, Error> {
    word("marketplace", text)
}

/// A value kept as JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| Error::damaged(what, &e))
}

/// JSON text of a value.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("domain values have JSON forms")
}

/// An amount with the currency of its row.
pub(crate) fn money(minor: Option<i64>, currency: Option<&str>) -> Result<Option<Money>, Error> {
    let (Some(minor), Some(currency)) = (minor, currency) else {
        return Ok(None);
    };
    let currency = Currency::parse(currency).map_err(|e| Error::damaged("currency", &e))?;
    Ok(Some(Money { minor, currency }))
}

/// A figure of the product table, where -1 stands for unknown.
pub(crate) fn known(figure: i64) -> Option<i64> {
    (figure >= 0).then_some(figure)
}

/// Empty text of the product table stands for none.
pub(crate) fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
