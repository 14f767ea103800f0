//! Reports that are made while the caller waits: asked for, worked on, kept for a while, deleted. Pure: time comes in
//! as an argument.

use std::time::Duration;

use actix_web::web::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// How far an asynchronous report is, in the marketplace's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportStatus {
    /// Nobody has begun with it.
    New,
    /// It is being made.
    Processing,
    /// It can be downloaded.
    Done,
    /// It was deleted, after its time or before.
    Purged,
    /// The marketplace will not make it.
    Canceled,
}

/// How a report ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportEnd {
    /// It is deleted.
    Purged,
    /// It is refused.
    Canceled,
}

/// An asynchronous report that somebody asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The marketplace's id of it.
    pub task_id: Uuid,
    /// When it was asked for; its stock is that of this moment.
    pub created_at: DateTime<Utc>,
    /// When it can be downloaded, unless it ends before.
    pub ready_at: DateTime<Utc>,
    /// How far it is now.
    pub status: ReportStatus,
}

#[derive(Debug)]
struct Task {
    id: Uuid,
    seller: usize,
    created_at: DateTime<Utc>,
    begun_at: DateTime<Utc>,
    ready_at: DateTime<Utc>,
    purged_at: DateTime<Utc>,
    end: Option<ReportEnd>,
    body: Bytes,
}

impl Task {
    fn status(&self, now: DateTime<Utc>) -> ReportStatus {
        match self.end {
            Some(ReportEnd::Purged) => ReportStatus::Purged,
            Some(ReportEnd::Canceled) => ReportStatus::Canceled,
            None if now >= self.purged_at => ReportStatus::Purged,
            None if now >= self.ready_at => ReportStatus::Done,
            None if now >= self.begun_at => ReportStatus::Processing,
            None => ReportStatus::New,
        }
    }
}

/// All reports that were ever asked for, oldest first; the contents only of those that can still be downloaded.
#[derive(Debug)]
pub(crate) struct Reports {
    tasks: Vec<Task>,
    time: Duration,
    kept: Duration,
    rng: StdRng,
}

impl Reports {
    /// Each report takes `time` and is kept for `kept` after that.
    pub(crate) fn new(seed: u64, time: Duration, kept: Duration) -> Self {
        Self { tasks: Vec::new(), time, kept, rng: StdRng::seed_from_u64(seed ^ 0x7265_706f_7274) }
    }

    /// How long the reports take that are asked for from now on.
    pub(crate) fn set_time(&mut self, time: Duration) {
        self.time = time;
    }

    /// Takes an order for a report, whose content is known already. It ends at once where it shall not be made.
    pub(crate) fn create(
        &mut self,
        seller: usize,
        body: Bytes,
        end: Option<ReportEnd>,
        now: DateTime<Utc>,
    ) -> Uuid {
        for task in self.tasks.iter_mut().filter(|task| task.purged_at <= now) {
            task.body = Bytes::new();
        }
        let id = Builder::from_random_bytes(self.rng.random()).into_uuid();
        let ready_at = later(now, self.time);
        self.tasks.push(Task {
            id,
            seller,
            created_at: now,
            begun_at: later(now, self.time / 4),
            ready_at,
            purged_at: later(ready_at, self.kept),
            end,
            body,
        });
        id
    }

    /// How far a report is; none where the seller never asked for it.
    pub(crate) fn status(&self, seller: usize, id: Uuid, now: DateTime<Utc>) -> Option<ReportStatus> {
        self.find(seller, id).map(|task| task.status(now))
    }

    /// A report that is done.
    pub(crate) fn content(&self, seller: usize, id: Uuid, now: DateTime<Utc>) -> Option<Bytes> {
        let task = self.find(seller, id)?;
        (task.status(now) == ReportStatus::Done).then(|| task.body.clone())
    }

