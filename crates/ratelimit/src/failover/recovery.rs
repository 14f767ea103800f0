//! How long the store may not know of all that counts.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::algorithm::Terms;
use crate::{Algorithm, Plan};

/// Microseconds by which two clocks may differ over a window, and the rounding of a compact log.
const MARGIN: u64 = 10_000;

/// The last moment at which the store may have missed or lost something. What was counted up to then is over a window
/// later.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    since: AtomicU64,
    /// How often the store had been interrupted when this was looked at last.
    interruptions: AtomicU64,
}

impl Recovery {
    /// Whether the store may not know of all that counts at `now` under what a plan asks.
    pub(super) fn is_on(&self, plan: &Plan, interruptions: u64, now: u64) -> bool {
        if self.interruptions.load(Ordering::Acquire) != interruptions {
            // Begun before it is noted that this was seen: whoever sees the note finds it begun.
            self.begin(now);
            self.interruptions.store(interruptions, Ordering::Release);
        }
        let since = self.since.load(Ordering::Acquire);
        since > 0 && now < since + longest(plan)
    }

    /// The store may have missed or lost something by `now`.
    pub(super) fn begin(&self, now: u64) {
        self.since.fetch_max(now, Ordering::AcqRel);
    }
}

/// The longest that anything counts under what a plan asks.
fn longest(plan: &Plan) -> u64 {
    let counts = |ask: &crate::Ask| {
        let Terms { capacity, span } = ask.rule().terms();
        match ask.rule().algorithm() {
            Algorithm::Gcra { .. } => span.saturating_mul(capacity.into()),
            _ => span,
        }
    };
    plan.asks().iter().map(counts).max().unwrap_or(0) + MARGIN
}
