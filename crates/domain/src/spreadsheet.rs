//! Text that passes through spreadsheets unharmed.
//!
//! A spreadsheet that opens a CSV file guesses what each cell is. It runs text that begins like a formula, cuts the
//! leading zeros off an article, shows a barcode as `2.04E+12` and saves it like that, and makes a date of `10-12`.
//! The text of a seller or a marketplace must survive this, so a cell that would be guessed wrong is marked with an
//! apostrophe in front, the spreadsheets' own sign for text.

/// The mark.
const MARK: char = '\'';

/// Digits from which on a spreadsheet shows a number in scientific notation; after the fifteenth it loses them.
const LONG_NUMBER: usize = 12;

/// The text as a cell: with a mark in front where a spreadsheet would take it for something else.
pub fn mark(text: &str) -> std::borrow::Cow<'_, str> {
    if needs_mark(text) { format!("{MARK}{text}").into() } else { text.into() }
}

/// The text of a cell: without its mark, and without the `="…"` that some programs write instead.
pub fn unmark(cell: &str) -> &str {
    if let Some(text) = cell.strip_prefix(MARK) {
        return if needs_mark(text) { text } else { cell };
    }
    let quoted = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    quoted.filter(|text| !text.contains('"')).unwrap_or(cell)
}

fn needs_mark(text: &str) -> bool {
    text.starts_with(MARK) || begins_a_formula(text) || looks_like_a_number(text)
}

/// Whether a spreadsheet may run it. Some skip blanks before they look, and some take full-width signs for plain ones.
fn begins_a_formula(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n'])
        || text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// Whether a spreadsheet may make another number, a date or a time of it.
fn looks_like_a_number(text: &str) -> bool {
    let text = text.trim();
    let is_plain = text.bytes().all(|b| b.is_ascii_digit());
    if is_plain {
        return text.len() >= LONG_NUMBER || (text.len() > 1 && text.starts_with('0'));
    }
    let may_be =
        |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '/' | ':' | ' ' | 'e' | 'E' | '%');
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',')) && text.chars().all(may_be)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_spreadsheet_would_change_is_marked() {
        for text in [
            "=1+1",
            "+7 900 000-00-00",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "  =cmd|' /C calc'!A0",
            "＝1+1",
            "'quoted",
            "007",
            "2038461935712",
            "1234567890123456789",
            "1E5",
            "10-12",
            "1/2",
            "12:30",
            "1,5",
            ".5",
        ] {
            assert_eq!(mark(text), format!("'{text}"), "{text}");
        }
        for text in ["", "0", "7", "12345678901", "TS-001", "Футболка", "3XL", "5 шт", "a=b", "№1", "e5"]
        {
            assert_eq!(mark(text), text);
        }
    }

    #[test]
    fn marks_of_other_programs_are_taken_off_too() {
        assert_eq!(unmark("=\"0042\""), "0042");
        assert_eq!(unmark("=\"a\"&\"b\""), "=\"a\"&\"b\"");
        assert_eq!(unmark("'abc"), "'abc", "no mark was needed, so it is none");
        assert_eq!(unmark("'"), "'");
    }

    proptest! {
        #[test]
        fn no_cell_is_a_formula_and_every_text_comes_back(text in "(?s)[=+@'\"0-9eE.,:/ \t\r\n-]{0,8}|.{0,12}") {
            let cell = mark(&text);
            prop_assert!(!begins_a_formula(&cell));
            // Other programs' marks are told from text by nothing; such a text is marked, and comes back too.
            prop_assert_eq!(unmark(&cell), text.as_str());
        }
    }
}
