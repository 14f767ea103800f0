//! Background jobs, as rows of the `job` table.
//!
//! A job is written in the transaction that makes it necessary, so none is lost and none is early. Workers claim jobs
//! fairly over tenants and hold them by leases. A run is known by the worker and by the job's count of starts: whoever
//! woke up too late changes nothing. Every time is milliseconds since 1970 by the clock of the database, so workers
//! with different clocks agree. What a job does, and when it is tried again, is decided elsewhere.

mod claim;
mod enqueue;
mod lease;
mod settle;
mod upkeep;

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DbBackend, FromQueryResult, Statement, Value};

pub use self::{
    claim::{Claim, ClaimedJob, claim},
    enqueue::{Enqueued, enqueue, enqueue_system},
    lease::{Reaped, RunKey, hand_back, reap, renew},
    settle::{Settlement, settle},
    upkeep::{QueueDepth, depth, prune},
};
use crate::{
    db::{Db, Reason},
    error::Error,
};

/// The text kept of a job's error; what is longer is cut.
const ERROR_CHARS: usize = 2_000;

/// `sql` with every `{now}` replaced by the present moment of the database, in milliseconds. Within one statement it
/// does not move, and an index on a time can be used.
fn with_now(backend: DbBackend, sql: &str) -> String {
    let now = match backend {
        DbBackend::Postgres => "((extract(epoch FROM now()) * 1000)::bigint)",
        _ => "(CAST(unixepoch('subsec') * 1000 AS INTEGER))",
    };
    sql.replace("{now}", now)
}

/// A duration as the table keeps it.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}

/// An error as the table keeps it. PostgreSQL takes no NUL in a text, and a run must be able to end whatever it says.
fn cut(error: &str) -> String {
    error.chars().filter(|c| *c != '\0').take(ERROR_CHARS).collect()
}

fn statement(db: &Db, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(db.backend(), with_now(db.backend(), sql), values)
}

async fn execute(db: &Db, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<u64, Error> {
    let statement = statement(db, sql, values);
    Ok(db.system_pool(Reason::Jobs).execute_raw(statement).await?.rows_affected())
}

async fn rows<T: FromQueryResult>(
    db: &Db,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>, Error> {
    let statement = statement(db, sql, values);
    Ok(T::find_by_statement(statement).all(db.system_pool(Reason::Jobs)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_never_overflows_when_it_is_added_to_the_present() {
        assert_eq!(millis(Duration::from_millis(1_500)), 1_500);
        assert!(millis(Duration::MAX).checked_add(4_102_444_800_000).is_some());
    }

    #[test]
    fn a_long_error_is_cut_between_characters() {
        assert_eq!(cut(&"ё".repeat(ERROR_CHARS + 5)), "ё".repeat(ERROR_CHARS));
        assert_eq!(cut("no\0 answer"), "no answer");
    }
}
