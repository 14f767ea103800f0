//! The metrics registry and typed ways to write to it.
//!
//! Call sites name what happened; names and label texts stay in [`names`] and [`labels`]. What this process counts
//! itself starts at 0 for every label set that is known beforehand, or `rate()` would miss the first event. What is
//! measured elsewhere (queues, dependencies) has no series before its first measurement: a 0 nobody measured is a
//! false alarm.
//!
//! The `prometheus` crate tells children of a family apart by the hash of their label values written one after the
//! other, without a separator. Label sets must therefore differ when joined; closed sets at the end whose members are
//! no suffix of one another, and endpoints that begin with a slash, see to that.

mod business;
mod database;
mod http;
pub mod labels;
mod marketplace;
pub mod names;
mod process;
mod ranking;
mod rate_limits;
mod redis;
mod state;
mod sync;
mod tasks;
mod tenants;

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{Registry, TextEncoder, core::Collector};

use self::labels::Role;
pub use self::{
    business::Business,
    database::Database,
    http::{Errors, Http, RequestInProgress},
    marketplace::Marketplace,
    rate_limits::RateLimits,
    redis::Redis,
    state::{Dependencies, Queue},
    sync::Sync,
    tasks::{TaskInProgress, Tasks},
    tenants::Tenants,
};
use crate::clock::Clock;

/// `METRICS_TENANT_LIMIT` when unset.
pub const DEFAULT_TENANT_LIMIT: usize = 200;

/// What runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// The version of the product.
    pub version: &'static str,
    /// The commit it was built from.
    pub commit: &'static str,
    /// What this process does.
    pub role: Role,
}

/// Label values known before anything happens; their series start at 0.
#[derive(Debug, Clone, Default)]
pub struct KnownLabels {
    /// Marketplace codes.
    pub marketplaces: Vec<&'static str>,
    /// Pairs of a marketplace code and one of its operations.
    pub operations: Vec<(&'static str, &'static str)>,
    /// Names of background tasks.
    pub tasks: Vec<&'static str>,
    /// Names of the limits on requests.
    pub policies: Vec<String>,
    /// The ways in which the store of these limits can fail.
    pub limit_store_errors: Vec<&'static str>,
    /// What Redis is asked to do, where there is one.
    pub redis_operations: Vec<&'static str>,
}

/// What a registry is made with.
#[derive(Clone)]
pub struct MetricsSettings {
    /// What runs.
    pub build: Build,
    /// How many tenants have series of their own; the rest are `other`.
    pub tenant_limit: usize,
    /// Label sets that start at 0.
    pub known: KnownLabels,
    /// The time of day, for the tenants of the last 24 hours.
    pub clock: Clock,
}

/// Why a family could not be made or the page not be written.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// Every metric of a process. Clones share the same numbers.
#[derive(Clone)]
pub struct Metrics(Arc<Families>);

struct Families {
    registry: Registry,
    samples: Mutex<Vec<Sample>>,
    http: Http,
    errors: Errors,
    sync: Sync,
    tasks: Tasks,
    marketplace: Marketplace,
    queue: Queue,
    dependencies: Dependencies,
    rate_limits: RateLimits,
    database: Database,
    redis: Redis,
    business: Business,
    tenants: Arc<Tenants>,
}

/// Measures something when the page is read.
type Sample = Box<dyn Fn(&Metrics) + Send + std::marker::Sync>;

impl Metrics {
    /// A registry of its own with every family of [`names`] in it. Fails only if two families clash.
    pub fn new(settings: &MetricsSettings) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let known = &settings.known;
        let tenants = Arc::new(Tenants::new(&registry, settings)?);
        process::register(&registry, &settings.build)?;
        Ok(Self(Arc::new(Families {
            http: Http::new(&registry)?,
            errors: Errors::new(&registry)?,
            sync: Sync::new(&registry, known, Arc::clone(&tenants))?,
            tasks: Tasks::new(&registry, known)?,
            marketplace: Marketplace::new(&registry, known)?,
            queue: Queue::new(&registry)?,
            dependencies: Dependencies::new(&registry)?,
            rate_limits: RateLimits::new(&registry, settings)?,
            database: Database::new(&registry)?,
            redis: Redis::new(&registry, known)?,
            business: Business::new(&registry)?,
            tenants,
            samples: Mutex::default(),
            registry,
        })))
    }

    /// HTTP requests.
    pub fn http(&self) -> &Http {
        &self.0.http
    }

    /// Errors by code and route.
    pub fn errors(&self) -> &Errors {
        &self.0.errors
    }

    /// Syncs of accounts.
    pub fn sync(&self) -> &Sync {
        &self.0.sync
    }

    /// Background tasks.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Calls to marketplaces.
    pub fn marketplace(&self) -> &Marketplace {
        &self.0.marketplace
    }

    /// What waits for a worker.
    pub fn queue(&self) -> &Queue {
        &self.0.queue
    }

    /// What this process needs from others.
    pub fn dependencies(&self) -> &Dependencies {
        &self.0.dependencies
    }

    /// Limits on requests.
    pub fn rate_limits(&self) -> &RateLimits {
        &self.0.rate_limits
    }

    /// Statements and connections.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// Operations of Redis.
    pub fn redis(&self) -> &Redis {
        &self.0.redis
    }

    /// Products and their stock.
    pub fn business(&self) -> &Business {
        &self.0.business
    }

    /// Who uses the service.
    pub fn tenants(&self) -> &Tenants {
        &self.0.tenants
    }

    /// Measures something each time the page is read. It must not wait for anything, nor read the page itself.
    pub fn at_scrape(&self, sample: impl Fn(&Self) + Send + std::marker::Sync + 'static) {
        self.0.samples.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(sample));
    }

    /// The page for Prometheus, in its text format (`text/plain; version=0.0.4`).
    pub fn render(&self) -> Result<String, MetricsError> {
        self.0.tenants.refresh_active();
        self.0.rate_limits.refresh_usage();
        for sample in self.0.samples.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            sample(self);
        }
        Ok(TextEncoder::new().encode_to_string(&self.0.registry.gather())?)
    }

    /// Every family name that may appear on the page. A histogram's series add `_bucket`, `_sum` and `_count`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        names::FAMILIES.iter().map(|family| family.name).chain(names::PROCESS.iter().copied())
    }

    /// The content type of [`Metrics::render`]'s page.
    pub const CONTENT_TYPE: &'static str = prometheus::TEXT_FORMAT;
}

/// Files a family and hands it back.
fn filed<C: Collector + Clone + 'static>(registry: &Registry, family: C) -> prometheus::Result<C> {
    registry.register(Box::new(family.clone()))?;
    Ok(family)
}
