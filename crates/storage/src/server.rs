//! What the database's server says of itself.

use domain::clock::Timestamp;
use sea_orm::{DbBackend, FromQueryResult, Statement, prelude::DateTimeUtc};

use crate::{
    db::{Db, Reason},
    error::Error,
};

/// A server, or the library that is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `PostgreSQL` or `SQLite`.
    pub product: &'static str,
    /// Its version, as it writes it.
    pub version: String,
    /// What its clock showed when it answered.
    pub now: Timestamp,
    /// Connections that are open, and how many there can be; none where there is no server.
    pub connections: Option<(i64, i64)>,
}

/// Asks it.
pub async fn ask(db: &Db) -> Result<Server, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        version: String,
        now: DateTimeUtc,
        open: i64,
        most: i64,
    }
    let (product, sql) = match db.backend() {
        DbBackend::Postgres => (
            "PostgreSQL",
            "SELECT current_setting('server_version') AS version, clock_timestamp() AS now, \
             (SELECT sum(numbackends)::bigint FROM pg_stat_database) AS open, \
             current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint \
             AS most",
        ),
        _ => (
            "SQLite",
            "SELECT sqlite_version() AS version, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS now, 0 AS open, 0 AS most",
        ),
    };
    let statement = Statement::from_string(db.backend(), sql);
    let row = Row::find_by_statement(statement).one(db.system_pool(Reason::Health)).await?;
    let Row { version, now, open, most } =
        row.ok_or_else(|| Error::damaged("server", &"it says nothing of itself"))?;
    let connections = (db.backend() == DbBackend::Postgres).then_some((open, most));
    Ok(Server { product, version, now, connections })
}
