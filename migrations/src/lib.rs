//! The database schema, one step at a time, for SQLite and PostgreSQL from one text.
//!
//! Each step is a pair of SQL files beside its module list below. The SQL keeps to what both databases understand, but
//! for steps that have a pair for each; `{bytes}` marks text that must sort by bytes on both. See `README.md` on changing a live schema.

pub use sea_orm_migration::prelude::{DbErr, MigratorTrait};
pub use sea_orm_migration::sea_orm::DatabaseConnection;
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
        macro_rules! pair {
            ($file:expr) => {
                Some(Pair {
                    up: include_str!(concat!("sql/", $file, ".up.sql")),
                    down: include_str!(concat!("sql/", $file, ".down.sql")),
                })
            };
        }
        macro_rules! step {
            ($name:literal, $file:literal, on both) => {
                Box::new(Step { name: $name, sqlite: pair!($file), postgres: pair!($file) })
            };
            ($name:literal, $file:literal, on each) => {
                Box::new(Step {
                    name: $name,
                    sqlite: pair!(concat!($file, ".sqlite")),
                    postgres: pair!(concat!($file, ".postgres")),
                })
            };
            ($name:literal, $file:literal, on postgres) => {
                Box::new(Step { name: $name, sqlite: None, postgres: pair!($file) })
            };
        }
        vec![
            step!("m20261120_000001_create_identity", "identity", on both),
            step!("m20261120_000002_create_catalogue", "catalogue", on both),
            step!("m20261120_000003_create_stock", "stock", on both),
            step!("m20261120_000004_create_jobs", "jobs", on both),
            step!("m20261120_000005_force_row_level_security", "row_level_security", on postgres),
            step!("m20261120_000006_create_planner_statistics", "planner_statistics", on postgres),
            step!("m20261121_000007_allow_unmeasured_stock", "unmeasured_stock", on each),
            step!("m20261121_000008_add_sources", "sources", on both),
            step!("m20261121_000009_index_search", "product_search", on each),
            step!("m20261122_000010_add_overviews", "overviews", on both),
            step!("m20261122_000011_add_account_overview", "account_overview", on both),
            step!("m20261122_000012_create_schedule_tick", "schedule_tick", on both),
        ]
    }
}

/// The SQL of a step, there and back.
#[derive(Debug, Clone, Copy)]
struct Pair {
    up: &'static str,
    down: &'static str,
}

/// A step; a database that it has no SQL for is left as it is.
#[derive(Debug)]
struct Step {
    name: &'static str,
    sqlite: Option<Pair>,
    postgres: Option<Pair>,
}

impl Step {
    async fn run(&self, manager: &SchemaManager<'_>, way: fn(&Pair) -> &'static str) -> Result<(), DbErr> {
        let (pair, bytes) = match manager.get_database_backend() {
            DbBackend::Postgres => (&self.postgres, " COLLATE \"C\""),
            _ => (&self.sqlite, ""),
        };
        if let Some(sql) = pair.as_ref().map(way) {
            manager.get_connection().execute_unprepared(&sql.replace("{bytes}", bytes)).await?;
        }
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
        self.run(manager, |pair| pair.up).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.run(manager, |pair| pair.down).await
    }

    /// On SQLite too: a process killed in the middle of a step must leave nothing of it.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
