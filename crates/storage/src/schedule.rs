//! When accounts are due. Rows are claimed one at a time, so that any number of processes may look.

use chrono::TimeDelta;
use domain::{actor::Actor, clock::Timestamp, ids::AccountId};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, FromQueryResult, QueryFilter as _,
    Statement, prelude::DateTimeUtc, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    db::{Db, Reason, WriteTx},
    entity::account_schedule,
    error::Error,
    scope::TenantScope,
};

/// A look at the schedule is noted this long after the one before that was: it comes often, and writing costs.
const NOTED_EVERY: TimeDelta = TimeDelta::seconds(10);

/// An account whose time has come, in a transaction of its tenant. Until that commits it stays due.
#[derive(Debug)]
pub struct Due {
    /// The transaction in which to make the work, and to set the next time.
    pub tx: WriteTx,
    /// The account.
    pub account_id: AccountId,
    /// The time that has come.
    pub due_at: Timestamp,
}

/// Claims an account that is due for a sync.
pub async fn claim_sync(db: &Db, now: Timestamp) -> Result<Option<Due>, Error> {
    claim(db, "next_sync_at", now).await
}

/// Claims an account whose day has turned.
pub async fn claim_turn(db: &Db, now: Timestamp) -> Result<Option<Due>, Error> {
    claim(db, "next_turn_at", now).await
}

async fn claim(db: &Db, column: &str, now: Timestamp) -> Result<Option<Due>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        tenant_id: Uuid,
        account_id: Uuid,
        due_at: DateTimeUtc,
    }
    // Asked without a lock first: mostly nothing is due, and on SQLite a look must not take the write lock.
    let find = format!(
        "SELECT tenant_id, account_id, {column} AS due_at FROM account_schedule WHERE {column} <= $1 \
         ORDER BY {column} LIMIT 1"
    );
    let look = Statement::from_sql_and_values(db.backend(), &find, [now.into()]);
    if Row::find_by_statement(look).one(db.system_pool(Reason::Schedule)).await?.is_none() {
        return Ok(None);
    }
    let tx = db.system(Reason::Schedule).await?;
    let lock = if db.backend() == DbBackend::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
    let take = Statement::from_sql_and_values(db.backend(), format!("{find}{lock}"), [now.into()]);
    let Some(row) = Row::find_by_statement(take).one(tx.inner()).await? else {
        return Ok(None);
    };
    let tx = tx.enter(TenantScope::new(row.tenant_id.into(), Actor::schedule())).await?;
    Ok(Some(Due { tx, account_id: row.account_id.into(), due_at: row.due_at }))
}

/// Sets when an account is next synced; none takes it off the schedule.
pub async fn set_next_sync(tx: &WriteTx, id: AccountId, at: Option<Timestamp>) -> Result<(), Error> {
    set(tx, id, account_schedule::Column::NextSyncAt, at).await
}

/// Sets when the figures of an account next count another window.
pub async fn set_next_turn(tx: &WriteTx, id: AccountId, at: Option<Timestamp>) -> Result<(), Error> {
    set(tx, id, account_schedule::Column::NextTurnAt, at).await
}

/// When somebody last looked at the schedule, to ten seconds; none where nobody did yet.
pub async fn last_tick(db: &Db) -> Result<Option<Timestamp>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        ticked_at: DateTimeUtc,
    }
    let sql = "SELECT ticked_at FROM schedule_tick WHERE name = 'accounts'";
    let statement = Statement::from_string(db.backend(), sql);
    let row = Row::find_by_statement(statement).one(db.system_pool(Reason::Schedule)).await?;
    Ok(row.map(|row| row.ticked_at))
}

/// Notes that somebody looks at the schedule now.
pub async fn note_tick(db: &Db, now: Timestamp) -> Result<(), Error> {
    // Looked up first: on SQLite even a statement that changes nothing takes the write lock.
    // One that lies ahead was noted by a clock that was wrong, and would hide that nobody looks.
    if last_tick(db).await?.is_some_and(|last| (now - last).abs() < NOTED_EVERY) {
        return Ok(());
    }
    let sql = "INSERT INTO schedule_tick (name, ticked_at) VALUES ('accounts', $1) \
               ON CONFLICT (name) DO UPDATE SET ticked_at = excluded.ticked_at";
    let statement = Statement::from_sql_and_values(db.backend(), sql, [now.into()]);
    db.system_pool(Reason::Schedule).execute_raw(statement).await?;
    Ok(())
}

async fn set(
    tx: &WriteTx,
    id: AccountId,
    column: account_schedule::Column,
    at: Option<Timestamp>,
) -> Result<(), Error> {
    account_schedule::Entity::update_many()
        .col_expr(column, Expr::value(at))
        .filter(account_schedule::Column::TenantId.eq(tx.tenant()))
        .filter(account_schedule::Column::AccountId.eq(id.as_uuid()))
        .exec(tx.inner())
        .await?;
    Ok(())
}
