//! A sync of a marketplace account: its states, phases and counts.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    ids::{AccountId, SyncId},
    marketplace::MarketplaceCode,
};

/// How far a sync is, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Asked for, not begun.
    Pending,
    /// Reading; also while it waits for a limit or between retries.
    Running,
    /// Every capability that the credential grants was read wholly.
    Completed,
    /// A granted capability was not read wholly.
    Partial,
    /// No granted capability was read wholly, or it was given up.
    Failed,
    /// The account is paused.
    Skipped,
    /// Stopped by the tenant.
    Cancelled,
}

/// A name of no state, trigger or phase of a sync.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word for a sync")]
pub struct UnknownWord;

impl SyncState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Partial,
        Self::Failed,
        Self::Skipped,
        Self::Cancelled,
    ];

    /// The stored and published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

impl FromStr for SyncState {
    type Err = UnknownWord;

    fn from_str(name: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|state| state.name() == name).ok_or(UnknownWord)
    }
}

/// Why a sync was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncTrigger {
    /// By a person or an API client, or by connecting the account.
    Manual,
    /// By the schedule.
    Schedule,
    /// By the failure of an earlier one.
    Retry,
}

impl SyncTrigger {
    /// The stored and published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::Retry => "retry",
        }
    }
}

impl FromStr for SyncTrigger {
    type Err = UnknownWord;

    fn from_str(name: &str) -> Result<Self, UnknownWord> {
        [Self::Manual, Self::Schedule, Self::Retry].into_iter().find(|t| t.name() == name).ok_or(UnknownWord)
    }
}

/// A stretch of a sync, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading the catalogue.
    Products,
    /// Reading the seller's warehouses.
    Locations,
    /// Reading stock in the seller's warehouses.
    StockSeller,
    /// Reading stock in the marketplace's warehouses.
    StockMarketplace,
    /// Reading order lines.
    Orders,
    /// Writing the figures.
    Figures,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 6] = [
        Self::Products,
        Self::Locations,
        Self::StockSeller,
        Self::StockMarketplace,
        Self::Orders,
        Self::Figures,
    ];

    /// The stored and published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Locations => "locations",
            Self::StockSeller => "stock_seller",
            Self::StockMarketplace => "stock_marketplace",
            Self::Orders => "orders",
            Self::Figures => "figures",
        }
    }
}

impl FromStr for Phase {
    type Err = UnknownWord;

    fn from_str(name: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|phase| phase.name() == name).ok_or(UnknownWord)
    }
}

/// How much of a sync is done. The unit is rows read; the total is an estimate until it is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Rows read.
    pub done: i64,
    /// Rows expected, where that is known.
    pub total: Option<i64>,
}

/// What a sync did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncCounts {
    /// Products read.
    pub products: i64,
    /// Variants read.
    pub variants: i64,
    /// Stock rows read.
    pub stock_rows: i64,
    /// Rows written to the ledger.
    pub movements: i64,
    /// Order lines read.
    pub order_lines: i64,
    /// Rows that could not be read.
    pub failed: i64,
    /// Ordered units of the window that belong to no known variant.
    pub unmatched_units: i64,
}

/// Why a sync, or a part of it, did not succeed, in words a seller understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncError {
    /// Stable code.
    pub code: String,
    /// What to tell the seller.
    pub message: String,
}

/// A sync as the tenant sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncRun {
    /// Identity.
    pub id: SyncId,
    /// Of which account.
    pub account_id: AccountId,
    /// Of which marketplace.
    pub marketplace: MarketplaceCode,
    /// How far it is.
    pub state: SyncState,
    /// Why it was asked for.
    pub trigger: SyncTrigger,
    /// The stretch it is in; none before it begins and after it ends.
    pub phase: Option<Phase>,
    /// Until when it waits for a limit or a retry.
    pub waiting_until: Option<Timestamp>,
    /// How much is done.
    pub progress: Progress,
    /// What it did.
    pub counts: SyncCounts,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it is not complete.
    pub error: Option<SyncError>,
}

impl SyncRun {
    /// Milliseconds from beginning to end; none while it runs.
    pub fn duration_ms(&self) -> Option<i64> {
        duration_ms(self.started_at, self.finished_at)
    }
}

/// Milliseconds from a sync's beginning to its end; none if it has not begun or not ended.
pub fn duration_ms(started_at: Option<Timestamp>, finished_at: Option<Timestamp>) -> Option<i64> {
    Some((finished_at? - started_at?).num_milliseconds())
}

/// Share of unreadable rows, in percent, above which the marketplace must have changed its contract.
const DRIFT_PERCENT: u64 = 1;

/// Whether so many unreadable rows are a changed contract and not a few bad rows.
pub const fn is_contract_drift(read: u64, failed: u64) -> bool {
    failed * 100 > (read + failed) * DRIFT_PERCENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_percent_is_drift() {
        assert!(!is_contract_drift(100, 0));
        assert!(!is_contract_drift(99, 1));
        assert!(is_contract_drift(98, 2));
        assert!(is_contract_drift(0, 1));
        assert!(!is_contract_drift(0, 0));
    }

    #[test]
    fn words_and_back() {
        for state in SyncState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
        for phase in Phase::ALL {
            assert_eq!(phase.name().parse(), Ok(phase));
        }
    }
}
