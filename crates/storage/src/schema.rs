//! The schema as this crate expects it.

use sea_orm::{ConnectionTrait as _, DbBackend, FromQueryResult, Statement};

use crate::{
    db::{Db, Reason},
    error::Error,
};

/// Tables with a `tenant_id` that are read before a tenant is known and so have no row-level security. Every other
/// table with a `tenant_id` must have it.
pub const BEFORE_TENANT: [&str; 4] = ["account_schedule", "job", "membership", "session"];

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
    use migrations::MigratorTrait as _;
    let pool = db.system_pool(Reason::Health);
    let expected: Vec<String> =
        migrations::Migrator::migrations().iter().map(|m| m.name().to_owned()).collect();
    let exists = match db.backend() {
        DbBackend::Postgres => "SELECT 1 AS one FROM pg_tables WHERE tablename = 'seaql_migrations'",
        _ => "SELECT 1 AS one FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    };
    let table =
        pool.query_one_raw(Statement::from_string(db.backend(), exists)).await.map_err(Error::from)?;
    if table.is_none() {
        return Err(Unfit::Old { missing: expected.len() });
    }
    let applied = pool
        .query_all_raw(Statement::from_string(db.backend(), "SELECT version FROM seaql_migrations"))
        .await
        .map_err(Error::from)?
        .iter()
        .map(|row| row.try_get::<String>("", "version"))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::from)?;
    match expected.iter().filter(|name| !applied.contains(name)).count() {
        0 => Ok(()),
        missing => Err(Unfit::Old { missing }),
    }
}

/// Whether the database answers.
pub async fn ping(db: &Db) -> Result<(), Error> {
    let statement = Statement::from_string(db.backend(), "SELECT 1");
    db.system_pool(Reason::Health).query_one_raw(statement).await?;
    Ok(())
}

/// What stands in the way of row-level security holding for the role the application runs as. Empty on SQLite, which
/// has neither roles nor policies.
pub async fn isolation_gaps(db: &Db) -> Result<Vec<String>, Error> {
    #[derive(FromQueryResult)]
    struct Role {
        name: String,
        superuser: bool,
        bypasses: bool,
        owns: bool,
    }
    if db.backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    let sql = "SELECT rolname::text AS name, rolsuper AS superuser, rolbypassrls AS bypasses, \
               EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public' \
                       AND pg_has_role(rolname, tableowner, 'MEMBER')) AS owns \
               FROM pg_roles WHERE rolname = current_user";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let role = Role::find_by_statement(statement).one(db.system_pool(Reason::Health)).await?;
    let Some(role) = role else {
        return Ok(vec!["the current role is not in pg_roles".into()]);
    };
    let mut gaps = Vec::new();
    if role.superuser {
        gaps.push(format!("role {} is a superuser", role.name));
    }
    if role.bypasses {
        gaps.push(format!("role {} has BYPASSRLS", role.name));
    }
    if role.owns {
        gaps.push(format!("role {} owns tables, or is a member of the role that does", role.name));
    }
    Ok(gaps)
}
