//! What must not leave the process: passwords, tokens, keys, e-mail addresses, numbers of cards.
//!
//! A value is taken out by the name it goes under, or by what it looks like, wherever it is: in a field, within a text, in
//! a header, in a breadcrumb. Requests keep the headers that tell nothing of a person, and no query: people type into it.

use std::borrow::Cow;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

/// Bytes of one text that are looked at and kept.
const LONGEST_TEXT: usize = 8_000;
/// Bytes of a header that are kept.
const LONGEST_HEADER: usize = 256;
/// Ids that Sentry makes, of random digits.
const IDS: [&str; 4] = ["event_id", "trace_id", "span_id", "parent_span_id"];

/// Stands where something was.
const FILTERED: &str = "[Filtered]";

/// Names whose values are secrets, also as parts of longer names.
const NAMES: &str = "(?i:pass(?:word|wd|phrase)|pwd|secret|token|(?:api|access|private|signing)[ ._-]{0,2}key|fernet|\
                     authorization|cookie|credential|jwt|signature|session|refresh)";

/// Headers that are kept.
const HEADERS: [&str; 7] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-length",
    "content-type",
    "user-agent",
    "x-request-id",
];

/// Takes secrets out of JSON.
pub(super) struct Scrubber {
    /// Schemes of `Authorization`, with what may be a credential or the next word of a sentence.
    schemes: Regex,
    names: Regex,
    patterns: Vec<(Regex, &'static str)>,
    digits: Regex,
    opaque: Regex,
}

impl Scrubber {
    pub(super) fn new() -> Self {
        let patterns = [
            // JSON Web Tokens, also cut short.
            (r"\beyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,2}".to_owned(), FILTERED),
            // Fernet, and refresh tokens of this product.
            (r"\bgAAAAA[A-Za-z0-9_=-]{8,}|\brt_[A-Za-z0-9_-]{16,}".to_owned(), FILTERED),
            // Users and passwords of addresses.
            (r"://[^\s/@]*:[^\s]*@".to_owned(), "://[Filtered]@"),
            (r"[\p{L}\p{N}._%+'-]+(?:@|%40)(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}".to_owned(), FILTERED),
            // `name=value`, `"name": "value"`, `name: Some("value")`; not `module::name`, nor `column = $1`.
            (
                format!(
                    r#"(?i)([\w-]*{NAMES}[\w-]*)(\\?["']?\s*(?:=|:|%3d)\s*)(?:\\"(?:[^"\\]|\\[^"])*\\"|(?:\w+\()*"(?:[^"\\]|\\.)*"|'[^']*'|[\[{{(][^\]}})]*|[^\s"'&,;:$?(\[{{}}\])][^\s"'&,;}}\])]*)"#
                ),
                "$1$2[Filtered]",
            ),
            // Bots of Telegram, also in an address.
            (r"[0-9]{6,12}:[A-Za-z0-9_-]{30,}".to_owned(), FILTERED),
        ];
        let compiled = |pattern: &str| Regex::new(pattern).expect("the pattern is written here");
        Self {
            names: compiled(NAMES),
            schemes: compiled(r"(?i)\b(bearer|basic)\s+([A-Za-z0-9+/._~=-]{6,})"),
            patterns: patterns.iter().map(|(pattern, by)| (compiled(pattern), *by)).collect(),
            // From 14 digits on: with 13, barcodes would look like cards.
            digits: compiled(r"\b[0-9](?:[ .-]?[0-9]){13,18}\b"),
            opaque: compiled(r"[A-Za-z0-9_+-]{32,}=*"),
        }
    }

