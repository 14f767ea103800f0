//! Limits on requests: where they are counted, and what is told of them.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::Context as _;
use api::Counting;
use deadpool_redis::{Manager, Pool, Runtime, sentinel};
use monitoring::{
    error_reports,
    metrics::{
        Metrics,
        labels::{LimitSource, LimitVerdict},
    },
};
use ratelimit::{
    Cluster, Connections, DenyCache, Dim, FailoverOptions, FailoverStore, Keys, LocalOptions, LocalStore,
    Observer, OnStoreError, PolicyState, RedisOptions, RedisStore, Report, Source, Store, StoreErrorKind,
    StoreOperation, Subject,
};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::config::{RateLimits, RedisKind, RedisUrl};

/// What goes before the keys of limits, so that a Redis can be shared.
const PREFIX: &str = "stock-tracker:";

/// Where requests are counted: in Redis if there is one, and by this process while that fails. With it comes what
/// health checks ask.
pub(super) async fn counting(
    limits: &RateLimits,
    redis: Option<&RedisUrl>,
    signing: &SecretString,
    metrics: &Metrics,
) -> anyhow::Result<(Counting, Option<Arc<RedisStore>>)> {
    let observer: Arc<dyn Observer> = Arc::new(MeasuredLimits(metrics.clone()));
    let (store, redis): (Arc<dyn Store>, _) = match redis {
        None => (Arc::new(local(limits)), None),
        Some(url) => {
            let redis = Arc::new(redis_store(url)?);
            warn_of_eviction(&redis, url).await;
            let options = FailoverOptions { observer: Arc::clone(&observer), ..FailoverOptions::default() };
            let store = FailoverStore::new(Arc::clone(&redis) as _, local(limits), options);
            (Arc::new(DenyCache::new(Arc::new(store))), Some(redis))
        }
    };
    Ok((Counting { store, keys: keys(signing), observer }, redis))
}

/// The part of a Redis that holds the limits. Opens nothing yet.
pub(crate) fn redis_store(url: &RedisUrl) -> anyhow::Result<RedisStore> {
    let options = RedisOptions { prefix: PREFIX.to_owned(), ..RedisOptions::default() };
    Ok(RedisStore::new(connections(url)?, options)?)
}

fn local(limits: &RateLimits) -> LocalStore {
    LocalStore::new(LocalOptions { processes: limits.replicas, ..LocalOptions::default() })
}

/// A secret of its own made of the one that all processes share: nobody without it can tell whose key a key is.
fn keys(signing: &SecretString) -> Keys {
    let mut hash = Sha256::new();
    hash.update(b"stock-tracker rate limit keys 1\0");
    hash.update(signing.expose_secret());
    let mut secret = [0; 16];
    secret.copy_from_slice(&hash.finalize()[..16]);
    Keys::new(secret)
}

fn connections(url: &RedisUrl) -> anyhow::Result<Connections> {
    let opening = "preparing connections to REDIS_URL";
    Ok(match &url.kind {
        RedisKind::Single => {
            let server = url.servers().pop().context(opening)?;
            let pool = Pool::builder(Manager::new(server).context(opening)?).runtime(Runtime::Tokio1);
            Connections::Single(pool.build().context(opening)?)
        }
        RedisKind::Sentinel { master } => {
            let login = url.login();
            let node = sentinel::SentinelNodeConnectionInfo {
                tls_mode: login.tls.then_some(sentinel::TlsMode::Secure),
                redis_connection_info: Some(deadpool_redis::RedisConnectionInfo {
                    db: login.database.unwrap_or(0),
                    username: login.user.clone(),
                    password: login.password.as_ref().map(|password| password.expose_secret().to_owned()),
                    ..deadpool_redis::RedisConnectionInfo::default()
                }),
            };
            let config = sentinel::Config::from_urls(
                url.servers(),
                master.clone(),
                sentinel::SentinelServerType::Master,
            )
            .with_node_connection_info(Some(node));
            Connections::Sentinel(config.create_pool(Some(Runtime::Tokio1)).context(opening)?)
        }
        RedisKind::Cluster => Connections::Cluster(Cluster::new(url.servers()).context(opening)?),
    })
}

/// Limits that Redis may forget to make room are no limits. The API starts without Redis too: it counts by itself
/// until that is there.
async fn warn_of_eviction(redis: &RedisStore, url: &RedisUrl) {
    match redis.memory_policy().await {
        Ok(policy) if policy.may_forget_limits() => tracing::warn!(
            redis = %url,
            policy = policy.eviction(),
            "Redis may forget rate limits when its memory is full: set maxmemory-policy to noeviction"
        ),
        Ok(_) => tracing::info!(redis = %url, "rate limits are counted in Redis"),
        Err(error) => tracing::warn!(redis = %url, %error, "Redis did not say how it keeps rate limits"),
    }
}

/// Decisions become metrics.
struct MeasuredLimits(Metrics);

impl fmt::Debug for MeasuredLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeasuredLimits(..)")
    }
}

impl Observer for MeasuredLimits {
    fn decided(&self, subject: &Subject<'_>, report: &Report) {
        let limits = self.0.rate_limits();
        for state in report.states() {
            let verdict = match (state.is_exceeded(), state.is_shadow()) {
                (false, _) if state.is_counted() => LimitVerdict::Allowed,
                // It only looked, or another limit refused it.
                (false, _) => continue,
                (true, false) => LimitVerdict::Denied,
                (true, true) => LimitVerdict::ShadowDenied,
            };
            limits.decided(state.policy().as_str(), verdict, source(report, state));
            if state.policy().as_str() == "tenant"
                && let Some(tenant) = subject.get(Dim::Tenant).ok().and_then(|id| Uuid::from_slice(id).ok())
            {
                let percent = 100.0 * f64::from(state.used()) / f64::from(state.limit());
                limits.used(tenant, percent, state.full_reset());
            }
        }
    }

    fn answered(&self, operation: StoreOperation, took: Duration) {
        self.0.redis().answered(operation.as_str(), took);
        error_reports::span("db.redis", operation.as_str(), took, false);
        if operation == StoreOperation::Admit {
            self.0.rate_limits().store_answered(took);
        }
    }

    fn failed(&self, _operation: StoreOperation, kind: StoreErrorKind) {
        self.0.rate_limits().store_failed(kind.as_str());
    }

    fn degraded(&self, degraded: bool) {
        self.0.rate_limits().degraded(degraded);
    }
}

fn source(report: &Report, state: &PolicyState) -> LimitSource {
    match (report.source(), state.on_store_error()) {
        (Source::DenyCache, _) => LimitSource::DenyCache,
        (Source::Fallback, OnStoreError::Local) => LimitSource::Local,
        (Source::Fallback, OnStoreError::Open) => LimitSource::Open,
        (Source::Fallback, OnStoreError::Closed) => LimitSource::Closed,
        _ => LimitSource::Store,
    }
}
