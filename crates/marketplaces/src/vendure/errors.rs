//! What an answer of a Vendure server means. The one place where its errors are told apart.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{CHANNEL_FIELD, GROUP, key::Key};
use crate::{
    decode,
    error::{AuthProblem, Error},
    factory::CredentialProblem,
    http::Answer,
};

/// How long to wait when a 429 does not say it.
const USUAL_WAIT: Duration = Duration::from_secs(30);

/// Most characters of the server's own words that are kept for operators.
const EXCERPT: usize = 200;

/// Why an answer is of no use.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing that speaks for a Vendure server: a page for people, or an address that nobody knows. A proxy in front
    /// of a server that is being restarted answers like that too.
    NoShop(String),
    /// More rows than the shop gives at once.
    TooMany(TooMany),
    /// Anything else.
    Known(Error),
}

/// The refusal to give so many rows at once.
#[derive(Debug)]
pub(super) struct TooMany {
    /// How many it would give, where it says so.
    pub allowed: Option<u64>,
    /// In its own words, for operators.
    pub what: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    errors: Option<Value>,
}

/// Gives what a good answer says, and names every other. Half an answer is none: where Vendure reports an error beside
/// data, the data is not used.
pub(super) fn judge<'a>(operation: &'static str, key: &Key, answer: &'a Answer) -> Result<&'a str, Trouble> {
    let status = answer.status.as_u16();
    let known = |error| Err(Trouble::Known(error));
    let what = format!("status {status}");
    if status == 429 {
        return known(Error::RateLimited {
            retry_after: retry_after(answer).unwrap_or(USUAL_WAIT),
            group: GROUP,
        });
    }
    if status >= 500 || matches!(status, 408 | 425) {
        return known(Error::Transient { operation, what, retry_after: None });
    }
    if answer.is_html() || matches!(status, 300..=399 | 404 | 405 | 410) {
        return Err(Trouble::NoShop(what));
    }
    if matches!(status, 401 | 403) {
        return known(Error::Auth { kind: AuthProblem::Invalid, operation });
    }
    let envelope: Envelope<'_> = match decode::page(operation, &answer.body) {
        Ok(envelope) => envelope,
        Err(error @ Error::Transient { .. }) => return known(error),
        Err(_) => return Err(Trouble::NoShop(format!("{what}, and no JSON of GraphQL"))),
    };
    if let Some(fault) = envelope.errors.as_ref().and_then(first_fault) {
        return Err(fault.meaning(operation, key));
    }
    match envelope.data {
        Some(data) if answer.status.is_success() => Ok(data.get()),
        Some(_) | None => Err(Trouble::NoShop(format!("{what}, and neither data nor errors of GraphQL"))),
    }
}

/// What GraphQL says went wrong.
struct Fault {
    code: String,
    message: String,
}

