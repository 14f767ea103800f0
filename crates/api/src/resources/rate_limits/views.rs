//! Limits on the wire.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ratelimit::{PolicyState, Report};
use serde::Serialize;
use utoipa::ToSchema;

/// Every limit that holds for the caller.
#[derive(Serialize, ToSchema)]
#[schema(as = RateLimits)]
pub(super) struct RateLimitsView {
    items: Vec<RateLimitView>,
}

impl RateLimitsView {
    pub(super) fn of(report: Option<&Report>) -> Self {
        let items = report.into_iter().flat_map(|report| {
            let told = report.states().iter().filter(|state| state.is_advertised());
            told.map(|state| RateLimitView::of(report, state))
        });
        Self { items: items.collect() }
    }
}

/// How the caller stands under one limit.
#[derive(Serialize, ToSchema)]
#[schema(as = RateLimit)]
struct RateLimitView {
    /// Its name, as in the `RateLimit` header and in `violated_policies`.
    #[schema(example = "tenant")]
    policy: String,
    /// How many requests are let through in a window.
    #[schema(example = 100)]
    limit: u32,
    /// The window, in seconds. It slides: what was let through counts for exactly so long.
    #[schema(example = 60)]
    window_seconds: u64,
    /// How many count now.
    #[schema(example = 58)]
    used: u32,
    /// How many are left.
    #[schema(example = 42)]
    remaining: u32,
    /// When more will be left than now; null when nothing is used.
    #[schema(example = "2026-11-20T09:00:42Z")]
    reset: Option<DateTime<Utc>>,
}

impl RateLimitView {
    fn of(report: &Report, state: &PolicyState) -> Self {
        Self {
            policy: state.policy().to_string(),
            limit: state.limit(),
            window_seconds: state.rule().window().as_secs(),
            used: state.used(),
            remaining: state.remaining(),
            reset: (state.next_free() > Duration::ZERO).then(|| report.now() + state.next_free()).and_then(
                |at| DateTime::from_timestamp(i64::try_from(at.as_secs()).ok()?, at.subsec_nanos()),
            ),
        }
    }
}
