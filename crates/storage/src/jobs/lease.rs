//! Keeping jobs, and taking them from workers that do not answer.

use std::{collections::HashSet, time::Duration};

use domain::ids::{JobId, TenantId};
use sea_orm::{DbBackend, FromQueryResult, Value};
use uuid::Uuid;

use super::{execute, millis, rows};
use crate::{db::Db, error::Error};

/// One run of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunKey {
    /// The job.
    pub id: JobId,
    /// Which of its runs.
    pub starts: i64,
}

/// A job whose worker let its lease run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaped {
    /// The job.
    pub id: JobId,
    /// Whose.
    pub tenant_id: TenantId,
    /// Its name. It may be one that this code does not know.
    pub kind: String,
    /// Failures so far, this one included.
    pub attempts: i32,
    /// Whether it was given up; otherwise it is queued again.
    pub dead: bool,
}

/// Runs named in one statement.
const CHUNK: usize = 500;

/// Renews the leases of these runs, and of no others of the worker: a job that the process has lost sight of must run
/// out. Returns the runs that are still the worker's.
pub async fn renew(
    db: &Db,
    runs: &[RunKey],
    worker: Uuid,
    lease: Duration,
) -> Result<HashSet<RunKey>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        starts: i64,
    }
    let mut kept = HashSet::with_capacity(runs.len());
    for chunk in runs.chunks(CHUNK) {
        let mut values: Vec<Value> = vec![worker.into(), millis(lease).into()];
        let mut places = Vec::with_capacity(chunk.len());
        for run in chunk {
            places.push(format!("(${}, ${})", values.len() + 1, values.len() + 2));
            values.push(run.id.as_uuid().into());
            values.push(run.starts.into());
        }
        let sql = format!(
            "UPDATE job SET lease_until = {{now}} + $2 WHERE state = 'running' AND locked_by = $1 \
             AND (id, starts) IN (VALUES {}) RETURNING id, starts",
            places.join(", ")
        );
        let rows: Vec<Row> = rows(db, &sql, values).await?;
        kept.extend(rows.into_iter().map(|row| RunKey { id: row.id.into(), starts: row.starts }));
    }
    Ok(kept)
}

/// Ends every lease that has run out: a failure of the job, which is queued again at once, or given up. A job that
/// takes its whole process down is therefore given up too.
pub async fn reap(db: &Db) -> Result<Vec<Reaped>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        tenant_id: Uuid,
        kind: String,
        attempts: i32,
        state: String,
    }
    // Two workers may reap at the same time.
    let lock = if db.backend() == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "UPDATE job SET attempts = attempts + 1, locked_by = NULL, lease_until = NULL, \
           error = 'the worker did not renew its lease', \
           state = CASE WHEN attempts + 1 >= max_attempts THEN 'dead' ELSE 'queued' END, \
           finished_at = CASE WHEN attempts + 1 >= max_attempts THEN {{now}} END \
         WHERE id IN (SELECT id FROM job WHERE state = 'running' AND lease_until < {{now}} {lock}) \
           AND state = 'running' \
         RETURNING id, tenant_id, kind, attempts, state"
    );
    let rows: Vec<Row> = rows(db, &sql, []).await?;
    Ok(rows
        .into_iter()
        .map(|row| Reaped {
            id: row.id.into(),
            tenant_id: row.tenant_id.into(),
            kind: row.kind,
            attempts: row.attempts,
            dead: row.state == "dead",
        })
        .collect())
}

/// Gives every job of a worker that stops back to its queue. That is no failure of the job. Returns how many.
pub async fn hand_back(db: &Db, worker: Uuid) -> Result<u64, Error> {
    let sql = "UPDATE job SET state = 'queued', locked_by = NULL, lease_until = NULL \
               WHERE state = 'running' AND locked_by = $1";
    execute(db, sql, [worker.into()]).await
}
