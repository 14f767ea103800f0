//! Calls to marketplaces become metrics.

use std::time::Duration;

use domain::marketplace::MarketplaceCode;
use marketplaces::{CallObserver, CallOutcome};
use monitoring::metrics::{Metrics, labels::MarketplaceOutcome};

/// Counts every call.
pub(super) struct MeasuredCalls(pub(super) Metrics);

impl CallObserver for MeasuredCalls {
    fn call_finished(
        &self,
        marketplace: MarketplaceCode,
        operation: &'static str,
        outcome: CallOutcome,
        elapsed: Duration,
    ) {
        let outcome = match outcome {
            CallOutcome::Ok => MarketplaceOutcome::Ok,
            CallOutcome::RateLimited => MarketplaceOutcome::RateLimited,
            CallOutcome::Auth => MarketplaceOutcome::Auth,
            CallOutcome::Transient => MarketplaceOutcome::Transient,
            CallOutcome::ContractChanged => MarketplaceOutcome::ContractChanged,
        };
        self.0.marketplace().request(marketplace.name(), operation, outcome, elapsed);
    }
}
