//! Databases that are prepared once per server and cloned by every test.

use std::hash::{DefaultHasher, Hash, Hasher};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::PgServer;
use super::database::{PgDatabase, identifier, remove};
use crate::Error;

impl PgServer {
    /// The name of the template database for `key`, prepared by the first caller of all processes.
    ///
    /// `key` stands for the content: two callers with the same key must prepare the same thing, since only one of
    /// them is asked. When `prepare` fails, nothing stays behind and the next caller tries. Connections that
    /// `prepare` leaves open are cut.
    pub async fn template<P, E>(&self, key: &str, prepare: P) -> Result<String, Error>
    where
        P: AsyncFnOnce(&PgDatabase) -> Result<(), E>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let name = template_name(key);
        let mut superuser = PgConnection::connect(self.url()).await?;
        if !exists(&mut superuser, &name).await? {
            // Ends with this connection, also when this process is killed.
            sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))")
                .bind(&name)
                .execute(&mut superuser)
                .await?;
            if !exists(&mut superuser, &name).await? {
                self.prepare(&mut superuser, key, &name, prepare).await?;
            }
        }
        superuser.close().await?;
        Ok(name)
    }

    /// Builds under another name first, so that a template is either whole or absent.
    async fn prepare<P, E>(
        &self,
        superuser: &mut PgConnection,
        key: &str,
        name: &str,
        prepare: P,
    ) -> Result<(), Error>
    where
        P: AsyncFnOnce(&PgDatabase) -> Result<(), E>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let draft = format!("{name}_draft");
        // Left by a process that was killed in the middle; nobody else is here, the lock is ours.
        remove(superuser, &draft).await?;
        let database = PgDatabase::create_on(self, draft.clone(), None).await?;
        prepare(&database)
            .await
            .map_err(|error| Error::Template { key: key.to_owned(), source: error.into() })?;
        // A database with a session can be neither renamed nor cloned.
        superuser
            .execute(AssertSqlSafe(format!("ALTER DATABASE {draft} WITH ALLOW_CONNECTIONS false")))
            .await?;
        sqlx::query("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1")
            .bind(&draft)
            .execute(&mut *superuser)
            .await?;
        superuser.execute(AssertSqlSafe(format!("ALTER DATABASE {draft} RENAME TO {name}"))).await?;
        database.keep();
        Ok(())
    }
}

async fn exists(superuser: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(superuser)
        .await
}

/// Readable, and different for keys that differ only past the readable part.
fn template_name(key: &str) -> String {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    format!("st_template_{}_{:016x}", identifier(key), hasher.finish())
}
