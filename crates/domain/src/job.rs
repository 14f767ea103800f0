//! Background work: what a job row carries. Payloads are versioned; a job may always run twice.

use std::time::Duration;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, SyncId, ZoneChangeId};

/// A queue: jobs of one queue share worker slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Reading marketplaces; minutes, waiting mostly.
    Sync,
    /// Short work within the database.
    Figures,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 2] = [Self::Sync, Self::Figures];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Figures => "figures",
        }
    }
}

/// The payload of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Run a sync that has been asked for.
    SyncAccount {
        /// The sync row to carry through.
        sync_id: SyncId,
        /// Its account.
        account_id: AccountId,
    },
    /// The day has turned in the zone of an account: count its window anew.
    TurnDay {
        /// The account.
        account_id: AccountId,
        /// The day that now runs.
        today: NaiveDate,
    },
    /// The zone in which an account counts days has changed: put its orders on the days of the new one.
    MoveDays {
        /// The account.
        account_id: AccountId,
        /// The change. Each has work of its own, since that of an earlier one may be about to end.
        change_id: ZoneChangeId,
    },
}

impl Job {
    /// The version of the payloads this code writes and reads.
    pub const VERSION: i32 = 1;

    /// The stored and published name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SyncAccount { .. } => "sync_account",
            Self::TurnDay { .. } => "turn_day",
            Self::MoveDays { .. } => "move_days",
        }
    }

    /// Where it waits.
    pub const fn queue(&self) -> Queue {
        match self {
            Self::SyncAccount { .. } => Queue::Sync,
            Self::TurnDay { .. } | Self::MoveDays { .. } => Queue::Figures,
        }
    }

    /// Two live jobs with the same key are one job.
    pub fn dedup_key(&self) -> String {
        match self {
            Self::SyncAccount { sync_id, .. } => format!("sync_account:{sync_id}"),
            Self::TurnDay { account_id, today } => format!("turn_day:{account_id}:{today}"),
            Self::MoveDays { account_id, change_id } => format!("move_days:{account_id}:{change_id}"),
        }
    }

    /// Failures after which it is given up, those of a process that died with it included.
    pub const fn max_attempts(&self) -> i32 {
        match self {
            Self::SyncAccount { .. } | Self::TurnDay { .. } | Self::MoveDays { .. } => 10,
        }
    }
}

/// How one run of a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Failed; try again, after this long if it is known, else with growing pauses.
    Retry {
        /// The pause, if known.
        after: Option<Duration>,
        /// What went wrong, for the operator.
        error: String,
    },
    /// Cannot succeed.
    Dead {
        /// What went wrong, for the operator.
        error: String,
    },
    /// Nothing failed; there is nothing to do before this has passed.
    Park {
        /// How long.
        after: Duration,
    },
}
