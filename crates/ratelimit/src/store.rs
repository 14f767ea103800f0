//! What keeps the counts.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{LimitKey, Plan, Receipt, Report};

/// Keeps the counts. All implementations give the same answers.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Admits a request by all policies of the plan, or counts it by none.
    async fn admit(&self, plan: &Plan) -> Result<Report, StoreError>;

    /// Tells what [`Store::admit`] would say, and changes nothing.
    async fn peek(&self, plan: &Plan) -> Result<Report, StoreError>;

    /// Forgets everything counted under these keys. Returns how many of them were known.
    async fn reset(&self, keys: &[LimitKey]) -> Result<u64, StoreError>;

    /// Gives an admission back, as if it had not been. Returns for how many policies that was possible: always under
    /// [`SlidingLog`](crate::Algorithm::SlidingLog) and [`FixedWindow`](crate::Algorithm::FixedWindow) while the
    /// admission still counts, under the others only while nothing was admitted since.
    async fn refund(&self, receipt: Receipt) -> Result<u32, StoreError>;

    /// Finds out whether it takes writes at the moment, and counts nothing.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Whether somebody reset one of these keys within its window. Who finds less counted than he counted himself learns
    /// by this whether that was meant.
    async fn was_reset(&self, keys: &[LimitKey]) -> Result<bool, StoreError>;

    /// For how long a refusal stays true at least, or until the wait it told is over if that is sooner, while nobody
    /// resets or gives back. Shorter where it takes back by itself what it counted.
    fn refusals_hold(&self) -> Duration {
        Duration::MAX
    }

    /// How often it may have lost what it counted, as far as that can be seen: connections that broke.
    fn interruptions(&self) -> u64 {
        0
    }
}

/// What kind of failure a store met. None of them is a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached, or the connection broke.
    Unreachable,
    /// It did not answer in time.
    Timeout,
    /// It is starting, failing over, busy with a script, or otherwise says to come back later.
    NotReady,
    /// It is a replica and takes no writes.
    ReadOnly,
    /// It has no memory left.
    OutOfMemory,
    /// Keys of one script live in different slots.
    CrossSlot,
    /// It refused the command otherwise: rights, a wrong password, a broken script.
    Refused,
    /// Its answer was not understood.
    Unreadable,
}

impl StoreErrorKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Unreachable,
        Self::Timeout,
        Self::NotReady,
        Self::ReadOnly,
        Self::OutOfMemory,
        Self::CrossSlot,
        Self::Refused,
        Self::Unreadable,
    ];

    /// A short name for a metric's label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::NotReady => "not_ready",
            Self::ReadOnly => "read_only",
            Self::OutOfMemory => "out_of_memory",
            Self::CrossSlot => "cross_slot",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Why a store gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store of rate limits: {kind}: {detail}", kind = .kind.as_str())]
pub struct StoreError {
    kind: StoreErrorKind,
    detail: String,
}

impl StoreError {
    /// An error of this kind, with what the store said.
    pub fn new(kind: StoreErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}
