//! One database for one test, with the two roles an operator would make for it.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use uuid::Uuid;

use super::PgServer;
use crate::Error;

/// Owns every test database and runs its migrations; neither superuser nor `BYPASSRLS`.
pub(super) const OWNER: &str = "st_owner";
/// What the application connects as; owns nothing and has `NOBYPASSRLS`.
const APPLICATION: &str = "st_app";
/// Of both roles. The throw-away server asks for none; one behind [`super::URL_VARIABLE`] may.
pub(super) const PASSWORD: &str = "throw-away";
/// Bytes of a name that may be the caller's; PostgreSQL cuts identifiers at 63.
const HINT_LENGTH: usize = 24;

/// A database that only one test knows of, removed on drop.
///
/// The two roles are the same for all databases of a server: clones of a template keep its owner and the roles that
/// its policies name. Nothing else is shared.
#[derive(Debug)]
pub struct PgDatabase {
    name: String,
    admin_url: String,
    app_url: String,
    /// The superuser's URL, which removes the database; `None` once it is kept.
    removed_through: Option<String>,
}

impl PgDatabase {
    /// A fresh database on the shared server: empty, or a clone of a [`PgServer::template`].
    ///
    /// `hint` shows in the name, for whoever looks at the server in the middle of a test.
    pub async fn create(hint: &str, template: Option<&str>) -> Result<Self, Error> {
        let name = format!("st_{}_{}", identifier(hint), Uuid::now_v7().simple());
        Self::create_on(PgServer::shared()?, name, template).await
    }

    /// The same with a server and a full name.
    pub async fn create_on(server: &PgServer, name: String, template: Option<&str>) -> Result<Self, Error> {
        let mut superuser = PgConnection::connect(server.url()).await?;
        ensure_roles(&mut superuser).await?;
        let template = template.unwrap_or("template0");
        let create = format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}");
        superuser.execute(AssertSqlSafe(create)).await?;
        superuser.close().await?;
        Ok(Self {
            admin_url: server.url_of(&name, Some(OWNER)),
            app_url: server.url_of(&name, Some(APPLICATION)),
            removed_through: Some(server.url().to_owned()),
            name,
        })
    }

    /// As the owner: what `DATABASE_ADMIN_URL` is in production.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// As the application: what `DATABASE_URL` is in production. It may connect, and nothing more until a migration
    /// grants it.
    pub fn app_url(&self) -> &str {
        &self.app_url
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the application role, to which a migration grants.
    pub fn app_role(&self) -> &'static str {
        APPLICATION
    }

    /// Leaves the database to the server.
    pub(super) fn keep(mut self) {
        self.removed_through = None;
    }
}

impl Drop for PgDatabase {
    fn drop(&mut self) {
        let Some(superuser) = self.removed_through.take() else {
            return;
        };
        let name = self.name.clone();
        // A destructor cannot await, and inside a runtime it must not block on it: a thread with its own.
        let removed = std::thread::spawn(move || -> Result<(), Error> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(Error::io("starting a runtime"))?;
            runtime.block_on(async {
                let mut superuser = PgConnection::connect(&superuser).await?;
                remove(&mut superuser, &name).await?;
                Ok(superuser.close().await?)
            })
        })
        .join();
        match removed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("test database {} stays behind: {error}", self.name),
            Err(_) => eprintln!("test database {} stays behind: its removal panicked", self.name),
        }
    }
}

/// Removes a database, whoever is connected to it.
pub(super) async fn remove(superuser: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    superuser.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).await?;
    Ok(())
}

/// Makes the two roles on a server that lacks them.
async fn ensure_roles(superuser: &mut PgConnection) -> Result<(), sqlx::Error> {
    let present: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_roles WHERE rolname IN ($1, $2)")
        .bind(OWNER)
        .bind(APPLICATION)
        .fetch_one(&mut *superuser)
        .await?;
    if present == 2 {
        return Ok(());
    }
    let mut transaction = superuser.begin().await?;
    // CREATE ROLE has no IF NOT EXISTS, and tests start together.
    transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended('test-support roles', 0))").await?;
    for role in [OWNER, APPLICATION] {
        let create = format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN \
             CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{PASSWORD}'; \
             END IF; END $$"
        );
        transaction.execute(AssertSqlSafe(create)).await?;
    }
    transaction.commit().await
}

/// The part of `hint` that needs no quotes in SQL.
pub(super) fn identifier(hint: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' }
    };
    hint.chars().take(HINT_LENGTH).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::identifier;

    proptest! {
        #[test]
        fn a_hint_always_makes_a_plain_identifier(hint in ".{0,80}") {
            let made = identifier(&hint);
            prop_assert!(made.len() <= 24);
            prop_assert!(made.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
        }
    }
}
