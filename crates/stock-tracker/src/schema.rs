//! Bringing the schema to where the program expects it, and refusing to run on anything else.
//!
//! Migrations run over a pool of their own that is closed before the application's opens: a connection that has seen
//! the old schema can go on believing in it.

use std::{
    fs::{DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail};
use api::Environment;
use migrations::{DatabaseConnection, Migrator, MigratorTrait as _, grants};
use storage::{Db, isolation, schema};

use crate::config::{Config, Database, DatabaseUrl};

/// How often a migration on PostgreSQL is tried when another process migrates at the same time.
const TRIES: u32 = 5;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// A step of the schema and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepState {
    pub(crate) name: String,
    pub(crate) applied: bool,
}

/// Before a role opens its pool: on SQLite the role migrates, since nobody else does.
pub(crate) async fn prepare(database: &Database) -> anyhow::Result<()> {
    if !database.url.is_postgres() {
        up(database).await?;
    }
    Ok(())
}

/// Refuses a schema that does not fit, and on PostgreSQL a role that row-level security does not bind.
pub(crate) async fn check(db: &Db, config: &Config) -> anyhow::Result<()> {
    schema::check_current(db).await?;
    let gaps = isolation::role_gaps(db).await.context("asking for the rights of the role")?;
    if gaps.is_empty() {
        return Ok(());
    }
    let gaps = gaps.join(", ");
    if config.deployment.environment == Environment::Production {
        bail!("row-level security does not hold: {gaps}. DATABASE_URL must name a role that owns nothing");
    }
    tracing::warn!(%gaps, "row-level security does not hold: one lock on tenants' data is missing");
    Ok(())
}

/// Applies what is missing and, on PostgreSQL, grants the application role its rights. Any number of processes may do
/// this at once. Returns the steps that were missing.
pub(crate) async fn up(database: &Database) -> anyhow::Result<Vec<String>> {
    let url = owner(database);
    let _turn = turn(url).await?;
    let pool = url.pool(1).open().await.context("connecting to the database")?;
    let migrated = async {
        let missing = Migrator::get_pending_migrations_read_only(&pool).await?;
        let mut tries_left = if url.is_postgres() { TRIES } else { 1 };
        while let Err(error) = apply(&pool, database, !missing.is_empty()).await {
            tries_left -= 1;
            if tries_left == 0 {
                return Err(error);
            }
            tracing::warn!(%error, tries_left, "not migrated; perhaps another process migrates at the same time");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(missing.iter().map(|step| step.name().to_owned()).collect())
    };
    let migrated = migrated.await;
    pool.close().await.context("closing the migration's pool")?;
    migrated
}

/// Steps and rights, both safe to repeat. On PostgreSQL either fails where another process is at the same rows.
async fn apply(pool: &DatabaseConnection, database: &Database, is_old: bool) -> anyhow::Result<()> {
    if is_old {
        Migrator::up(pool, None).await.context("migrating")?;
    }
    if let (Some(_), Some(role)) = (&database.admin_url, database.url.user()) {
        grants::apply(pool, role).await.with_context(|| format!("granting {role} its rights"))?;
    }
    Ok(())
}

/// Undoes the last steps. Returns them.
pub(crate) async fn down(database: &Database, steps: u32) -> anyhow::Result<Vec<String>> {
    let url = owner(database);
    let _turn = turn(url).await?;
    let pool = url.pool(1).open().await.context("connecting to the database")?;
    let undone = async {
        let applied = Migrator::get_applied_migrations_read_only(&pool).await?;
        Migrator::down(&pool, Some(steps)).await?;
        let steps = usize::try_from(steps)?;
        Ok(applied.iter().rev().take(steps).map(|step| step.name().to_owned()).collect())
    };
    let undone = undone.await;
    pool.close().await.context("closing the migration's pool")?;
    undone
}

/// Every step and whether the database has it. Changes nothing, but that SQLite makes an empty file.
pub(crate) async fn status(database: &Database) -> anyhow::Result<Vec<StepState>> {
    let url = owner(database);
    if let Some(file) = url.file() {
        make_folder(file)?;
    }
    let pool = url.pool(1).open().await.context("connecting to the database")?;
    let missing = Migrator::get_pending_migrations_read_only(&pool).await;
    pool.close().await.context("closing the migration's pool")?;
    let missing = missing?;
    let steps = Migrator::get_migration_files();
    let state = steps.iter().map(|step| StepState {
        name: step.name().to_owned(),
        applied: !missing.iter().any(|missing| missing.name() == step.name()),
    });
    Ok(state.collect())
}

/// The role that owns the tables.
fn owner(database: &Database) -> &DatabaseUrl {
    database.admin_url.as_ref().unwrap_or(&database.url)
}

/// Waits until no other process migrates the same SQLite file; the turn ends when the answer is dropped or the process
/// ends. PostgreSQL needs none: each of its steps is a transaction, and whoever comes second finds the work done.
async fn turn(url: &DatabaseUrl) -> anyhow::Result<Option<File>> {
    let Some(file) = url.file() else { return Ok(None) };
    make_folder(file)?;
    let mut name = file.as_os_str().to_owned();
    name.push(".migrating");
    let lock = File::create(&name).with_context(|| format!("making {}", name.display()))?;
    let locked = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await?;
    Ok(Some(locked.context("waiting for other processes that migrate")?))
}

/// Makes the folder of a SQLite file, closed to other accounts.
fn make_folder(file: &Path) -> anyhow::Result<()> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making the folder {}", folder.display()))
}
