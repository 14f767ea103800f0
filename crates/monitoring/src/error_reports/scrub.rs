//! What must not leave the process: passwords, tokens, keys, e-mail addresses, numbers of cards.
//!
//! A value is taken out by the name it goes under, or by what it looks like, wherever it is: in a field, within a text, in
//! a header, in a breadcrumb. Requests keep the headers that tell nothing of a person, and no query: people type into it.

use std::borrow::Cow;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

/// Stands where something was.
const FILTERED: &str = "[Filtered]";

/// Names whose values are secrets, also as parts of longer names, without regard to case, `-` and `_`.
const SECRET_NAMES: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "fernet",
    "authorization",
    "cookie",
    "credential",
    "jwt",
    "signature",
];

/// Headers that are kept.
const HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    "x-forwarded-proto",
    "x-request-id",
];

/// Takes secrets out of JSON.
pub(super) struct Scrubber {
    patterns: Vec<(Regex, &'static str)>,
    digits: Regex,
    opaque: Regex,
}

impl Scrubber {
    pub(super) fn new() -> Self {
        let named = "pass(?:word|wd|phrase)|secret|token|(?:api|access|private|signing)[_-]?key|authorization|\
                     cookie|credentials?|jwt|signature";
        let patterns = [
            // JSON Web Tokens, also cut short.
            (r"\beyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,2}".to_owned(), FILTERED),
            // Fernet.
            (r"\bgAAAAA[A-Za-z0-9_=-]{8,}".to_owned(), FILTERED),
            // Schemes of `Authorization`.
            (r"(?i)\b(bearer|basic|digest)\s+[^\s,;]+".to_owned(), "$1 [Filtered]"),
            // Users and passwords of addresses.
            (r"://[^/\s@]+@".to_owned(), "://[Filtered]@"),
            (r"[\p{L}\p{N}._%+'-]+@(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}".to_owned(), FILTERED),
            // `name=value`, `"name": "value"`, `name: value`.
            (
                format!(
                    r#"(?i)([\w-]*(?:{named})[\w-]*)(\\?["']?\s*[=:]\s*)(?:\\?"[^"]*"|'[^']*'|[^\s"'&,;}}\]]+)"#
                ),
                "$1$2[Filtered]",
            ),
            // Bots of Telegram.
            (r"\b[0-9]{6,12}:[A-Za-z0-9_-]{30,}".to_owned(), FILTERED),
        ];
        let compiled = |pattern: &str| Regex::new(pattern).expect("the pattern is written here");
        Self {
            patterns: patterns.iter().map(|(pattern, by)| (compiled(pattern), *by)).collect(),
            digits: compiled(r"[0-9](?:[ -]?[0-9]){12,18}"),
            opaque: compiled(r"[A-Za-z0-9_+/-]{32,}=*"),
        }
    }

    /// Takes everything out of `value` that must not leave.
    pub(super) fn scrub(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub(item)),
            Value::Object(fields) => self.fields(fields),
            Value::Number(number) => {
                if let Cow::Owned(clean) = self.text(&number.to_string()) {
                    *value = clean.into();
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn fields(&self, fields: &mut Map<String, Value>) {
        if let Some(Value::Object(request)) = fields.get_mut("request") {
            strip(request);
        }
        for (name, value) in std::mem::take(fields) {
            let name = self.text(&name).into_owned();
            let value = if is_secret(&name) && !value.is_null() {
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
        let mut clean = Cow::Borrowed(text);
        for (pattern, by) in &self.patterns {
            if let Cow::Owned(changed) = pattern.replace_all(&clean, *by) {
                clean = changed.into();
            }
        }
        let card =
            |found: &Captures<'_>| if is_card(&found[0]) { FILTERED.to_owned() } else { found[0].to_owned() };
        if let Cow::Owned(changed) = self.digits.replace_all(&clean, card) {
            clean = changed.into();
        }
        let key =
            |found: &Captures<'_>| if is_key(&found[0]) { FILTERED.to_owned() } else { found[0].to_owned() };
        if let Cow::Owned(changed) = self.opaque.replace_all(&clean, key) {
            clean = changed.into();
        }
        clean
    }
}

fn is_secret(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    SECRET_NAMES.iter().any(|secret| plain.contains(secret))
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
