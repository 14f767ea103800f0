//! Syncs of marketplace accounts.

use std::{sync::Arc, time::Duration};

use prometheus::{GaugeVec, IntCounterVec, Registry};
use uuid::Uuid;

use super::{KnownLabels, Tenants, filed, labels::SyncOutcome, names};

/// Syncs of accounts.
pub struct Sync {
    runs: IntCounterVec,
    staleness: GaugeVec,
    tenants: Arc<Tenants>,
}

impl Sync {
    pub(super) fn new(
        registry: &Registry,
        known: &KnownLabels,
        tenants: Arc<Tenants>,
    ) -> prometheus::Result<Self> {
        let runs = filed(registry, names::SYNC_RUNS.counter()?)?;
        for marketplace in &known.marketplaces {
            for outcome in SyncOutcome::ALL {
                runs.with_label_values(&[*marketplace, outcome.as_str()]);
            }
        }
        let staleness = filed(registry, names::SYNC_STALENESS.gauge()?)?;
        Ok(Self { runs, staleness, tenants })
    }

    /// States by how much the account of each marketplace is late that waits longest; zero where none is. Marketplaces
    /// that are not listed have no account that could be.
    pub fn late(&self, marketplaces: &[(&'static str, Duration)]) {
        self.staleness.reset();
        for (marketplace, by) in marketplaces {
            self.staleness.with_label_values(&[*marketplace]).set(by.as_secs_f64());
        }
    }

    /// Records the end of a sync: how long it took, how many products were stored (`ok`) and how many could not be
    /// (`failed`). A skipped sync counts as a run only: its duration says nothing about syncing.
    pub fn finished(
        &self,
        tenant: Uuid,
        marketplace: &'static str,
        outcome: SyncOutcome,
        elapsed: Duration,
        ok: u64,
        failed: u64,
    ) {
        self.runs.with_label_values(&[marketplace, outcome.as_str()]).inc();
        if outcome != SyncOutcome::Skipped {
            self.tenants.synced(tenant, marketplace, elapsed, ok, failed);
        }
    }
}
