//! The configuration: read once, typed, with every problem found before anything starts.
//!
//! A file for each concern; each reads its variables and passes on a narrow struct. Nothing else in the program looks
//! at the environment.

mod database;
mod deployment;
mod environment;
mod error_reports;
mod http;
mod logging;
mod marketplaces;
mod metrics;
mod rate_limits;
mod reader;
mod redis;
mod secrets;
pub(crate) mod variables;

use std::fmt;

use monitoring::metrics::labels::Role;

use self::reader::Reader;
pub(crate) use self::{
    database::{Database, DatabaseUrl},
    deployment::Deployment,
    environment::Environment,
    http::Http,
    logging::Logging,
    marketplaces::Marketplaces,
    metrics::Metrics,
    rate_limits::RateLimits,
    reader::{Effective, Problem},
    redis::{RedisKind, RedisUrl},
    secrets::Secrets,
};

/// What the configuration is read for: a command is not stopped by what it does not use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Answering HTTP.
    Api,
    /// Running jobs.
    Worker,
    /// Both in one process.
    All,
    /// Changing the schema.
    Migrate,
}

impl Purpose {
    /// What the process calls itself.
    pub(crate) const fn role(self) -> Role {
        match self {
            Self::Api => Role::Api,
            Self::Worker => Role::Worker,
            Self::All | Self::Migrate => Role::All,
        }
    }

    /// Whether credentials and tokens are handled.
    const fn serves(self) -> bool {
        !matches!(self, Self::Migrate)
    }
}

/// Everything the operator decides.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) deployment: Deployment,
    pub(crate) http: Http,
    pub(crate) rate_limits: RateLimits,
    /// Where processes share limits; each counts by itself when `None`.
    pub(crate) redis: Option<RedisUrl>,
    pub(crate) database: Database,
    pub(crate) secrets: Secrets,
    pub(crate) metrics: Metrics,
    pub(crate) logging: Logging,
    /// Where failures are reported, if anywhere.
    pub(crate) error_reports: Option<monitoring::error_reports::Settings>,
    pub(crate) marketplaces: Marketplaces,
}

/// What was found in the environment: usable or not, it can be shown.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The configuration, or everything that is wrong with it.
    pub(crate) config: Result<Config, Problems>,
    /// Every variable as it took effect.
    pub(crate) effective: Vec<Effective>,
}

/// Everything that is wrong, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} problem(s):", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

impl Config {
    /// Reads everything and checks what `purpose` needs.
    pub(crate) fn read(environment: &Environment, purpose: Purpose) -> Reading {
        let mut reader = Reader::new(environment);
        let deployment = Deployment::read(&mut reader);
        let config = Self {
            http: Http::read(&mut reader, deployment.environment),
            rate_limits: RateLimits::read(&mut reader),
            redis: RedisUrl::read(&mut reader),
            database: Database::read(&mut reader, &deployment),
            secrets: Secrets::read(&mut reader, &deployment, purpose),
            metrics: Metrics::read(&mut reader, &deployment, purpose),
            logging: Logging::read(&mut reader),
            error_reports: error_reports::read(&mut reader, deployment.environment, purpose.role()),
            marketplaces: Marketplaces::read(&mut reader, deployment.environment),
            deployment,
        };
        let (problems, effective) = reader.finish();
        let config = if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) };
        Reading { config, effective }
    }

    /// The configuration, if it can be used.
    pub(crate) fn load(environment: &Environment, purpose: Purpose) -> Result<Self, Problems> {
        Self::read(environment, purpose).config
    }
}

#[cfg(test)]
mod tests;
