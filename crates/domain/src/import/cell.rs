//! Cells, and what may be read from them.

use std::borrow::Cow;

use crate::spreadsheet;

/// A cell of a file. A CSV file has texts alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Text.
    Text(Cow<'a, str>),
    /// A number, as spreadsheets keep them.
    Number(f64),
    /// A yes or no.
    Flag,
    /// A date or a time.
    Moment,
    /// An error of the spreadsheet, such as `#N/A`.
    Fault,
}

/// Above this a spreadsheet's number may have lost digits.
const EXACT: f64 = 1e15;

impl Cell<'_> {
    /// Whether there is nothing to read.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// The text, without blanks around it and without the mark of a spreadsheet; none if the cell is blank.
    pub(super) fn text(&self) -> Result<Option<String>, &'static str> {
        match self {
            Self::Empty => Ok(None),
            Self::Text(text) => {
                let text = spreadsheet::unmark(text.trim()).trim();
                Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
            }
            Self::Number(number) if number.abs() >= EXACT => Err(
                "is a number of more than 15 digits, which spreadsheets do not keep: make the cell a text",
            ),
            Self::Number(number) => Ok(Some(number.to_string())),
            Self::Flag => Err("is a yes or no: make the cell a text"),
            Self::Moment => Err("is a date: make the cell a text"),
            Self::Fault => Err("is an error of the spreadsheet"),
        }
    }

    /// A whole number from 0 to `most`; none if the cell is blank.
    pub(super) fn units(&self, most: i64) -> Result<Option<i64>, String> {
        let number = match self {
            Self::Empty => return Ok(None),
            Self::Number(number) => whole(*number)?,
            Self::Text(_) => {
                let Some(text) = self.text()? else { return Ok(None) };
                digits(&text)?
            }
            Self::Flag | Self::Moment => return Err("must be a whole number".to_owned()),
            Self::Fault => return Err("is an error of the spreadsheet".to_owned()),
        };
        match number {
            ..0 => Err("must not be negative".to_owned()),
            number if number <= i128::from(most) => Ok(i64::try_from(number).ok()),
            _ => Err(format!("must be at most {most}")),
        }
    }
}

fn whole(number: f64) -> Result<i128, String> {
    if number.fract() != 0.0 || !number.is_finite() {
        return Err("must be a whole number, without a fraction".to_owned());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it has no fraction, and i128 is wide enough or saturates"
    )]
    Ok(number as i128)
}

/// A whole number as people write it: digits, perhaps in groups of three with blanks between. A comma or a dot is
/// refused: `5,000` is five to some programs and five thousand to others.
fn digits(text: &str) -> Result<i128, String> {
    let (negative, text) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if text.contains([',', '.']) {
        return Err("must be a whole number, without a decimal or a thousands sign".to_owned());
    }
    let mut groups = text.split([' ', '\u{a0}', '\u{2009}', '\u{202f}']);
    let first = groups.next().unwrap_or_default();
    let is_digits = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let rest: Vec<&str> = groups.collect();
    let grouped = rest.is_empty() || first.len() <= 3;
    if !is_digits(first) || !grouped || !rest.iter().all(|group| group.len() == 3 && is_digits(group)) {
        return Err("must be a whole number".to_owned());
    }
    let joined = format!("{first}{}", rest.concat());
    // More digits than this hold no number of units, and the sign is told first.
    let number = joined.parse().unwrap_or(i128::MAX);
    Ok(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> Result<Option<i64>, String> {
        Cell::Text(text.into()).units(1000)
    }

    #[test]
    fn numbers_as_people_write_them() {
        for (text, number) in [
            ("0", 0),
            (" 17 ", 17),
            ("007", 7),
            ("1 000", 1000),
            ("1\u{a0}000", 1000),
            ("'007", 7),
            ("+5", 5),
        ] {
            assert_eq!(units(text), Ok(Some(number)), "{text}");
        }
        assert_eq!(units("  "), Ok(None));
        assert_eq!(units("-0"), Ok(Some(0)));
        for (text, detail) in [
            ("-1", "must not be negative"),
            ("−12", "must not be negative"),
            ("1001", "must be at most 1000"),
            ("99999999999999999999999999999999999999999999", "must be at most 1000"),
            ("5,000", "must be a whole number, without a decimal or a thousands sign"),
            ("1.5", "must be a whole number, without a decimal or a thousands sign"),
            ("5 шт", "must be a whole number"),
            ("10 00", "must be a whole number"),
            ("1000 000", "must be a whole number"),
            ("1e3", "must be a whole number"),
            ("-", "must be a whole number"),
            ("none", "must be a whole number"),
        ] {
            assert_eq!(units(text).unwrap_err(), detail, "{text}");
        }
    }

    #[test]
    fn numbers_as_spreadsheets_keep_them() {
        assert_eq!(Cell::Number(5.0).units(1000), Ok(Some(5)));
        assert!(Cell::Number(5.5).units(1000).is_err());
        assert!(Cell::Number(f64::NAN).units(1000).is_err());
        assert_eq!(Cell::Number(1e300).units(1000).unwrap_err(), "must be at most 1000");
        assert_eq!(Cell::Number(-1.0).units(1000).unwrap_err(), "must not be negative");
        assert!(Cell::Moment.units(1000).is_err() && Cell::Flag.units(1000).is_err());
    }

    #[test]
    fn ids_keep_their_digits_or_are_refused() {
        assert_eq!(Cell::Number(2_038_461_935_712.0).text(), Ok(Some("2038461935712".into())));
        assert_eq!(Cell::Text("'00042".into()).text(), Ok(Some("00042".into())));
        assert_eq!(Cell::Text(" \u{a0} ".into()).text(), Ok(None));
        assert!(Cell::Number(1_234_567_890_123_456.0).text().is_err());
        assert!(Cell::Moment.text().is_err() && Cell::Fault.text().is_err() && Cell::Flag.text().is_err());
    }

    proptest! {
        #[test]
        fn a_number_is_read_as_it_is_written(number in 0_i64..=1_000_000_000) {
            let most = 1_000_000_000;
            prop_assert_eq!(Cell::Text(number.to_string().into()).units(most), Ok(Some(number)));
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let kept = number as f64;
            prop_assert_eq!(Cell::Number(kept).units(most), Ok(Some(number)));
        }

        #[test]
        fn no_text_is_read_as_a_wrong_number(text in "\\PC{0,12}") {
            if let Ok(Some(number)) = Cell::Text(text.as_str().into()).units(i64::MAX) {
                let kept: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(kept.parse::<i64>(), Ok(number));
            }
        }
    }
}
