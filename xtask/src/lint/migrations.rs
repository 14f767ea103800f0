//! All migrations up, down and up again on both databases.
//!
//! Down must leave nothing, and the second up must give the same schema as the first: a step whose way back is
//! incomplete fails here and not on somebody's server.

use anyhow::{Context, Result, bail, ensure};
use migrations::{Migrator, MigratorTrait, grants};
use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use test_support::postgres::PgDatabase;
use test_support::sqlite::SqliteFile;

/// One line of text for everything a migration can make, in a steady order.
const SQLITE_SCHEMA: &str = "
    SELECT type || ' ' || name || ': ' || coalesce(sql, '') AS line FROM sqlite_schema
    WHERE tbl_name <> 'seaql_migrations' AND name NOT LIKE 'sqlite_%' ORDER BY 1";

/// The same on PostgreSQL: tables with their row-level security and grants, columns, constraints, indexes, policies,
/// functions with their grants, triggers, sequences and types of their own.
const POSTGRES_SCHEMA: &str = "
    WITH relation AS (
        SELECT c.* FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'seaql_migrations%')
    SELECT format('relation %s %s rls=%s forced=%s %s', relkind, relname, relrowsecurity, relforcerowsecurity,
        ARRAY(SELECT grant_.text FROM unnest(relacl::text[]) AS grant_(text) ORDER BY 1)) AS line FROM relation
    UNION ALL SELECT format('column %s.%s %s not_null=%s default=%s', relname, attname,
        format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid))
        FROM relation JOIN pg_attribute a ON a.attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL SELECT format('constraint %s.%s %s', relname, conname, pg_get_constraintdef(k.oid))
        FROM relation JOIN pg_constraint k ON k.conrelid = relation.oid
    UNION ALL SELECT format('index %s', pg_get_indexdef(i.indexrelid))
        FROM relation JOIN pg_index i ON i.indrelid = relation.oid
    UNION ALL SELECT format('policy %s.%s %s %s %s %s %s', tablename, policyname, permissive, roles, cmd, qual,
        with_check) FROM pg_policies WHERE schemaname = 'public'
    UNION ALL SELECT format('function %s %s', pg_get_functiondef(p.oid), proacl)
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prokind IN ('f', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = p.oid AND x.deptype = 'e')
    UNION ALL SELECT format('trigger %s', pg_get_triggerdef(t.oid))
        FROM relation JOIN pg_trigger t ON t.tgrelid = relation.oid AND NOT t.tgisinternal
    UNION ALL SELECT format('type %s', typname) FROM pg_type y
        WHERE y.typnamespace = 'public'::regnamespace AND y.typtype IN ('d', 'e')
    ORDER BY 1";

/// Fails with the first difference on either database.
pub(super) fn check() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting a runtime")?.block_on(async {
        let file = SqliteFile::new()?;
        let database = Database::connect(file.url()).await.context("opening SQLite")?;
        up_down_up::<Migrator>(&database, None).await.context("on SQLite")?;
        database.close().await?;

        let server = PgDatabase::create("migrations", None).await.context("starting PostgreSQL")?;
        let database = Database::connect(server.admin_url()).await.context("connecting to PostgreSQL")?;
        up_down_up::<Migrator>(&database, Some(server.app_role())).await.context("on PostgreSQL")?;
        Ok(database.close().await?)
    })
}

async fn up_down_up<M: MigratorTrait>(database: &DatabaseConnection, granted_to: Option<&str>) -> Result<()> {
    up::<M>(database, granted_to).await.context("up")?;
    let first = schema(database).await?;
    ensure!(!first.is_empty(), "no migration makes anything");
    M::down(database, None).await.context("down")?;
    if let Some(left) = schema(database).await?.first() {
        bail!("down leaves behind: {left}");
    }
    up::<M>(database, granted_to).await.context("up for the second time")?;
    let second = schema(database).await?;
    if let Some(changed) = first.iter().find(|line| !second.contains(line)) {
        bail!("the second up makes another schema; missing now: {changed}");
    }
    if let Some(changed) = second.iter().find(|line| !first.contains(line)) {
        bail!("the second up makes another schema; only now: {changed}");
    }
    Ok(())
}

async fn up<M: MigratorTrait>(database: &DatabaseConnection, granted_to: Option<&str>) -> Result<()> {
    M::up(database, None).await?;
    if let Some(role) = granted_to {
        grants::apply(database, role).await.context("granting")?;
    }
    Ok(())
}

async fn schema(database: &DatabaseConnection) -> Result<Vec<String>> {
    let backend = database.get_database_backend();
    let query = if backend == DbBackend::Postgres { POSTGRES_SCHEMA } else { SQLITE_SCHEMA };
    let rows =
        database.query_all_raw(Statement::from_string(backend, query)).await.context("reading the schema")?;
    rows.iter().map(|row| row.try_get("", "line").context("reading the schema")).collect()
}

#[cfg(test)]
mod tests {
    use sea_orm_migration::async_trait::async_trait;
    use sea_orm_migration::sea_orm::DbErr;
    use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

    use super::*;

    struct Step {
        up: &'static str,
        down: &'static str,
    }

    impl MigrationName for Step {
        fn name(&self) -> &'static str {
            "m20260101_000001_test"
        }
    }

    #[async_trait]
    impl MigrationTrait for Step {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            manager.get_connection().execute_unprepared(self.up).await.map(|_| ())
        }

        async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            manager.get_connection().execute_unprepared(self.down).await.map(|_| ())
        }
    }

    struct Complete;

    impl MigratorTrait for Complete {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            vec![Box::new(Step { up: "CREATE TABLE one (n int)", down: "DROP TABLE one" })]
        }
    }

    struct Forgetful;

    impl MigratorTrait for Forgetful {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            let up = "CREATE TABLE IF NOT EXISTS one (n int); CREATE TABLE two (n int)";
            vec![Box::new(Step { up, down: "DROP TABLE two" })]
        }
    }

    /// Has no way back for its change of a setting that the first up finds and the second does not.
    struct Lopsided;

    impl MigratorTrait for Lopsided {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            let up = "CREATE TABLE one AS SELECT 1 AS n; \
                      ALTER TABLE seaql_migrations ADD COLUMN seen int; \
                      CREATE TABLE two AS SELECT seen FROM seaql_migrations";
            vec![Box::new(Step { up, down: "DROP TABLE one; DROP TABLE two" })]
        }
    }

    async fn on_sqlite<M: MigratorTrait>() -> Result<()> {
        let file = SqliteFile::new()?;
        let database = Database::connect(file.url()).await?;
        up_down_up::<M>(&database, None).await
    }

    #[tokio::test]
    async fn a_complete_way_back_passes() {
        on_sqlite::<Complete>().await.unwrap();
    }

    #[tokio::test]
    async fn what_down_forgets_is_named() {
        let failed = on_sqlite::<Forgetful>().await.unwrap_err().to_string();
        assert!(failed.contains("down leaves behind: table one"), "{failed}");
    }

    #[tokio::test]
    async fn a_second_up_that_fails_is_told() {
        let failed = on_sqlite::<Lopsided>().await.unwrap_err().to_string();
        assert_eq!(failed, "up for the second time");
    }
}
