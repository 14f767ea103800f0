//! How syncs have ended, day by day.

use domain::{
    analytics::{EndedSync, Population, SyncHistory},
    clock::Timestamp,
};
use sea_orm::{FromQueryResult, Value, prelude::DateTimeUtc};
use uuid::Uuid;

use super::of_population;
use crate::{codec, db::TenantTx, error::Error};

/// Rows read at once: memory does not grow with the history.
const ROWS: usize = 5_000;

/// Counts the syncs of a population into a history that has its days and nothing else yet.
pub async fn sync_history<M>(
    tx: &TenantTx<M>,
    of: Population,
    mut history: SyncHistory,
) -> Result<SyncHistory, Error> {
    #[derive(FromQueryResult)]
    struct Alive {
        syncs: i64,
    }
    let (population, values) = of_population(tx, of);
    // The words as they are: the index is of these only, and a placeholder could be any.
    let sql = format!(
        "SELECT COUNT(*) AS syncs FROM sync_run WHERE {population} AND state IN ('pending', 'running')"
    );
    history.alive = tx.row::<Alive>(&sql, values).await?.map_or(0, |row| row.syncs);
    let Some(begins_at) = history.begins_at() else { return Ok(history) };
    let mut after = (begins_at, Uuid::nil());
    loop {
        let rows = ended_after(tx, of, after).await?;
        let full = rows.len() == ROWS;
        for row in rows {
            after = (row.finished_at, row.id);
            history.count(EndedSync {
                state: codec::word("sync state", &row.state)?,
                started_at: row.started_at,
                finished_at: row.finished_at,
            });
        }
        if !full {
            return Ok(history);
        }
    }
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    state: String,
    started_at: Option<DateTimeUtc>,
    finished_at: DateTimeUtc,
}

/// Syncs that ended after a moment, or then with a later id; oldest first.
async fn ended_after<M>(
    tx: &TenantTx<M>,
    of: Population,
    (at, id): (Timestamp, Uuid),
) -> Result<Vec<Row>, Error> {
    let (population, mut values) = of_population(tx, of);
    values.extend([Value::from(at), Value::from(id)]);
    let sql = format!(
        "SELECT id, state, started_at, finished_at FROM sync_run \
         WHERE {population} AND (finished_at, id) > (${}, ${}) ORDER BY finished_at, id LIMIT {ROWS}",
        values.len() - 1,
        values.len()
    );
    tx.rows(&sql, values).await
}
