//! Calls to marketplaces become metrics, and parts of traces.

use std::time::Duration;

use domain::marketplace::MarketplaceCode;
use marketplaces::{CallObserver, CallOutcome};
use monitoring::{
    error_reports,
    metrics::{Metrics, labels::MarketplaceOutcome},
};

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
        // It answered, whatever it said.
        let up = outcome != CallOutcome::Transient;
        let outcome = match outcome {
            CallOutcome::Ok => MarketplaceOutcome::Ok,
            CallOutcome::RateLimited => MarketplaceOutcome::RateLimited,
            CallOutcome::Auth => MarketplaceOutcome::Auth,
            CallOutcome::Transient => MarketplaceOutcome::Transient,
            CallOutcome::ContractChanged => MarketplaceOutcome::ContractChanged,
        };
        self.0.marketplace().request(marketplace.name(), operation, outcome, elapsed);
        self.0.dependencies().set(marketplace.name(), up);
        let call = format!("{} {operation}", marketplace.name());
        error_reports::span("http.client", &call, elapsed, outcome != MarketplaceOutcome::Ok);
    }
}
