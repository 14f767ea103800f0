//! What an answer of Wildberries means. The one place where its errors are told apart.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{endpoints::Endpoint, token::Token};
use crate::{
    error::{AuthProblem, Error},
    http::Answer,
};

/// Seconds until the next call is allowed, on a 429.
const RETRY_HEADER: &str = "x-ratelimit-retry";

/// Most characters of the marketplace's own words that are kept for operators.
const EXCERPT: usize = 200;

/// Passes a good answer and names every other. `interval` is waited when a 429 does not say how long.
///
/// What is said goes to operators only, and not with the token in it.
pub(super) fn classify(
    endpoint: &Endpoint,
    interval: Duration,
    token: &Token,
    answer: &Answer,
) -> Result<(), Error> {
    let operation = endpoint.operation;
    let status = answer.status.as_u16();
    let auth = |kind| Err(Error::Auth { kind, operation });
    let transient = |what: String| Err(Error::Transient { operation, what, retry_after: None });
    if status == 429 {
        let retry_after = retry_after(answer).unwrap_or(interval);
        return Err(Error::RateLimited { retry_after, group: endpoint.group.name });
    }
    // A page for people comes from a proxy in between, whatever its status.
    if status >= 500 || answer.is_html() {
        return transient(format!("status {status}"));
    }
    match status {
        200..=299 => Ok(()),
        401 => auth(refusal(&said(answer))),
        402 => auth(AuthProblem::Plan),
        403 => auth(endpoint.capability.map_or(AuthProblem::Invalid, AuthProblem::Scope)),
        // Busy, or a conflict with what it is doing to the store right now.
        406 | 408 | 409 | 423 | 425 => transient(format!("status {status}")),
        404 if endpoint.of_entity && !is_unknown_path(answer) => Err(Error::NotFound { endpoint: operation }),
        300..=399 | 404 | 405 | 410 => {
            Err(Error::ContractChanged { endpoint: operation, what: format!("status {status}") })
        }
        _ => {
            let what = excerpt(&token.redact(&said(answer)));
            if what.to_lowercase().contains("obsolete") {
                return Err(Error::ContractChanged { endpoint: operation, what });
            }
            Err(Error::InvalidRequest { endpoint: operation, what: format!("status {status}: {what}") })
        }
    }
}

/// The wait that a 429 asks for, as whole or broken seconds.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds: f64 = answer.headers.get(RETRY_HEADER)?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn refusal(said: &str) -> AuthProblem {
    let said = said.to_lowercase();
    if said.contains("expired") {
        AuthProblem::Expired
    } else if said.contains("withdrawn") || said.contains("revoked") {
        AuthProblem::Revoked
    } else {
        AuthProblem::Invalid
    }
}

/// The gateway's answer to a path that no service has.
fn is_unknown_path(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Problem {
        title: Option<String>,
    }
    serde_json::from_slice::<Problem>(&answer.body)
        .is_ok_and(|problem| problem.title.is_some_and(|title| title.contains("path")))
}

