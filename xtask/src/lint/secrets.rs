//! Looks for secrets in everything that git tracks or would.
//!
//! A line that must hold something of such a shape says so, on itself or on the line before:
//! `secret-scan: allow (why it is none)`.

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result, bail};
use regex::Regex;

use crate::command::{command, output, root};

/// Lets a line pass. The bracket makes people give a reason.
const MARKER: &str = "secret-scan: allow (";

/// Bits per character from which a value of [`ASSIGNED`] looks random; English words stay below 3.3.
const RANDOM_FROM: f64 = 3.5;

/// Shapes that are secrets whatever stands around them.
const SHAPES: &[(&str, &str)] = &[
    ("private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    ("AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"),
    ("Slack token", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    ("Slack webhook", r"hooks\.slack\.com/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]+"),
    ("Telegram bot token", r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b"),
    ("JWT", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}"),
];

/// A name that promises a secret, and its value.
const ASSIGNED: &str = r#"(?ix)
    (?: passw(?:or)?d | passphrase | secret | token | api_?-?key | access_?key | credential | master_?key )
    [a-z0-9_-]* ["']? \s* (?: : | = | => ) \s* ["']?
    ([A-Za-z0-9+/=_.!@\#%^&*~-]{16,}) (?: [^A-Za-z0-9+/=_.!@\#%^&*~(-] | $ )"#;

/// A field of a field in code, which is not a value but the name of one.
const FIELD: &str = r"^[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)+$";

/// The password in `scheme://user:password@host`.
const IN_URL: &str = r"[a-z][a-z0-9+.-]*://[^\s:@/]*:([^\s:@/]{12,})@";

struct Scanner {
    shapes: Vec<(&'static str, Regex)>,
    assigned: Regex,
    field: Regex,
    in_url: Regex,
}

/// Fails with the place and kind of each find; the secret itself is not repeated.
pub(super) fn check() -> Result<()> {
    let listed =
        output(&mut command("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let scanner = Scanner::new()?;
    let mut finds = 0_usize;
    for name in listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = String::from_utf8_lossy(name);
        let path = root().join(name.as_ref());
        // Deleted but not yet staged, a link, a submodule.
        if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
            continue;
        }
        let content = fs::read(&path).with_context(|| format!("reading {name}"))?;
        if content.contains(&0) {
            continue;
        }
        for (line, kind) in scanner.scan(&String::from_utf8_lossy(&content)) {
            eprintln!("{name}:{line}: {kind}");
            finds += 1;
        }
    }
    if finds > 0 {
        bail!("{finds} possible secrets; a line that holds none says `{MARKER}why)`");
    }
    Ok(())
}

impl Scanner {
    fn new() -> Result<Self> {
        let shapes = SHAPES.iter().map(|(kind, shape)| Ok((*kind, Regex::new(shape)?)));
        Ok(Self {
            shapes: shapes.collect::<Result<_>>()?,
            assigned: Regex::new(ASSIGNED)?,
            field: Regex::new(FIELD)?,
            in_url: Regex::new(IN_URL)?,
        })
    }

    /// Line numbers, counted from 1, and what seems to stand there.
    fn scan(&self, text: &str) -> Vec<(usize, &'static str)> {
        let mut finds = Vec::new();
        let mut allowed_before = false;
        for (index, line) in text.lines().enumerate() {
            let allowed = line.contains(MARKER);
            if !allowed
                && !allowed_before
                && let Some(kind) = self.kind_of(line)
            {
                finds.push((index + 1, kind));
            }
            allowed_before = allowed;
        }
        finds
    }

    fn kind_of(&self, line: &str) -> Option<&'static str> {
        if let Some((kind, _)) = self.shapes.iter().find(|(_, shape)| shape.is_match(line)) {
            return Some(kind);
        }
        let assigned = self
            .assigned
            .captures_iter(line)
            .filter_map(|found| found.get(1))
            .any(|value| !self.field.is_match(value.as_str()) && looks_random(value.as_str()));
        if assigned {
            return Some("secret with a value");
        }
        let in_url = self.in_url.captures_iter(line).filter_map(|found| found.get(1));
        in_url.map(|value| value.as_str()).any(looks_random).then_some("password in a URL")
    }
}

/// Letters and digits mixed with as much variety as chance has; names, paths and sentences have less.
fn looks_random(value: &str) -> bool {
    let has = |kind: fn(&char) -> bool| value.chars().any(|letter| kind(&letter));
    has(char::is_ascii_digit) && has(char::is_ascii_alphabetic) && entropy(value) >= RANDOM_FROM
}

/// Shannon entropy of the letters of a text, in bits per letter.
#[expect(clippy::cast_precision_loss, reason = "lines of text are shorter than 2^52 letters")]
fn entropy(text: &str) -> f64 {
    let mut counts = HashMap::<char, usize>::new();
    for letter in text.chars() {
        *counts.entry(letter).or_default() += 1;
    }
    let total = text.chars().count() as f64;
    counts.values().map(|count| *count as f64 / total).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(line: &str) -> Option<&'static str> {
        Scanner::new().unwrap().kind_of(line)
    }

    /// Glued together at run time, so that this file passes its own scan and that of a code host.
    fn random(prefix: &str, length: usize) -> String {
        let letters = "q7Zk2RmX9vLb4TnW8cYd1HsJ6gPf3EuA5oKi0".chars().cycle();
        prefix.chars().chain(letters.take(length)).collect()
    }

    #[test]
    fn shapes_are_found_wherever_they_stand() {
        assert_eq!(kind(&format!("{} PRIVATE KEY-----", "-----BEGIN EC")), Some("private key"));
        assert_eq!(kind(&format!("{} PUBLIC KEY-----", "-----BEGIN")), None);
        assert_eq!(kind(&random("AKIA", 16).to_uppercase()), Some("AWS access key"));
        assert_eq!(kind(&format!("see {}", random("ghp_", 36))), Some("GitHub token"));
        assert_eq!(kind(&random("xoxb-", 20)), Some("Slack token"));
        assert_eq!(kind(&random("123456789:", 35)), Some("Telegram bot token"));
        let token = format!("{}.{}.{}", random("eyJ", 20), random("eyJ", 20), random("", 43));
        assert_eq!(kind(&format!("Authorization: Bearer {token}")), Some("JWT"));
    }

    #[test]
    fn a_named_value_is_found_only_when_it_looks_random() {
        let value = random("", 24);
        for line in [
            format!("password = \"{value}\""),
            format!("  API_KEY: {value}"),
            format!("\"client_secret\": \"{value}\""),
            format!("export SECRET_KEY={value}"),
        ] {
            assert_eq!(kind(&line), Some("secret with a value"), "{line}");
        }
        for line in [
            "password: SecretString,",
            "let token = tokens.issue_for_account(user);",
            "PASSWORD=correct-horse-battery-staple",
            "SECRET_KEY=change-me-change-me-change-me-1",
            "api_key = std::env::var(name)",
        ] {
            assert_eq!(kind(line), None, "{line}");
        }
        assert_eq!(kind(&format!("checksum = \"{value}\"")), None, "nothing says it is a secret");
        assert_eq!(kind("let token = body.0.refresh_token_of_client_42.0;"), None, "the name of a value");
        assert_eq!(kind("credential = self.0.open_credential_7_of_account(id)"), None, "a call");
    }

    #[test]
    fn a_password_in_a_url_is_found() {
        let password = random("", 20);
        assert_eq!(kind(&format!("postgres://app:{password}@db/stock")), Some("password in a URL"));
        assert_eq!(kind("postgres://app:app@db/stock"), None);
        assert_eq!(kind("http://127.0.0.1:8000/api/v1/stock?from=a@b"), None);
    }

    #[test]
    fn a_marker_with_a_reason_lets_this_line_and_the_next_pass() {
        let secret = format!("password = \"{}\"", random("", 24));
        let scanner = Scanner::new().unwrap();
        assert_eq!(scanner.scan(&format!("one\n{secret}\n")), [(2, "secret with a value")]);
        assert_eq!(scanner.scan(&format!("{secret} # {MARKER}an example)")), []);
        assert_eq!(scanner.scan(&format!("# {MARKER}an example)\n{secret}\n")), []);
        assert_eq!(
            scanner.scan(&format!("# {MARKER}an example)\n{secret}\n{secret}")),
            [(3, "secret with a value")],
            "one marker, one line"
        );
        assert_eq!(scanner.scan(&format!("{secret} # secret-scan: allow")).len(), 1, "without a reason");
    }
}
