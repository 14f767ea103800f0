//! Putting the product together: database, vault, marketplaces, use cases, metrics, health.

mod calls;
mod database_probe;
mod rate_limits;
mod redis_probe;
mod statements;
mod work_probe;

use std::sync::Arc;

use anyhow::Context as _;
use api::Counting;
use app::{App, TokenSettings};
use domain::{
    clock::{Clock as _, SystemClock},
    marketplace::MarketplaceCode,
};
use marketplaces::Factory;
use monitoring::{
    health::{Drain, Health},
    metrics::{self, Build, KnownLabels, Metrics},
};
use storage::{Db, limits::StoredLimits, vault::Vault};

pub(crate) use self::rate_limits::redis_store;
use self::{
    calls::MeasuredCalls, database_probe::DatabaseProbe, redis_probe::RedisProbe, work_probe::StoredWork,
};
use crate::{
    config::{Config, Purpose},
    schema,
};

/// The version of the product.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, where the build says so.
const COMMIT: &str = match option_env!("GIT_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

/// A running product without its doors.
#[derive(Clone)]
pub(crate) struct Product {
    pub(crate) db: Db,
    pub(crate) app: App,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    /// Where requests are counted; `None` where nobody asks any, or they are not limited.
    pub(crate) counting: Option<Counting>,
    /// Turns readiness red.
    pub(crate) drain: Drain,
}

impl Product {
    /// Connects and wires. The schema must have been prepared.
    pub(crate) async fn build(config: &Config, purpose: Purpose) -> anyhow::Result<Self> {
        let keys = config.secrets.keys()?;
        let metrics = metrics(config, purpose)?;
        let db = Db::connect(&config.database.pool())
            .await
            .with_context(|| format!("connecting to {}", config.database.url))?;
        let db = statements::measured(db, &metrics);
        schema::check(&db, config).await?;
        let (counting, redis) = match purpose {
            Purpose::Api | Purpose::All if config.rate_limits.settings.is_some() => {
                let (limits, redis) = (&config.rate_limits, config.redis.as_ref());
                let (counting, redis) = rate_limits::counting(limits, redis, &keys.signing, &metrics).await?;
                (Some(counting), redis)
            }
            _ => (None, None),
        };
        let factory = Factory::new(
            config.marketplaces.settings(),
            Arc::new(StoredLimits::new(db.clone())),
            Arc::new(SystemClock),
            Arc::new(MeasuredCalls(metrics.clone())),
        )
        .context("building the HTTP client for marketplaces")?;
        let tokens = TokenSettings {
            secret: keys.signing,
            access_ttl: config.secrets.access_token_age,
            refresh_ttl: config.secrets.refresh_token_age,
        };
        let vault = Vault::new(&keys.sealing)?;
        let app = App::new(db.clone(), vault, factory, Arc::new(SystemClock), &tokens);
        let drain = Drain::default();
        let health = Health::builder(clock(), drain.clone(), &config.deployment.data_dir)
            .required(DatabaseProbe(db.clone()))
            .work(StoredWork(db.clone()));
        let health = match redis {
            Some(redis) => health.optional(RedisProbe { redis, metrics: metrics.clone() }),
            None => health.not_configured("redis"),
        };
        let health = health.measured_by(metrics.clone()).build();
        Ok(Self { db, app, metrics, health, counting, drain })
    }
}

fn metrics(config: &Config, purpose: Purpose) -> anyhow::Result<Metrics> {
    let metrics = Metrics::new(&metrics::MetricsSettings {
        build: Build { version: VERSION, commit: COMMIT, role: purpose.role() },
        tenant_limit: config.metrics.tenant_limit,
        known: KnownLabels {
            marketplaces: MarketplaceCode::ALL.map(MarketplaceCode::name).to_vec(),
            operations: marketplaces::Factory::operations()
                .into_iter()
                .map(|(marketplace, operation)| (marketplace.name(), operation))
                .collect(),
            tasks: worker::TASKS.to_vec(),
            policies: match purpose {
                Purpose::Api | Purpose::All => api::policy_names().iter().map(ToString::to_string).collect(),
                Purpose::Worker | Purpose::Migrate => Vec::new(),
            },
            limit_store_errors: ratelimit::StoreErrorKind::ALL
                .map(ratelimit::StoreErrorKind::as_str)
                .to_vec(),
            redis_operations: match config.redis {
                Some(_) => ratelimit::StoreOperation::ALL.map(ratelimit::StoreOperation::as_str).to_vec(),
                None => Vec::new(),
            },
        },
        clock: clock(),
    });
    metrics.context("making the metrics")
}

fn clock() -> monitoring::clock::Clock {
    Arc::new(|| SystemClock.now())
}
