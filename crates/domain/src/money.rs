//! Money as whole minor units of a currency.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 code, such as `RUB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// The text is not a three-letter currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a currency code")]
pub struct UnknownCurrency;

impl Currency {
    /// The rouble.
    pub const RUB: Self = Self(*b"RUB");

    /// Accepts three upper-case letters.
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| UnknownCurrency)?;
        if bytes.iter().all(u8::is_ascii_uppercase) { Ok(Self(bytes)) } else { Err(UnknownCurrency) }
    }

    /// The code.
    pub fn code(&self) -> &str {
        str::from_utf8(&self.0).expect("a currency is made of ASCII letters")
    }

    /// Digits after the decimal point (ISO 4217 exponent).
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"VND" | b"CLP" | b"ISK" | b"UGX" | b"XAF" | b"XOF" | b"PYG" => 0,
            b"BHD" | b"KWD" | b"OMR" | b"JOD" | b"TND" | b"IQD" | b"LYD" => 3,
            _ => 2,
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;

    fn try_from(code: String) -> Result<Self, UnknownCurrency> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in minor units (kopecks, cents).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Whole minor units; may be negative (a refund).
    pub minor: i64,
    /// What the units are of.
    pub currency: Currency,
}

/// The text is not a decimal amount that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an amount of money")]
pub struct MalformedAmount;

impl Money {
    /// Reads a decimal such as `1234.5`, rounding half away from zero to the currency's minor unit. Marketplaces send
    /// money as JSON numbers or strings; both arrive here as their exact text, never as a float.
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Self, MalformedAmount> {
        let (negative, digits) = match text.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        let (digits, shift) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| MalformedAmount)?),
            None => (digits, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all = [whole, fraction].concat();
        if all.is_empty() || all.len() > 30 || !all.bytes().all(|b| b.is_ascii_digit()) || shift.abs() > 30 {
            return Err(MalformedAmount);
        }
        let mut value: i128 = all.parse().map_err(|_| MalformedAmount)?;
        let fraction_digits = i32::try_from(fraction.len()).map_err(|_| MalformedAmount)?;
        let exponent = i32::try_from(currency.exponent()).map_err(|_| MalformedAmount)?;
        let scale = exponent - fraction_digits + shift;
        let power = 10_i128.checked_pow(scale.unsigned_abs()).ok_or(MalformedAmount)?;
        value = if scale >= 0 {
            value.checked_mul(power).ok_or(MalformedAmount)?
        } else {
            (value + power / 2) / power
        };
        let minor = i64::try_from(if negative { -value } else { value }).map_err(|_| MalformedAmount)?;
        Ok(Self { minor, currency })
    }

    /// The amount as a decimal with the currency's digits, such as `12.50`.
    pub fn decimal(self) -> String {
        let digits = self.currency.exponent();
        let unit = 10_u64.pow(digits);
        let sign = if self.minor < 0 { "-" } else { "" };
        let (whole, rest) = (self.minor.unsigned_abs() / unit, self.minor.unsigned_abs() % unit);
        match digits {
            0 => format!("{sign}{whole}"),
            _ => format!("{sign}{whole}.{rest:0width$}", width = digits as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_become_minor_units() {
        for (text, minor) in [
            ("12.5", 1250),
            ("12", 1200),
            ("0.005", 1),
            ("-3.10", -310),
            ("1e3", 100_000),
            ("899.99", 89_999),
        ] {
            assert_eq!(Money::parse_decimal(text, Currency::RUB).unwrap().minor, minor, "{text}");
        }
        for wrong in ["", "x", "1.2.3", "--1", "1e", "99999999999999999999", "1e99", "NaN"] {
            assert_eq!(Money::parse_decimal(wrong, Currency::RUB), Err(MalformedAmount), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(minor in any::<i64>().prop_filter("no overflow", |m| *m != i64::MIN)) {
            let money = Money { minor, currency: Currency::RUB };
            prop_assert_eq!(Money::parse_decimal(&money.decimal(), Currency::RUB), Ok(money));
        }
    }
}
