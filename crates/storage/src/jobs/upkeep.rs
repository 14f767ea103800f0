//! What waits, and what nobody needs any more.

use std::time::Duration;

use domain::job::Queue;
use sea_orm::{DbBackend, FromQueryResult};

use super::{execute, millis, rows};
use crate::{db::Db, error::Error};

/// What waits in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    /// The queue.
    pub queue: Queue,
    /// Jobs that could run now.
    pub due: u64,
    /// How long the oldest of them could have run; zero when there is none.
    pub oldest: Duration,
}

/// What waits, for every queue.
pub async fn depth(db: &Db) -> Result<Vec<QueueDepth>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        queue: String,
        due: i64,
        oldest_ms: i64,
    }
    let sql = "SELECT queue, count(*) AS due, {now} - min(run_at) AS oldest_ms FROM job \
               WHERE state = 'queued' AND run_at <= {now} GROUP BY queue";
    let rows: Vec<Row> = rows(db, sql, []).await?;
    Ok(Queue::ALL
        .into_iter()
        .map(|queue| {
            let row = rows.iter().find(|row| row.queue == queue.name());
            QueueDepth {
                queue,
                due: row.map_or(0, |row| row.due.unsigned_abs()),
                oldest: row.map_or(Duration::ZERO, |row| Duration::from_millis(row.oldest_ms.unsigned_abs())),
            }
        })
        .collect())
}

/// Jobs removed by one statement: short, so that it holds nobody up.
const BATCH: u64 = 1_000;

/// Removes jobs that ended longer ago than `older_than`. Returns how many.
pub async fn prune(db: &Db, older_than: Duration) -> Result<u64, Error> {
    let lock = if db.backend() == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE state IN ('done', 'dead') \
         AND finished_at < {{now}} - $1 ORDER BY finished_at LIMIT {BATCH} {lock})"
    );
    let mut removed = 0;
    loop {
        let batch = execute(db, &sql, [millis(older_than).into()]).await?;
        removed += batch;
        if batch < BATCH {
            return Ok(removed);
        }
    }
}
