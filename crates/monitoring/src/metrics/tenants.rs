//! The families labelled by tenant, and how many tenants are active.
//!
//! The most active tenants (see [`super::ranking`]) have series of their own, all others share `other`. A tenant that
//! loses its place takes its series with it. They are not added to `other`: Prometheus would read that as a burst.
//! Queries must take `rate()` before `sum()`, as always.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use prometheus::{HistogramVec, IntCounterVec, IntGauge, Registry};
use uuid::Uuid;

use super::{
    MetricsSettings, filed,
    labels::ProductStatus,
    names,
    ranking::{Ranking, Seat},
};
use crate::clock::Clock;

/// The label of all tenants without series of their own.
const OTHER: &str = "other";
/// How long a tenant counts as active after its last request or sync.
const ACTIVE_FOR: TimeDelta = TimeDelta::hours(24);

/// Who uses the service.
pub struct Tenants {
    requests: IntCounterVec,
    sync_duration: HistogramVec,
    sync_products: IntCounterVec,
    active: IntGauge,
    clock: Clock,
    /// Held while a series is written, or one could come back after its tenant lost its place.
    book: Mutex<Book>,
}

struct Book {
    ranking: Ranking,
    /// The marketplaces under which a tenant with series of its own has some.
    marketplaces: HashMap<Uuid, Vec<&'static str>>,
    /// Bounded by the tenants that exist: only verified ones are reported.
    last_seen: HashMap<Uuid, DateTime<Utc>>,
}

impl Tenants {
    pub(super) fn new(registry: &Registry, settings: &MetricsSettings) -> prometheus::Result<Self> {
        let active = filed(registry, names::ACTIVE_TENANTS.int_gauge()?)?;
        let tenants = Self {
            requests: filed(registry, names::TENANT_REQUESTS.counter()?)?,
            sync_duration: filed(registry, names::SYNC_DURATION.histogram()?)?,
            sync_products: filed(registry, names::SYNC_PRODUCTS.counter()?)?,
            active: active.get_metric_with_label_values::<&str>(&[])?,
            clock: settings.clock.clone(),
            book: Mutex::new(Book {
                ranking: Ranking::new(settings.tenant_limit),
                marketplaces: HashMap::new(),
                last_seen: HashMap::new(),
            }),
        };
        tenants.requests.with_label_values(&[OTHER]);
        for marketplace in &settings.known.marketplaces {
            tenants.sync_duration.with_label_values(&[OTHER, marketplace]);
            for status in ProductStatus::ALL {
                tenants.sync_products.with_label_values(&[OTHER, marketplace, status.as_str()]);
            }
        }
        Ok(tenants)
    }

    /// Records a request of a tenant whose identity was verified.
    pub fn requested(&self, tenant: Uuid) {
        self.note(tenant, |label, _| self.requests.with_label_values(&[label]).inc());
    }

    pub(super) fn synced(
        &self,
        tenant: Uuid,
        marketplace: &'static str,
        elapsed: Duration,
        ok: u64,
        failed: u64,
    ) {
        self.note(tenant, |label, own| {
            if let Some(marketplaces) = own
                && !marketplaces.contains(&marketplace)
            {
                marketplaces.push(marketplace);
            }
            self.sync_duration.with_label_values(&[label, marketplace]).observe(elapsed.as_secs_f64());
            for (status, products) in [(ProductStatus::Success, ok), (ProductStatus::Failed, failed)] {
                self.sync_products.with_label_values(&[label, marketplace, status.as_str()]).inc_by(products);
            }
        });
    }

    /// Brings the number of active tenants up to date; it falls by time alone.
    pub(super) fn refresh_active(&self) {
        let oldest = (self.clock)() - ACTIVE_FOR;
        let mut book = self.book();
        book.last_seen.retain(|_, seen| *seen > oldest);
        self.active.set(i64::try_from(book.last_seen.len()).unwrap_or(i64::MAX));
    }

    /// Finds the tenant's label and writes under it. `write` also gets the tenant's own list of marketplaces, if it
    /// has series of its own.
    fn note(&self, tenant: Uuid, write: impl FnOnce(&str, Option<&mut Vec<&'static str>>)) {
        let now = (self.clock)();
        let mut book = self.book();
        book.last_seen.insert(tenant, now);
        let seat = book.ranking.note(tenant);
        if let Seat::TakenFrom(loser) = seat {
            let marketplaces = book.marketplaces.remove(&loser).unwrap_or_default();
            self.forget(loser, &marketplaces);
        }
        if seat == Seat::Other {
            write(OTHER, None);
        } else {
            let mut text = Uuid::encode_buffer();
            write(
                tenant.hyphenated().encode_lower(&mut text),
                Some(book.marketplaces.entry(tenant).or_default()),
            );
        }
    }

    /// Ends the series of a tenant. One that it never had is none to end.
    fn forget(&self, tenant: Uuid, marketplaces: &[&'static str]) {
        let mut text = Uuid::encode_buffer();
        let label: &str = tenant.hyphenated().encode_lower(&mut text);
        self.requests.remove_label_values(&[label]).ok();
        for marketplace in marketplaces {
            self.sync_duration.remove_label_values(&[label, marketplace]).ok();
            for status in ProductStatus::ALL {
                self.sync_products.remove_label_values(&[label, marketplace, status.as_str()]).ok();
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Counts stay usable after a panic elsewhere.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
