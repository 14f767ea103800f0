//! Databases with the product's schema, one for each test.

use migrations::{Migrator, MigratorTrait as _};
use sea_orm::{Database, DbErr};

use crate::{
    postgres::{PgDatabase, PgServer},
    sqlite::SqliteFile,
};

/// A migrated database, gone when dropped.
#[derive(Debug)]
pub enum TestDatabase {
    /// A file of its own.
    Sqlite(SqliteFile),
    /// A clone of a migrated template, with an owner and an application role as an operator makes them.
    Postgres(PgDatabase),
}

impl TestDatabase {
    /// A migrated SQLite file.
    pub async fn sqlite() -> Self {
        let file = SqliteFile::new().expect("a temporary folder can be made");
        migrate(&file.url(), None).await.expect("SQLite takes every migration");
        Self::Sqlite(file)
    }

    /// A migrated PostgreSQL database.
    pub async fn postgres() -> Self {
        let server = PgServer::shared().expect("PostgreSQL is installed: see `cargo xtask test`");
        let template = server
            .template("migrated", async |database: &PgDatabase| {
                migrate(database.admin_url(), Some(database.app_role())).await
            })
            .await
            .expect("PostgreSQL takes every migration");
        Self::Postgres(PgDatabase::create("test", Some(&template)).await.expect("a template can be cloned"))
    }

    /// Where the application connects; on PostgreSQL as the application role.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => file.url(),
            Self::Postgres(database) => database.app_url().to_owned(),
        }
    }

    /// Where the owner of the schema connects.
    pub fn owner_url(&self) -> String {
        match self {
            Self::Sqlite(file) => file.url(),
            Self::Postgres(database) => database.admin_url().to_owned(),
        }
    }
}

async fn migrate(url: &str, grant_to: Option<&str>) -> Result<(), DbErr> {
    let owner = Database::connect(url).await?;
    Migrator::up(&owner, None).await?;
    if let Some(role) = grant_to {
        migrations::grants::apply(&owner, role).await?;
    }
    owner.close().await
}

/// Makes two tests of each named body, which takes a [`TestDatabase`]: one on SQLite, one on PostgreSQL.
///
/// ```text
/// on_each_database!(a_level_is_the_sum_of_its_movements);
///
/// async fn a_level_is_the_sum_of_its_movements(database: TestDatabase) { … }
/// ```
#[macro_export]
macro_rules! on_each_database {
    ($($body:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $body() {
                    super::$body($crate::database::TestDatabase::sqlite().await).await;
                }
            )+
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $body() {
                    super::$body($crate::database::TestDatabase::postgres().await).await;
                }
            )+
        }
    };
}