/// The first of them decides: Vendure stops at it.
fn first_fault(errors: &Value) -> Option<Fault> {
    let first = match errors {
        Value::Array(all) => all.first()?,
        Value::Null => return None,
        other => other,
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let code = first.get("extensions").and_then(|extensions| extensions.get("code"));
    Some(Fault { code: text(code), message: text(first.get("message")) })
}

impl Fault {
    fn meaning(&self, operation: &'static str, key: &Key) -> Trouble {
        let what = || excerpt(&key.redact(&format!("{}: {}", self.code, self.message)));
        Trouble::Known(match self.code.as_str() {
            // Of a key that is not known and of a right that is missing alike.
            "FORBIDDEN" | "UNAUTHORIZED" | "UNAUTHENTICATED" => {
                Error::Auth { kind: AuthProblem::Invalid, operation }
            }
            "CHANNEL_NOT_FOUND" => no_channel().into(),
            "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED" => {
                Error::ContractChanged { endpoint: operation, what: what() }
            }
            // The one thing that a shop may not like about what is asked here.
            "USER_INPUT_ERROR" => {
                return Trouble::TooMany(TooMany { allowed: first_number(&self.message), what: what() });
            }
            "BAD_USER_INPUT" | "BAD_REQUEST" => Error::InvalidRequest { endpoint: operation, what: what() },
            _ => Error::Transient { operation, what: what(), retry_after: None },
        })
    }
}

/// The only number in `Cannot take more than 100 results from a list query`, in whatever language.
fn first_number(text: &str) -> Option<u64> {
    text.split(|sign: char| !sign.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

/// The channel that was named is none of the shop's.
pub(super) const fn no_channel() -> CredentialProblem {
    CredentialProblem {
        field: CHANNEL_FIELD,
        what: "The shop has no channel with this token. Leave it out for the default channel.",
    }
}

/// Whole seconds, as Vendure and the proxies in front of it write them.
fn retry_after(answer: &Answer) -> Option<Duration> {
    answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

    use super::*;

    fn read(status: u16, content_type: &'static str, body: &str) -> Result<String, Trouble> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        let answer = Answer { status: status.try_into().unwrap(), headers, body: body.to_owned().into() };
        let key = Key::parse("lookup-lookup:secret-secret").unwrap();
        judge("test", &key, &answer).map(str::to_owned)
    }

    fn code(status: u16, content_type: &'static str, body: &str) -> &'static str {
        match read(status, content_type, body) {
            Ok(_) => "ok",
            Err(Trouble::NoShop(_)) => "no_shop",
            Err(Trouble::TooMany(_)) => "too_many",
            Err(Trouble::Known(error)) => error.code(),
        }
    }

    fn with_code(code: &str) -> String {
        format!(
            r#"{{"errors":[{{"message":"no","path":["x"],"extensions":{{"code":"{code}"}}}}],"data":null}}"#
        )
    }

    const JSON: &str = "application/json; charset=utf-8";

    #[test]
    fn the_code_of_graphql_decides() {
        for (status, graphql, ours) in [
            (200, "FORBIDDEN", "credentials_invalid"),
            (200, "CHANNEL_NOT_FOUND", "credentials_invalid"),
            (400, "GRAPHQL_VALIDATION_FAILED", "contract_changed"),
            (200, "GRAPHQL_VALIDATION_FAILED", "contract_changed"),
            (200, "USER_INPUT_ERROR", "too_many"),
            (200, "BAD_USER_INPUT", "invalid_request"),
            (200, "INTERNAL_SERVER_ERROR", "marketplace_unavailable"),
            (200, "SOMETHING_NEW", "marketplace_unavailable"),
        ] {
            assert_eq!(code(status, JSON, &with_code(graphql)), ours, "{graphql}");
        }
    }

    #[test]
    fn what_is_no_vendure_is_no_shop() {
        let not_found = r#"{"statusCode":404,"message":"Cannot POST /admin-api","path":"/admin-api"}"#;
        for (status, content_type, body) in [
            (404, JSON, not_found),
            (404, "text/plain", "404 page not found"),
            (301, "text/plain", ""),
            (405, "text/plain", "no"),
            (200, "text/html", "<!doctype html>"),
            (403, "text/html", "<html>blocked</html>"),
            (200, "text/plain", "ok"),
            (200, JSON, r#"{"status":"ok"}"#),
            (200, JSON, r#"{"data":null}"#),
            (400, JSON, r#"{"statusCode":400,"message":"bad"}"#),
        ] {
            assert_eq!(code(status, content_type, body), "no_shop", "{status} {body}");
        }
    }

    #[test]
    fn what_may_pass_is_transient_and_limits_are_limits() {
        for status in [408, 425, 500, 502, 503, 504] {
            assert_eq!(code(status, "text/html", "<html>"), "marketplace_unavailable", "{status}");
        }
        assert_eq!(code(200, JSON, r#"{"data":{"lis"#), "marketplace_unavailable");
        assert_eq!(code(429, "text/plain", "slow down"), "rate_limited");
        assert_eq!(code(401, JSON, "{}"), "credentials_invalid");
    }

    #[test]
    fn how_many_rows_are_allowed_is_read_in_any_language() {
        for (text, number) in [
            ("Cannot take more than 100 results from a list query", Some(100)),
            ("Es können nicht mehr als 12 Ergebnisse abgefragt werden", Some(12)),
            ("No", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(first_number(text), number, "{text}");
        }
    }

    #[test]
    fn data_beside_errors_is_not_used() {
        let body =
            r#"{"data":{"a":1},"errors":[{"message":"half","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#;
        assert_eq!(code(200, JSON, body), "marketplace_unavailable");
        assert_eq!(code(200, JSON, r#"{"data":{"a":1},"errors":[]}"#), "ok");
        assert_eq!(read(200, JSON, r#"{"data":{"a":1}}"#).unwrap(), r#"{"a":1}"#);
    }

    #[test]
    fn the_key_is_not_in_what_operators_read() {
        let body = r#"{"errors":[{"message":"bad lookup-lookup:secret-secret","extensions":{"code":"X"}}]}"#;
        let Err(Trouble::Known(error)) = read(200, JSON, body) else { panic!("an error") };
        assert!(!error.to_string().contains("secret-secret"), "{error}");
    }
}