    /// Takes everything out of `value` that must not leave.
    pub(super) fn scrub(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                text.truncate(text.floor_char_boundary(LONGEST_TEXT));
                if let Cow::Owned(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub(item)),
            Value::Object(fields) => self.fields(fields),
            // Times are fractions, and look like cards now and then.
            Value::Number(number) if number.is_u64() => {
                if let Cow::Owned(clean) = self.text(&number.to_string()) {
                    *value = clean.into();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn fields(&self, fields: &mut Map<String, Value>) {
        if let Some(Value::Object(request)) = fields.get_mut("request") {
            strip(request);
        }
        for (name, value) in std::mem::take(fields) {
            let name = self.text(&name).into_owned();
            let value = if IDS.contains(&name.as_str()) {
                value
            } else if self.names.is_match(&name) && !value.is_null() {
                FILTERED.into()
            } else {
                let mut value = value;
                self.scrub(&mut value);
                value
            };
            fields.insert(name, value);
        }
    }

    fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_word = |text: &str| text.chars().all(|c| c.is_ascii_lowercase());
        let mut clean = self.schemes.replace_all(text, |found: &Captures<'_>| {
            if is_word(&found[2]) { found[0].to_owned() } else { format!("{} {FILTERED}", &found[1]) }
        });
        for (pattern, by) in &self.patterns {
            if let Cow::Owned(changed) = pattern.replace_all(&clean, *by) {
                clean = changed.into();
            }
        }
        for (pattern, is_secret) in [(&self.digits, is_card as fn(&str) -> bool), (&self.opaque, is_key)] {
            let filtered = |found: &Captures<'_>| {
                if is_secret(&found[0]) { FILTERED.to_owned() } else { found[0].to_owned() }
            };
            if let Cow::Owned(changed) = pattern.replace_all(&clean, filtered) {
                clean = changed.into();
            }
        }
        clean
    }
}

/// Leaves of a request what tells nothing of a person.
fn strip(request: &mut Map<String, Value>) {
    for field in ["query_string", "data", "cookies", "env"] {
        request.remove(field);
    }
    if let Some(Value::String(url)) = request.get_mut("url")
        && let Some(end) = url.find(['?', '#'])
    {
        url.truncate(end);
    }
    if let Some(Value::Object(headers)) = request.get_mut("headers") {
        headers.retain(|name, _| HEADERS.contains(&name.to_lowercase().as_str()));
        for value in headers.values_mut() {
            if let Value::String(text) = value {
                text.truncate(text.floor_char_boundary(LONGEST_HEADER));
            }
        }
    }
}

/// Whether digits have the check digit of a card (Luhn).
fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().rev().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit) {
            (0, digit) => *digit,
            (_, digit) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    digits.iter().any(|digit| *digit > 0) && sum.is_multiple_of(10)
}

/// Whether a long word looks like a key: of mixed characters, or of hexadecimal digits in the length of one. Ids and
/// commits have fewer digits, names of functions no capitals beside digits.
fn is_key(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
    let hexadecimal = word.chars().all(|c| c.is_ascii_hexdigit());
    if hexadecimal {
        word.len() >= 48
    } else {
        has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    static SCRUBBER: LazyLock<Scrubber> = LazyLock::new(Scrubber::new);

    fn clean(text: &str) -> String {
        SCRUBBER.text(text).into_owned()
    }

    #[test]
    fn secrets_are_taken_out_however_they_are_written() {
        for (text, secret) in [
            ("Settings { password: Some(\"swordfish\"), port: 1 }", "swordfish"),
            ("token: Token(\"swordfish\")", "swordfish"),
            ("{\\\"password\\\":\\\"sword\\\\fish\\\"}", "fish"),
            ("pwd=swordfish", "swordfish"),
            ("tokens: [\"swordfish\", \"b\"]", "swordfish"),
            ("postgres://user:a/b@c@host/db", "a/b"),
            ("mail to ann%40example.com", "ann"),
            ("4111.1111.1111.1111", "1111"),
            ("refresh rt_sGVsbG9oZWxsb2hlbGxv ended", "sGVsbG9"),
            ("https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe", "AAHdq"),
        ] {
            let left = clean(text);
            assert!(!left.contains(secret), "{text} -> {left}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_names_and_cards_also_as_numbers() {
        for name in ["apiKey", "X-Refresh-Token", "access key", "private__key", "api.key"] {
            let mut value = json!({ name: 1 });
            SCRUBBER.scrub(&mut value);
            assert_eq!(value, json!({ name: FILTERED }));
        }
        let mut value = json!({ "card": 4_111_111_111_111_111_u64, "at": 1_795_308_016.014_937, "run": 3 });
        SCRUBBER.scrub(&mut value);
        assert_eq!(value, json!({ "card": FILTERED, "at": 1_795_308_016.014_937, "run": 3 }));
    }

    #[test]
    fn what_an_operator_needs_stays() {
        for text in [
            "app::auth::token::Tokens::verify",
            "tokio_util::sync::CancellationToken::cancelled",
            "SELECT 1 FROM session WHERE token_hash = $1 AND tenant_id = ?",
            "basic authentication",
            "/home/Builder01/src/stock_tracker/crates/monitoring/src/lib.rs",
            "barcodes 2037839000000 2037839000017",
            "018f4d2a-6b1c-7c3e-9f10-2b7f5d0a9c11",
            "stock-tracker@1.2.3+3f2504e04f8911d39a0c0305e82c3301abcdef12",
            "2026-11-22T00:44:38.704627658Z",
            "a_panic_is_a_500_with_all_headers_and_without_its_words",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    proptest! {
        #[test]
        fn ids_that_sentry_makes_stay(high in any::<u64>(), low in 0_u64..10_000_000_000_000_000) {
            let ids = json!({
                "event_id": format!("{high:016x}{low:016}"),
                "spans": [{ "span_id": format!("{low:016}"), "trace_id": format!("{high:016x}{low:016}") }],
            });
            let mut scrubbed = ids.clone();
            SCRUBBER.scrub(&mut scrubbed);
            prop_assert_eq!(scrubbed, ids);
        }
    }
}
