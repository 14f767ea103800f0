//! Syncs of marketplace accounts.

use std::{sync::Arc, time::Duration};

use prometheus::{IntCounterVec, Registry};
use uuid::Uuid;

use super::{KnownLabels, Tenants, filed, labels::SyncOutcome, names};

/// Syncs of accounts.
pub struct Sync {
    runs: IntCounterVec,
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
        Ok(Self { runs, tenants })
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
