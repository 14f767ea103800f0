//! Limits on requests: what they said, how full they are, and how their store does.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use prometheus::{GaugeVec, Histogram, IntCounterVec, IntGauge, Registry};
use uuid::Uuid;

use super::{
    MetricsSettings, filed,
    labels::{LimitSource, LimitVerdict},
    names,
};
use crate::clock::Clock;

/// Percent of its limit above which a tenant is shown.
const NOTEWORTHY: f64 = 50.0;
/// Most tenants that are shown at a time.
const MOST_SHOWN: usize = 100;

/// Limits on requests.
pub struct RateLimits {
    decisions: IntCounterVec,
    usage: GaugeVec,
    store: Histogram,
    store_errors: IntCounterVec,
    breaker_open: IntGauge,
    clock: Clock,
    /// The tenants that are shown, and until when what is known of them holds.
    shown: Mutex<HashMap<Uuid, Usage>>,
}

#[derive(Clone, Copy)]
struct Usage {
    percent: f64,
    until: DateTime<Utc>,
}

impl RateLimits {
    pub(super) fn new(registry: &Registry, settings: &MetricsSettings) -> prometheus::Result<Self> {
        let families = Self {
            decisions: filed(registry, names::RATE_LIMIT_DECISIONS.counter()?)?,
            usage: filed(registry, names::RATE_LIMIT_USAGE.gauge()?)?,
            store: filed(registry, names::RATE_LIMIT_STORE.histogram()?)?
                .get_metric_with_label_values::<&str>(&[])?,
            store_errors: filed(registry, names::RATE_LIMIT_STORE_ERRORS.counter()?)?,
            breaker_open: filed(registry, names::RATE_LIMIT_BREAKER_OPEN.int_gauge()?)?
                .get_metric_with_label_values::<&str>(&[])?,
            clock: settings.clock.clone(),
            shown: Mutex::default(),
        };
        for policy in &settings.known.policies {
            for verdict in LimitVerdict::ALL {
                for source in LimitSource::ALL {
                    families.decisions.with_label_values(&[policy, verdict.as_str(), source.as_str()]);
                }
            }
        }
        for kind in &settings.known.limit_store_errors {
            families.store_errors.with_label_values(&[kind]);
        }
        Ok(families)
    }

    /// Records what one limit said of a request. `policy` is one of a closed set.
    pub fn decided(&self, policy: &str, verdict: LimitVerdict, source: LimitSource) {
        self.decisions.with_label_values(&[policy, verdict.as_str(), source.as_str()]).inc();
    }

    /// Records how much of its limit a tenant has used, and after how long none of that counts any more.
    pub fn used(&self, tenant: Uuid, percent: f64, counts_for: Duration) {
        let mut shown = self.shown();
        let until = (self.clock)() + counts_for;
        if percent <= NOTEWORTHY {
            shown.remove(&tenant);
        } else if shown.len() < MOST_SHOWN || shown.contains_key(&tenant) {
            shown.insert(tenant, Usage { percent, until });
        } else if let Some(least) = least_used(&shown)
            && shown[&least].percent < percent
        {
            shown.remove(&least);
            shown.insert(tenant, Usage { percent, until });
        }
    }

    /// Records an answer of the store.
    pub fn store_answered(&self, took: Duration) {
        self.store.observe(took.as_secs_f64());
    }

    /// Records a failure of the store. `kind` is one of a closed set.
    pub fn store_failed(&self, kind: &'static str) {
        self.store_errors.with_label_values(&[kind]).inc();
    }

    /// Records whether the store is left alone.
    pub fn degraded(&self, degraded: bool) {
        self.breaker_open.set(degraded.into());
    }

    /// Brings the usage of tenants up to date; it falls by time alone.
    pub(super) fn refresh_usage(&self) {
        let now = (self.clock)();
        let mut shown = self.shown();
        shown.retain(|_, usage| usage.until > now);
        self.usage.reset();
        for (tenant, usage) in &*shown {
            self.usage.with_label_values(&[tenant.to_string()]).set(usage.percent);
        }
    }

    fn shown(&self) -> MutexGuard<'_, HashMap<Uuid, Usage>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn least_used(shown: &HashMap<Uuid, Usage>) -> Option<Uuid> {
    shown
        .iter()
        .min_by(|(_, one), (_, other)| one.percent.total_cmp(&other.percent))
        .map(|(tenant, _)| *tenant)
}
