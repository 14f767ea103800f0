//! Cross-origin access for pages in browsers.

use actix_cors::Cors;
use actix_web::http::{Method, header};
use url::{Host, Url};

use crate::settings::{AllowedOrigins, CorsSettings};

/// Seconds for which a browser may remember a preflight.
const PREFLIGHT_SECONDS: usize = 600;

pub(super) fn layer(settings: &CorsSettings) -> Cors {
    let cors = match &settings.origins {
        AllowedOrigins::Loopback => {
            Cors::default().allowed_origin_fn(|origin, _| origin.to_str().is_ok_and(is_loopback))
        }
        AllowedOrigins::Listed(origins) => {
            origins.iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin))
        }
    };
    let cors = if settings.credentials { cors.supports_credentials() } else { cors };
    cors.allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE])
        .allowed_headers([
            "authorization",
            "content-type",
            "if-none-match",
            "idempotency-key",
            "x-request-id",
        ])
        .expose_headers([
            header::ETAG.as_str(),
            header::LOCATION.as_str(),
            header::WWW_AUTHENTICATE.as_str(),
            "idempotency-replayed",
            "x-process-time",
            "x-ratelimit-tenant",
            "x-request-id",
        ])
        .expose_headers(ratelimit::HEADERS)
        .max_age(PREFLIGHT_SECONDS)
}

fn is_loopback(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_loopback() {
        for origin in [
            "http://localhost:3000",
            "https://app.localhost",
            "http://127.0.0.1",
            "http://127.8.8.8:1",
            "http://[::1]:5173",
        ] {
            assert!(is_loopback(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://localhost.evil.net",
            "http://evil.net",
            "http://10.0.0.1",
            "file:///tmp/x",
            "http://evil.net#localhost",
        ] {
            assert!(!is_loopback(origin), "{origin}");
        }
    }
}
