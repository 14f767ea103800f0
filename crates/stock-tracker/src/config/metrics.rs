//! Where metrics are served and who may read them.

use api::Environment;
use secrecy::SecretString;

use super::{
    Purpose,
    deployment::Deployment,
    http::is_host,
    reader::Reader,
    variables::{METRICS_ADDR, METRICS_TENANT_LIMIT, METRICS_TOKEN},
};

/// Where a worker serves metrics and health when nobody says otherwise.
const WORKER_ADDRESS: &str = "127.0.0.1:9001";
/// Fewer characters could be guessed.
const TOKEN_LENGTH: usize = 16;

/// Where metrics are served and who may read them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// `host:port` of a listener of their own; `None` puts them on the API's port.
    pub(crate) address: Option<String>,
    pub(crate) token: Option<SecretString>,
    pub(crate) tenant_limit: usize,
}

impl Metrics {
    pub(super) fn read(reader: &mut Reader<'_>, deployment: &Deployment, purpose: Purpose) -> Self {
        let given = reader.optional(&METRICS_ADDR, "`host:port`", address);
        let token = reader.secret(&METRICS_TOKEN, TOKEN_LENGTH);
        let production = deployment.environment == Environment::Production;
        if production && purpose.serves() && given.is_none() && token.is_none() {
            reader.refuse(
                &METRICS_ADDR,
                "or METRICS_TOKEN must be set in production: metrics must not be public",
            );
        }
        let address = given.or_else(|| (purpose == Purpose::Worker).then(|| WORKER_ADDRESS.to_owned()));
        if let Some(address) = &address {
            reader.show(&METRICS_ADDR, address);
        }
        let tenant_limit = reader.number(&METRICS_TENANT_LIMIT, 0, 100_000);
        Self { address, token, tenant_limit: tenant_limit.try_into().unwrap_or(usize::MAX) }
    }
}

fn address(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_fits = bare.map_or_else(|| is_host(host) && !host.contains(':'), is_host);
    (host_fits && port.parse::<u16>().is_ok()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for good in ["127.0.0.1:9001", "[::1]:9001", "localhost:0"] {
            assert_eq!(address(good).as_deref(), Some(good));
        }
        for bad in ["9001", ":9001", "::1:9001", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "http://x:1"]
        {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
