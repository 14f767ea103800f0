//! What the operator decides about the HTTP side of the service.

use std::{str::FromStr, time::Duration};

use ipnet::IpNet;
use secrecy::SecretString;

/// Where the service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine.
    Development,
    /// Where releases are tried.
    Staging,
    /// Where customers are.
    Production,
}

/// A name of no environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not `development`, `staging` or `production`")]
pub struct UnknownEnvironment;

impl Environment {
    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(name: &str) -> Result<Self, UnknownEnvironment> {
        [Self::Development, Self::Staging, Self::Production]
            .into_iter()
            .find(|environment| environment.name() == name)
            .ok_or(UnknownEnvironment)
    }
}

/// Pages of which origins may read answers in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Any page served from this machine, on any port.
    Loopback,
    /// Exactly these, such as `https://app.example.com`; none when empty.
    Listed(Vec<String>),
}

/// Cross-origin access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsSettings {
    /// Who may.
    pub origins: AllowedOrigins,
    /// Whether browsers may send cookies and HTTP authentication along.
    pub credentials: bool,
}

/// The HTTP side of the service.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the operator's, none depends on another"
)]
pub struct Settings {
    /// Where it runs.
    pub environment: Environment,
    /// The version of the product, as shown to clients.
    pub version: &'static str,
    /// Whether problems carry a `debug` member with their cause.
    pub debug: bool,
    /// Whether `/openapi.json`, `/docs` and `/redoc` are served.
    pub docs_enabled: bool,
    /// Whether security headers are sent.
    pub security_headers: bool,
    /// Cross-origin access.
    pub cors: CorsSettings,
    /// Names by which the service may be called, without port; `*.example.com` stands for every name below
    /// `example.com`. Any name when empty.
    pub trusted_hosts: Vec<String>,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether `/metrics` is served here.
    pub serve_metrics: bool,
    /// What a scraper of `/metrics` must send as its bearer token, if anything.
    pub metrics_token: Option<SecretString>,
    /// How long a client may leave a part of an export untaken before its transfer is broken off.
    pub export_patience: Duration,
}

impl Settings {
    /// The usual patience with clients that do not take their exports.
    pub const EXPORT_PATIENCE: Duration = Duration::from_secs(30);

    /// The defaults of an environment: in production no documentation, no foreign origins and no metrics, elsewhere
    /// documentation, loopback origins and metrics.
    pub fn new(environment: Environment, version: &'static str) -> Self {
        let production = environment == Environment::Production;
        let origins = match environment {
            Environment::Development => AllowedOrigins::Loopback,
            Environment::Staging | Environment::Production => AllowedOrigins::Listed(Vec::new()),
        };
        Self {
            environment,
            version,
            debug: false,
            docs_enabled: !production,
            security_headers: true,
            cors: CorsSettings { origins, credentials: false },
            trusted_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            serve_metrics: !production,
            metrics_token: None,
            export_patience: Self::EXPORT_PATIENCE,
        }
    }
}