    /// Ends a report before its time; whether the seller asked for it.
    pub(crate) fn end(&mut self, seller: usize, id: Uuid, end: ReportEnd) -> bool {
        let Some(task) = self.tasks.iter_mut().find(|task| task.id == id && task.seller == seller) else {
            return false;
        };
        task.end = Some(end);
        task.body = Bytes::new();
        true
    }

    /// What a seller asked for so far, oldest first.
    pub(crate) fn of(&self, seller: usize, now: DateTime<Utc>) -> Vec<Report> {
        let tasks = self.tasks.iter().filter(|task| task.seller == seller);
        tasks
            .map(|task| Report {
                task_id: task.id,
                created_at: task.created_at,
                ready_at: task.ready_at,
                status: task.status(now),
            })
            .collect()
    }

    fn find(&self, seller: usize, id: Uuid) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == id && task.seller == seller)
    }
}

/// A moment later, at most the last one that can be told.
fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELLER: usize = 1;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn reports() -> Reports {
        Reports::new(1, Duration::from_secs(40), Duration::from_hours(2))
    }

    #[test]
    fn a_report_is_made_kept_and_deleted() {
        let mut reports = reports();
        let id = reports.create(SELLER, Bytes::from_static(b"[1]"), None, at(0));
        for (seconds, status) in [
            (0, ReportStatus::New),
            (9, ReportStatus::New),
            (10, ReportStatus::Processing),
            (39, ReportStatus::Processing),
            (40, ReportStatus::Done),
            (7239, ReportStatus::Done),
            (7240, ReportStatus::Purged),
        ] {
            assert_eq!(reports.status(SELLER, id, at(seconds)), Some(status), "{seconds}");
            let content = reports.content(SELLER, id, at(seconds));
            assert_eq!(content.is_some(), status == ReportStatus::Done, "{seconds}");
        }
        reports.create(SELLER, Bytes::from_static(b"[2]"), None, at(7240));
        assert!(reports.tasks[0].body.is_empty(), "what is deleted takes no room");
    }

    #[test]
    fn a_report_is_its_sellers_alone() {
        let mut reports = reports();
        let id = reports.create(SELLER, Bytes::from_static(b"[]"), None, at(0));
        assert_eq!(reports.status(SELLER + 1, id, at(60)), None);
        assert_eq!(reports.content(SELLER + 1, id, at(60)), None);
        assert!(!reports.end(SELLER + 1, id, ReportEnd::Purged));
        assert_eq!((reports.of(SELLER, at(60)).len(), reports.of(SELLER + 1, at(60)).len()), (1, 0));
    }

    #[test]
    fn a_report_can_end_before_its_time() {
        let mut reports = reports();
        let refused = reports.create(SELLER, Bytes::new(), Some(ReportEnd::Canceled), at(0));
        let deleted = reports.create(SELLER, Bytes::from_static(b"[]"), None, at(0));
        assert!(reports.end(SELLER, deleted, ReportEnd::Purged));
        assert!(!reports.end(SELLER, Uuid::nil(), ReportEnd::Purged));
        let statuses: Vec<_> = reports.of(SELLER, at(60)).into_iter().map(|report| report.status).collect();
        assert_eq!(statuses, [ReportStatus::Canceled, ReportStatus::Purged]);
        assert_eq!(reports.content(SELLER, deleted, at(60)), None);
        assert_eq!(reports.content(SELLER, refused, at(60)), None);
    }

    #[test]
    fn the_time_of_a_report_is_that_at_which_it_was_asked_for() {
        let mut reports = reports();
        let slow = reports.create(SELLER, Bytes::new(), None, at(0));
        reports.set_time(Duration::ZERO);
        let fast = reports.create(SELLER, Bytes::new(), None, at(0));
        reports.set_time(Duration::MAX);
        let endless = reports.create(SELLER, Bytes::new(), None, at(0));
        let status = |id| reports.status(SELLER, id, at(1));
        assert_eq!(status(slow), Some(ReportStatus::New));
        assert_eq!(status(fast), Some(ReportStatus::Done));
        assert_eq!(status(endless), Some(ReportStatus::New));
    }
}
