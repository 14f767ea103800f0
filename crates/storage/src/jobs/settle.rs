//! Ending the run of a job.

use std::time::Duration;

use uuid::Uuid;

use super::{cut, execute, lease::RunKey, millis};
use crate::{db::Db, error::Error};

/// How a run ended, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Done.
    Done,
    /// Failed: queued again, or given up when it was the last attempt.
    Retry {
        /// How long to wait before the next attempt.
        after: Duration,
        /// What went wrong.
        error: String,
    },
    /// Failed and given up.
    Dead {
        /// What went wrong.
        error: String,
    },
    /// Queued again; no failure.
    Park {
        /// How long to wait before the next run.
        after: Duration,
    },
}

/// `$1` to `$3` say which run: one that has lost its lease changes nothing.
const FENCE: &str = "WHERE id = $1 AND starts = $2 AND locked_by = $3 AND state = 'running'";

/// Ends a run. False when the run was not the worker's any more; then nothing has changed.
pub async fn settle(db: &Db, run: RunKey, worker: Uuid, settlement: &Settlement) -> Result<bool, Error> {
    let mut values = vec![run.id.as_uuid().into(), run.starts.into(), worker.into()];
    let set = match settlement {
        Settlement::Done => "state = 'done', error = NULL, finished_at = {now}",
        Settlement::Retry { after, error } => {
            values.push(cut(error).into());
            values.push(millis(*after).into());
            "attempts = attempts + 1, error = $4, run_at = {now} + $5, \
             state = CASE WHEN attempts + 1 >= max_attempts THEN 'dead' ELSE 'queued' END, \
             finished_at = CASE WHEN attempts + 1 >= max_attempts THEN {now} END"
        }
        Settlement::Dead { error } => {
            values.push(cut(error).into());
            "attempts = attempts + 1, error = $4, state = 'dead', finished_at = {now}"
        }
        Settlement::Park { after } => {
            values.push(millis(*after).into());
            "state = 'queued', run_at = {now} + $4"
        }
    };
    let sql = format!("UPDATE job SET locked_by = NULL, lease_until = NULL, {set} {FENCE}");
    Ok(execute(db, &sql, values).await? > 0)
}
