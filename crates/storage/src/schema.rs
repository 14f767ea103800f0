//! The schema as this crate expects it.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::{
    db::{Db, Reason},
    error::Error,
};

/// Why the application must not run on this database.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Migrations are missing.
    #[error(
        "the schema is older than the program ({missing} migrations are missing): run `stock-tracker migrate`"
    )]
    Old {
        /// How many.
        missing: usize,
    },
    /// The database cannot be asked.
    #[error(transparent)]
    Unreachable(#[from] Error),
}

/// Refuses a schema older than the program.
pub async fn check_current(db: &Db) -> Result<(), Unfit> {
    match compare(db).await?.missing.len() {
        0 => Ok(()),
        missing => Err(Unfit::Old { missing }),
    }
}

/// How the schema and the program differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Steps that the program knows and the schema lacks.
    pub missing: Vec<String>,
    /// Steps that the schema has and the program does not know: a newer program made them.
    pub unknown: Vec<String>,
}

/// Compares the schema with what the program expects.
pub async fn compare(db: &Db) -> Result<Difference, Error> {
    use migrations::MigratorTrait as _;
    let expected: Vec<String> =
        migrations::Migrator::migrations().iter().map(|m| m.name().to_owned()).collect();
    let applied = applied(db).await?;
    let without = |of: &[String], known: &[String]| {
        of.iter().filter(|name| !known.contains(name)).cloned().collect::<Vec<_>>()
    };
    Ok(Difference { missing: without(&expected, &applied), unknown: without(&applied, &expected) })
}

async fn applied(db: &Db) -> Result<Vec<String>, Error> {
    let pool = db.system_pool(Reason::Health);
    let exists = match db.backend() {
        DbBackend::Postgres => "SELECT 1 AS one FROM pg_tables WHERE tablename = 'seaql_migrations'",
        _ => "SELECT 1 AS one FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    };
    if pool.query_one_raw(Statement::from_string(db.backend(), exists)).await?.is_none() {
        return Ok(Vec::new());
    }
    let sql = "SELECT version FROM seaql_migrations ORDER BY version";
    let rows = pool.query_all_raw(Statement::from_string(db.backend(), sql)).await?;
    Ok(rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?)
}

/// Whether the database answers.
pub async fn ping(db: &Db) -> Result<(), Error> {
    let statement = Statement::from_string(db.backend(), "SELECT 1");
    db.system_pool(Reason::Health).query_one_raw(statement).await?;
    Ok(())
}
