//! Where the API listens and whom it trusts.

use api::{AllowedOrigins, CorsSettings, Environment, IpNet};
use url::Url;

use super::{
    reader::Reader,
    variables::{
        CORS_ALLOW_CREDENTIALS, CORS_ORIGINS, DOCS_ENABLED, HOST, PORT, SECURITY_HEADERS_ENABLED,
        TRUSTED_HOSTS, TRUSTED_PROXIES,
    },
};

/// The HTTP side.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) cors: CorsSettings,
    pub(crate) trusted_hosts: Vec<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) security_headers: bool,
    pub(crate) docs_enabled: bool,
}

impl Http {
    pub(super) fn read(reader: &mut Reader<'_>, environment: Environment) -> Self {
        let production = environment == Environment::Production;
        let listed = reader.list(&CORS_ORIGINS, |text| origin(text, production));
        let origins = match listed {
            Some(origins) => AllowedOrigins::Listed(origins),
            None if environment == Environment::Development => AllowedOrigins::Loopback,
            None => AllowedOrigins::Listed(Vec::new()),
        };
        Self {
            host: reader.value(&HOST, "an address or a name", |text| is_host(text).then(|| text.to_owned())),
            port: reader.value(&PORT, "a port from 0 to 65535", |text| text.parse().ok()),
            cors: CorsSettings { origins, credentials: reader.switch(&CORS_ALLOW_CREDENTIALS) },
            trusted_hosts: reader.list(&TRUSTED_HOSTS, trusted_host).unwrap_or_default(),
            trusted_proxies: reader.list(&TRUSTED_PROXIES, network).unwrap_or_default(),
            security_headers: reader.switch(&SECURITY_HEADERS_ENABLED),
            docs_enabled: reader.switch_or(&DOCS_ENABLED, !production),
        }
    }
}

/// An address, or a name that a resolver might know.
pub(super) fn is_host(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok() || is_name(text)
}

fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// `scheme://host[:port]` as browsers send it.
fn origin(text: &str, production: bool) -> Result<String, String> {
    if text == "*" {
        return Err("must list origins one by one: `*` would let every page read answers".to_owned());
    }
    let not_an_origin = || format!("is not an origin such as `https://app.example.com`: `{text}`");
    let url = Url::parse(text).map_err(|_| not_an_origin())?;
    let origin = url.origin().ascii_serialization();
    if !matches!(url.scheme(), "http" | "https") || !text.trim_end_matches('/').eq_ignore_ascii_case(&origin)
    {
        return Err(not_an_origin());
    }
    if production && url.scheme() == "http" {
        return Err(format!("must be `https` in production: `{text}`"));
    }
    Ok(origin)
}

fn trusted_host(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    if is_host(name) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!("is not a host name without port: `{text}`"))
    }
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| format!("is not an address or a network such as `10.0.0.0/8`: `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_origins() {
        for (text, kept) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://App.Example.com/", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
        ] {
            assert_eq!(origin(text, false).as_deref(), Ok(kept));
        }
        for text in
            ["*", "app.example.com", "https://app.example.com/path", "ftp://x.y", "https://u@x.y", "null"]
        {
            assert!(origin(text, false).is_err(), "{text}");
        }
        assert!(origin("http://app.example.com", true).is_err());
        assert!(origin("https://app.example.com", true).is_ok());
    }

    #[test]
    fn hosts_and_networks() {
        for good in ["example.com", "*.example.com", "10.0.0.1", "::1", "localhost"] {
            assert!(trusted_host(good).is_ok(), "{good}");
        }
        for bad in ["example.com:80", "https://example.com", "a b", "*", "*.", "a*.b"] {
            assert!(trusted_host(bad).is_err(), "{bad}");
        }
        assert_eq!(network("10.0.0.1").unwrap().to_string(), "10.0.0.1/32");
        assert_eq!(network("fd00::/8").unwrap().to_string(), "fd00::/8");
        assert!(network("10.0.0.0/40").is_err());
    }
}
