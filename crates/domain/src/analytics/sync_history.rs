//! How syncs have ended, day by day.

use chrono::{Days, NaiveDate};

use crate::{
    calendar::Zone,
    clock::Timestamp,
    figures::half_up,
    sync::{SyncState, duration_ms},
};

/// How syncs have ended, day by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncHistory {
    /// The zone whose days these are.
    pub zone: Zone,
    /// Every day, oldest first; also those on which no sync ended.
    pub days: Vec<SyncDay>,
    /// Syncs that are pending or running, and so on no day yet.
    pub alive: i64,
}

/// How the syncs of a day have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncDay {
    /// The day on which they ended.
    pub day: NaiveDate,
    /// How they ended.
    pub outcomes: SyncOutcomes,
}

/// A sync that has ended, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedSync {
    /// How it ended.
    pub state: SyncState,
    /// When it began; none if it never did.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Timestamp,
}

/// How many syncs have ended how, and how long they took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncOutcomes {
    /// Read wholly.
    pub completed: i64,
    /// Read in part.
    pub partial: i64,
    /// Nothing committed.
    pub failed: i64,
    /// The account was paused.
    pub skipped: i64,
    /// Stopped by the tenant.
    pub cancelled: i64,
    /// Milliseconds of the longest; none if none had begun.
    pub longest_ms: Option<i64>,
    /// Syncs that had begun, and the milliseconds of all of them together.
    timed: (i64, i64),
}

impl SyncHistory {
    /// The history of as many calendar days of a zone, today the last of them; nothing is counted yet.
    pub fn of_days(days: u32, now: Timestamp, zone: Zone) -> Self {
        let today = zone.day_of(now);
        let back = (0..u64::from(days)).rev().filter_map(|n| today.checked_sub_days(Days::new(n)));
        let days = back.map(|day| SyncDay { day, outcomes: SyncOutcomes::default() }).collect();
        Self { zone, days, alive: 0 }
    }

    /// When the first day begins; none without days.
    pub fn begins_at(&self) -> Option<Timestamp> {
        self.days.first().map(|first| self.zone.start_of(first.day))
    }

    /// Counts a sync on the day on which it ended. One of another day is left out.
    pub fn count(&mut self, sync: EndedSync) {
        let day = self.zone.day_of(sync.finished_at);
        if let Ok(found) = self.days.binary_search_by_key(&day, |known| known.day) {
            self.days[found].outcomes.count(sync);
        }
    }

    /// All days together.
    pub fn totals(&self) -> SyncOutcomes {
        self.days.iter().fold(SyncOutcomes::default(), |sum, day| sum.and(day.outcomes))
    }
}

impl SyncOutcomes {
    fn count(&mut self, sync: EndedSync) {
        match sync.state {
            SyncState::Completed => self.completed += 1,
            SyncState::Partial => self.partial += 1,
            SyncState::Failed => self.failed += 1,
            SyncState::Skipped => self.skipped += 1,
            SyncState::Cancelled => self.cancelled += 1,
            SyncState::Pending | SyncState::Running => return,
        }
        if let Some(took) = duration_ms(sync.started_at, Some(sync.finished_at)) {
            self.longest_ms = self.longest_ms.max(Some(took));
            self.timed = (self.timed.0 + 1, self.timed.1 + took);
        }
    }

    /// These and others together.
    fn and(self, others: Self) -> Self {
        Self {
            completed: self.completed + others.completed,
            partial: self.partial + others.partial,
            failed: self.failed + others.failed,
            skipped: self.skipped + others.skipped,
            cancelled: self.cancelled + others.cancelled,
            longest_ms: self.longest_ms.max(others.longest_ms),
            timed: (self.timed.0 + others.timed.0, self.timed.1 + others.timed.1),
        }
    }

    /// All of them.
    pub const fn syncs(&self) -> i64 {
        self.completed + self.partial + self.failed + self.skipped + self.cancelled
    }

    /// Milliseconds that a sync took on average, half up; none if none had begun.
    pub fn average_ms(&self) -> Option<i64> {
        let (syncs, together) = self.timed;
        (syncs > 0).then(|| half_up(together, syncs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_sync_counts_on_the_day_of_its_end_in_the_zone() {
        let mut history = SyncHistory::of_days(2, at("2026-11-20T09:00:00Z"), Zone::MOSCOW);
        assert_eq!(history.begins_at(), Some(at("2026-11-18T21:00:00Z")));
        let mut ended = |state, started: Option<&str>, finished: &str| {
            history.count(EndedSync { state, started_at: started.map(at), finished_at: at(finished) });
        };
        // Before midnight in Moscow, and after.
        ended(SyncState::Completed, Some("2026-11-19T20:59:00Z"), "2026-11-19T20:59:59Z");
        ended(SyncState::Partial, Some("2026-11-19T20:59:00Z"), "2026-11-19T21:00:00Z");
        ended(SyncState::Failed, Some("2026-11-20T08:00:00Z"), "2026-11-20T08:00:01.001Z");
        ended(SyncState::Cancelled, None, "2026-11-20T08:30:00Z");
        ended(SyncState::Skipped, None, "2026-11-18T20:59:59Z");
        ended(SyncState::Skipped, None, "2026-11-20T21:00:00Z");
        let [yesterday, today] = history.days[..] else { panic!("two days") };
        assert_eq!(
            (yesterday.day.to_string(), today.day.to_string()),
            ("2026-11-19".into(), "2026-11-20".into())
        );
        assert_eq!((yesterday.outcomes.completed, yesterday.outcomes.syncs()), (1, 1));
        assert_eq!((today.outcomes.partial, today.outcomes.failed, today.outcomes.cancelled), (1, 1, 1));
        assert_eq!(today.outcomes.skipped, 0, "neither the day before the first nor tomorrow");
        assert_eq!((today.outcomes.longest_ms, today.outcomes.average_ms()), (Some(60_000), Some(30_501)));
        let totals = history.totals();
        assert_eq!((totals.syncs(), totals.longest_ms), (4, Some(60_000)));
        assert_eq!(totals.average_ms(), Some(40_000), "of 59, 60 and 1.001 seconds, half up");
    }

    #[test]
    fn days_without_syncs_are_there() {
        let history = SyncHistory::of_days(30, at("2026-03-01T00:00:00Z"), Zone::MOSCOW);
        assert_eq!(history.days.len(), 30);
        assert!(history.days.windows(2).all(|pair| pair[0].day.succ_opt() == Some(pair[1].day)));
        let totals = history.totals();
        assert_eq!((totals.syncs(), totals.average_ms(), totals.longest_ms), (0, None, None));
    }
}
