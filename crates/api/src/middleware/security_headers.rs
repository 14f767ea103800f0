//! What browsers are told about every answer.

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};

use crate::settings::{Environment, Settings};

const EVERYWHERE: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (X_XSS_PROTECTION, "1; mode=block"),
    (REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// A year, as browsers want it to take a site for serious.
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// Adds the headers. Those that a handler has set, such as the documentation's own policy, stay.
pub(super) fn add(headers: &mut HeaderMap, settings: &Settings) {
    if !settings.security_headers {
        return;
    }
    let hsts = (settings.environment == Environment::Production).then_some((STRICT_TRANSPORT_SECURITY, HSTS));
    for (name, value) in EVERYWHERE.into_iter().chain(hsts) {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
