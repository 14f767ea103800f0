//! A throw-away database of either kind, with the product's schema.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database as Connector, DatabaseConnection, DbBackend,
    FromQueryResult, Statement, Value,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use test_support::{
    postgres::{PgDatabase, PgServer},
    process::Process as Leashed,
};

use super::process::Setting;
use crate::{command, packages};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file.
    Sqlite,
    /// A server of its own.
    Postgres,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// What a server does unless its operator says otherwise: it keeps what it has said it keeps, and looks after its tables.
const AS_INSTALLED: [&str; 4] = ["fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on"];

/// A database, and what the product's processes need to work with it. Gone when dropped, or with this process.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) setting: Setting,
    /// As the owner of the tables.
    pub(crate) owner_url: String,
    // In the order in which they may go.
    _postgres: Option<(PgDatabase, PgServer)>,
    _folder: Leashed,
}

impl Database {
    /// Makes a database and migrates it.
    pub(crate) async fn create(
        kind: Kind,
        binary: PathBuf,
        extra: &[(&'static str, String)],
    ) -> Result<Self> {
        let folder = Leashed::new(None)?;
        let data = folder.folder().join("data");
        let mut variables: Vec<(&'static str, String)> = [
            ("PORT", "0"),
            ("METRICS_ADDR", "127.0.0.1:0"),
            ("LOG_FORMAT", "json"),
            // A run may outlast the usual token.
            ("ACCESS_TOKEN_MINUTES", "1440"),
            // It is the product that is measured, not how soon it refuses.
            ("RATE_LIMIT_ENABLED", "false"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec();
        variables.push(("DATA_DIR", data.display().to_string()));
        variables.extend_from_slice(extra);
        let (owner_url, postgres) = match kind {
            Kind::Sqlite => (format!("sqlite://{}?mode=rwc", data.join("stock-tracker.db").display()), None),
            Kind::Postgres => {
                packages::ensure_postgres()?;
                let server = PgServer::start_with(&AS_INSTALLED)?;
                let database = PgDatabase::create_on(&server, "st_bench".to_owned(), None).await?;
                variables.push(("DATABASE_URL", database.app_url().to_owned()));
                variables.push(("DATABASE_ADMIN_URL", database.admin_url().to_owned()));
                (database.admin_url().to_owned(), Some((database, server)))
            }
        };
        let setting = Setting { binary, variables };
        let mut migrate = Command::new(&setting.binary);
        migrate.arg("migrate").current_dir(folder.folder()).env_clear();
        migrate.envs(setting.variables.iter().map(|(name, value)| (name, value)));
        command::output(&mut migrate)?;
        Ok(Self { setting, owner_url, _postgres: postgres, _folder: folder })
    }

    /// Connects as the owner, on SQLite in the way the product does.
    pub(crate) async fn connect(&self) -> Result<DatabaseConnection> {
        let mut options = ConnectOptions::new(&self.owner_url);
        options.max_connections(1).sqlx_logging(false).map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(Duration::from_secs(30))
        });
        Connector::connect(options).await.context("connecting as the owner")
    }
}

/// Every row of a query, with `$1` and so on for the values.
pub(crate) async fn rows<T: FromQueryResult>(
    connection: &DatabaseConnection,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    T::find_by_statement(statement).all(connection).await.with_context(|| sql.to_owned())
}

/// Runs a statement, with `$1` and so on for the values.
pub(crate) async fn execute(
    connection: &DatabaseConnection,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<()> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await.with_context(|| sql.to_owned())?;
    Ok(())
}

/// Has the server do at once what it does by itself within a minute or so: learn how full its tables are. The product
/// never asks SQLite to.
pub(crate) async fn settle(connection: &DatabaseConnection) -> Result<()> {
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared("VACUUM (ANALYZE)").await.context("VACUUM (ANALYZE)")?;
    }
    Ok(())
}

/// `($1, $2), ($3, $4)` and so on, for a statement with this many rows of values. SQLite takes `$1` for a name, and
/// looks for it among all others.
pub(crate) fn placeholders(backend: DbBackend, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let mark = |column: usize| match backend {
            DbBackend::Postgres => format!("${}", row * columns + column),
            _ => "?".to_owned(),
        };
        let marks: Vec<String> = (1..=columns).map(mark).collect();
        format!("({})", marks.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