/// The marketplace's own words, from whichever family of errors they come: `{title, detail}`, `{code, message}`,
/// `{errorText}`, `{errors}`, a list of these, or plain text.
fn said(answer: &Answer) -> String {
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(value) => words(&value),
        Err(_) => String::from_utf8_lossy(&answer.body).trim().to_owned(),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => ["code", "title", "detail", "message", "errorText", "errors"]
            .into_iter()
            .filter_map(|name| fields.get(name))
            .map(words)
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(": "),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain::marketplace::Capability;
    use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

    use super::*;
    use crate::wildberries::endpoints::{CARDS, MARKETPLACE_STOCK, ORDER_LINES, SELLER, SELLER_STOCK};

    const MINUTE: Duration = Duration::from_mins(1);

    fn answer(status: u16, content_type: &'static str, body: &str) -> Answer {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Answer { status: status.try_into().unwrap(), headers, body: body.to_owned().into() }
    }

    fn judge(endpoint: &Endpoint, answer: &Answer) -> Result<(), Error> {
        classify(endpoint, MINUTE, &Token::parse("header.secret-payload.signature").unwrap(), answer)
    }

    fn code(endpoint: &Endpoint, status: u16, body: &str) -> &'static str {
        let content_type = if body.starts_with('{') { "application/json" } else { "text/plain" };
        judge(endpoint, &answer(status, content_type, body)).map_or_else(|error| error.code(), |()| "ok")
    }

    const PROBLEM: &str = r#"{"title":"no","detail":"no","requestId":"r","origin":"o"}"#;

    /// Endpoint, status, body, and the code of what it means.
    const DOCUMENTED: &[(&Endpoint, u16, &str, &str)] = &[
        (&CARDS, 200, r#"{"cards":[]}"#, "ok"),
        (&MARKETPLACE_STOCK, 204, "", "ok"),
        (&MARKETPLACE_STOCK, 400, PROBLEM, "invalid_request"),
        (&ORDER_LINES, 400, r#"{"errors":["dateFrom: bad"]}"#, "invalid_request"),
        (&ORDER_LINES, 400, r#"{"errors":"dateFrom: bad"}"#, "invalid_request"),
        (&CARDS, 400, r#"{"data":null,"error":true,"errorText":"bad"}"#, "invalid_request"),
        (&CARDS, 400, "Request body can not be decoded", "invalid_request"),
        (&SELLER_STOCK, 400, r#"{"code":"IncorrectParameter","message":"bad"}"#, "invalid_request"),
        (&CARDS, 400, r#"{"detail":"this method is Obsolete"}"#, "contract_changed"),
        (&CARDS, 401, r#"{"detail":"token problem; token is malformed: x"}"#, "credentials_invalid"),
        (&CARDS, 401, "", "credentials_invalid"),
        (&CARDS, 401, r#"{"detail":"token problem; token expired"}"#, "credentials_expired"),
        (&CARDS, 401, r#"{"detail":"token problem; token is withdrawn"}"#, "credentials_revoked"),
        (&CARDS, 402, r#"{"title":"payment required","detail":"no funds"}"#, "credentials_plan"),
        (&MARKETPLACE_STOCK, 403, r#"{"detail":"base token is not allowed"}"#, "credentials_scope"),
        (&SELLER_STOCK, 403, r#"{"code":"AccessDenied","message":"no"}"#, "credentials_scope"),
        (&SELLER, 403, PROBLEM, "credentials_invalid"),
        (&SELLER_STOCK, 404, r#"{"code":"NotFound","message":"no"}"#, "not_found"),
        (&SELLER_STOCK, 404, r#"{"title":"path not found","detail":"no"}"#, "contract_changed"),
        (&ORDER_LINES, 404, r#"{"title":"path not found","detail":"no"}"#, "contract_changed"),
        (&ORDER_LINES, 302, "", "contract_changed"),
        (&ORDER_LINES, 405, "", "contract_changed"),
        (&ORDER_LINES, 410, "", "contract_changed"),
        (&SELLER_STOCK, 406, r#"{"code":"Blocked","message":"later"}"#, "marketplace_unavailable"),
        (&SELLER_STOCK, 409, r#"[{"code":"StoreIsProcessing"}]"#, "marketplace_unavailable"),
        (&CARDS, 413, "", "invalid_request"),
        (&CARDS, 429, r#"{"title":"too many requests","detail":"limited by c122"}"#, "rate_limited"),
        (&CARDS, 500, PROBLEM, "marketplace_unavailable"),
        (&CARDS, 502, "", "marketplace_unavailable"),
        (&CARDS, 504, "<html>", "marketplace_unavailable"),
    ];

    #[test]
    fn every_documented_answer_has_its_kind() {
        for (endpoint, status, body, expected) in DOCUMENTED {
            assert_eq!(code(endpoint, *status, body), *expected, "{status} {body}");
        }
    }

    #[test]
    fn a_page_for_people_is_nobodys_answer() {
        for (status, content_type, body) in [
            (200, "text/html; charset=utf-8", "busy"),
            (200, "application/json", "\n <!doctype html>"),
            (403, "text/HTML", "<h1>Forbidden</h1>"),
            (401, "text/html", ""),
        ] {
            let verdict = judge(&CARDS, &answer(status, content_type, body));
            assert!(matches!(verdict, Err(Error::Transient { .. })), "{status} {content_type}");
        }
    }

    #[test]
    fn a_missing_category_takes_only_its_capability() {
        for (endpoint, capability) in
            [(&ORDER_LINES, Capability::Orders), (&MARKETPLACE_STOCK, Capability::StockMarketplace)]
        {
            let error = judge(endpoint, &answer(403, "application/json", "{}")).unwrap_err();
            let Error::Auth { kind: AuthProblem::Scope(off), .. } = error else { panic!("{error}") };
            assert_eq!(off, capability);
        }
    }

    #[test]
    fn the_wait_of_a_429_is_taken_as_it_is_said() {
        for (header, expected) in [
            (Some("7"), Duration::from_secs(7)),
            (Some("0.25"), Duration::from_millis(250)),
            (Some("soon"), MINUTE),
            (Some("-1"), MINUTE),
            (None, MINUTE),
        ] {
            let mut answer = answer(429, "application/json", "{}");
            if let Some(value) = header {
                answer.headers.insert(RETRY_HEADER, HeaderValue::from_static(value));
            }
            let error = judge(&ORDER_LINES, &answer).unwrap_err();
            let Error::RateLimited { retry_after, group: "orders" } = error else { panic!("{error}") };
            assert_eq!(retry_after, expected, "{header:?}");
        }
    }

    #[test]
    fn neither_the_token_nor_the_marketplaces_words_reach_a_seller() {
        let body = r#"{"detail":"bad token header.secret-payload.signature"}"#;
        let error = judge(&CARDS, &answer(400, "application/json", body)).unwrap_err();
        assert_eq!(error.to_string(), "cards: the request was refused: status 400: bad token [token]");
        assert!(!error.seller_message().contains("bad"));
        let long = "я".repeat(1000);
        let error = judge(&CARDS, &answer(400, "text/plain", &long)).unwrap_err();
        assert!(error.to_string().chars().count() < 300);
    }
}
