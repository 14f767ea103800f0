//! Which database, as whom, with how many connections.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use storage::PoolSettings;
use url::Url;

use super::{
    deployment::Deployment,
    reader::Reader,
    variables::{DATABASE_ADMIN_URL, DATABASE_POOL_SIZE, DATABASE_URL},
};

/// The SQLite file within the data folder.
const FILE: &str = "stock-tracker.db";

/// How to reach the database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) url: DatabaseUrl,
    /// As the owner of the tables; only given for PostgreSQL.
    pub(crate) admin_url: Option<DatabaseUrl>,
    pub(crate) pool_size: u32,
}

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>, deployment: &Deployment) -> Self {
        let url = read_url(reader, &DATABASE_URL)
            .unwrap_or_else(|| DatabaseUrl::sqlite(&deployment.data_dir.join(FILE)));
        if !reader.is_shown(&DATABASE_URL) {
            reader.show(&DATABASE_URL, &url);
        }
        let admin_url = read_url(reader, &DATABASE_ADMIN_URL);
        if let Some(admin_url) = &admin_url {
            reader.show(&DATABASE_ADMIN_URL, admin_url);
            if !(url.is_postgres() && admin_url.is_postgres()) {
                reader.refuse(
                    &DATABASE_ADMIN_URL,
                    "is for PostgreSQL, where DATABASE_URL is of PostgreSQL too",
                );
            }
        }
        Self { url, admin_url, pool_size: reader.number(&DATABASE_POOL_SIZE, 1, 1000) }
    }

    /// The pool of the application.
    pub(crate) fn pool(&self) -> PoolSettings {
        self.url.pool(self.pool_size)
    }
}

fn read_url(reader: &mut Reader<'_>, variable: &'static super::variables::Variable) -> Option<DatabaseUrl> {
    match DatabaseUrl::parse(reader.text(variable)?) {
        Ok(url) => Some(url),
        // The text may hold a password: it is not repeated.
        Err(reason) => {
            reader.show(variable, &"(refused, not shown)");
            reader.refuse(variable, reason);
            None
        }
    }
}

/// The URL of a database. Shown without its password.
#[derive(Clone)]
pub(crate) struct DatabaseUrl {
    text: SecretString,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Sqlite(PathBuf),
    Postgres { user: String, shown: String },
}

impl DatabaseUrl {
    pub(crate) fn sqlite(path: &Path) -> Self {
        Self { text: format!("sqlite://{}", path.display()).into(), kind: Kind::Sqlite(path.to_owned()) }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let kind = if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path).split('?').next().unwrap_or_default();
            if path.is_empty() || path.contains(":memory:") || text.contains("mode=memory") {
                return Err("must name a file: the parts of the program open the database on their own");
            }
            Kind::Sqlite(PathBuf::from(path))
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let url = Url::parse(text).map_err(|_| "is not a URL")?;
            let user = percent_decode_str(url.username())
                .decode_utf8()
                .map_err(|_| "has a user that is not UTF-8")?;
            if url.host_str().is_none_or(str::is_empty) || url.path().len() < 2 || user.is_empty() {
                return Err("must have a user, a host and a database: postgres://user:password@host/name");
            }
            Kind::Postgres { user: user.into_owned(), shown: without_secrets(&url) }
        } else {
            return Err("must begin with `sqlite://` or `postgres://`");
        };
        Ok(Self { text: text.into(), kind })
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.kind, Kind::Postgres { .. })
    }

    /// The role that connects; none for SQLite.
    pub(crate) fn user(&self) -> Option<&str> {
        match &self.kind {
            Kind::Sqlite(_) => None,
            Kind::Postgres { user, .. } => Some(user),
        }
    }

    /// The file; none for PostgreSQL.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Sqlite(path) => Some(path),
            Kind::Postgres { .. } => None,
        }
    }

    /// A pool of that many connections.
    pub(crate) fn pool(&self, size: u32) -> PoolSettings {
        PoolSettings::new(self.text.expose_secret(), size)
    }
}

/// Only user, host, port and name: options may hold a password as well.
fn without_secrets(url: &Url) -> String {
    let password = if url.password().is_some() { ":***" } else { "" };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    format!("{}://{}{password}@{host}{port}{}", url.scheme(), url.username(), url.path())
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Kind::Postgres { shown, .. } => f.write_str(shown),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_tells_its_kind_and_keeps_its_password() {
        let url =
            DatabaseUrl::parse("postgres://st%5Fapp:hunter2@db.local:5433/stock?password=hunter3").unwrap();
        assert_eq!((url.user(), url.file(), url.is_postgres()), (Some("st_app"), None, true));
        assert_eq!(url.to_string(), "postgres://st%5Fapp:***@db.local:5433/stock");
        assert!(!format!("{url:?}").contains("hunter"), "{url:?}");
        assert!(url.pool(1).url.contains("hunter2"));
    }

    #[test]
    fn a_sqlite_path_is_taken_as_written() {
        for (text, path) in [
            ("sqlite://data/x.db", "data/x.db"),
            ("sqlite:///var/lib/x.db?mode=rwc", "/var/lib/x.db"),
            ("sqlite:x.db", "x.db"),
        ] {
            assert_eq!(DatabaseUrl::parse(text).unwrap().file(), Some(Path::new(path)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_database_is_refused() {
        for text in [
            "sqlite::memory:",
            "sqlite://",
            "sqlite://x?mode=memory",
            "mysql://a@b/c",
            "data/x.db",
            "postgres://host/name",
            "postgres://user@/name",
            "postgres://user@host",
            "postgres://user@host:port/name",
        ] {
            assert!(DatabaseUrl::parse(text).is_err(), "{text}");
        }
    }
}
