//! Calls to marketplaces.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, Registry};

use super::{KnownLabels, filed, labels::MarketplaceOutcome, names};

/// Calls to marketplaces.
pub struct Marketplace {
    requests: IntCounterVec,
    duration: HistogramVec,
}

impl Marketplace {
    pub(super) fn new(registry: &Registry, known: &KnownLabels) -> prometheus::Result<Self> {
        let families = Self {
            requests: filed(registry, names::MARKETPLACE_REQUESTS.counter()?)?,
            duration: filed(registry, names::MARKETPLACE_REQUEST_DURATION.histogram()?)?,
        };
        for (marketplace, operation) in &known.operations {
            for outcome in MarketplaceOutcome::ALL {
                let labels = [*marketplace, *operation, outcome.as_str()];
                families.requests.with_label_values(&labels);
                families.duration.with_label_values(&labels);
            }
        }
        Ok(families)
    }

    /// Records one call, each attempt of a repeated one by itself. `operation` is the connector's name for the call,
    /// never a URL.
    pub fn request(
        &self,
        marketplace: &'static str,
        operation: &'static str,
        outcome: MarketplaceOutcome,
        elapsed: Duration,
    ) {
        let labels = [marketplace, operation, outcome.as_str()];
        self.requests.with_label_values(&labels).inc();
        self.duration.with_label_values(&labels).observe(elapsed.as_secs_f64());
    }
}
