//! The database schema, one step at a time, for SQLite and PostgreSQL from one text.
//!
//! Each step is a pair of SQL files beside its module list below. The SQL keeps to what both databases understand;
//! `{bytes}` marks text that must sort by bytes on both. See `README.md` on changing a live schema.

pub use sea_orm_migration::prelude::{DbErr, MigratorTrait};
use sea_orm_migration::{
    MigrationTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait as _, DbBackend},
};

pub mod grants;

/// All steps, in order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        macro_rules! step {
            ($name:literal, $file:literal, $on:expr) => {
                Box::new(Step {
                    name: $name,
                    up: include_str!(concat!("sql/", $file, ".up.sql")),
                    down: include_str!(concat!("sql/", $file, ".down.sql")),
                    on: $on,
                })
            };
        }
        vec![
            step!("m20261120_000001_create_identity", "identity", On::Both),
            step!("m20261120_000002_create_catalogue", "catalogue", On::Both),
            step!("m20261120_000003_create_stock", "stock", On::Both),
            step!("m20261120_000004_create_jobs", "jobs", On::Both),
            step!("m20261120_000005_force_row_level_security", "row_level_security", On::PostgreSql),
            step!("m20261120_000006_create_planner_statistics", "planner_statistics", On::PostgreSql),
        ]
    }
}

/// Where a step applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Both,
    PostgreSql,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    up: &'static str,
    down: &'static str,
    on: On,
}

impl Step {
    async fn run(&self, manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        if self.on == On::PostgreSql && backend != DbBackend::Postgres {
            return Ok(());
        }
        let bytes = if backend == DbBackend::Postgres { " COLLATE \"C\"" } else { "" };
        manager.get_connection().execute_unprepared(&sql.replace("{bytes}", bytes)).await?;
        Ok(())
    }
}

impl sea_orm_migration::MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.run(manager, self.up).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.run(manager, self.down).await
    }

    /// On SQLite too: a process killed in the middle of a step must leave nothing of it.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
