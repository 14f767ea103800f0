//! A throw-away PostgreSQL server, and databases of it for one test each.
//!
//! Durability is off, which changes no answer and makes the server about ten times faster.

mod database;
mod template;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use nix::unistd::{Uid, User};
use url::Url;

pub use self::database::PgDatabase;
use crate::Error;
use crate::process::{Process, find_in_path, free_port, read_log, variable};

/// Names a running server by the URL of a superuser, `postgres://user@host:port/postgres`. Whoever sets it owns the
/// server: roles and template databases stay behind on it.
pub const URL_VARIABLE: &str = "TEST_POSTGRES_URL";

/// Where Debian and Ubuntu keep the programs, one folder per major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A PostgreSQL server for tests, reached as its superuser. One that was started here ends when this is dropped.
#[derive(Debug)]
pub struct PgServer {
    url: Url,
    /// `None` for a server that somebody else runs.
    _process: Option<Process>,
}

impl PgServer {
    /// The one server of this process: that of [`URL_VARIABLE`], or else one started at the first call.
    ///
    /// Blocks, about two seconds when it has to start a server.
    pub fn shared() -> Result<&'static Self, Error> {
        static SHARED: Mutex<Option<&'static PgServer>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = *shared {
            return Ok(server);
        }
        let server = match variable(URL_VARIABLE) {
            Some(url) => {
                let url = Url::parse(&url.to_string_lossy())
                    .map_err(|source| Error::Url { variable: URL_VARIABLE, source })?;
                Self { url, _process: None }
            }
            None => Self::start()?,
        };
        // Never dropped: the leash ends the server with the process.
        let server: &'static Self = Box::leak(Box::new(server));
        *shared = Some(server);
        Ok(server)
    }

    /// Starts a server on a free port of 127.0.0.1 and waits until it answers. Blocks for about two seconds.
    pub fn start() -> Result<Self, Error> {
        Self::start_with(&[])
    }

    /// The same with settings (`fsync=on`) that take the place of the usual ones.
    pub fn start_with(settings: &[&str]) -> Result<Self, Error> {
        let programs = Programs::find()?;
        let mut process = Process::new(account()?)?;
        let log = process.folder().join("log");
        let data = process.folder().join("data");

        let mut initdb = Command::new(&programs.initdb);
        initdb
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "--no-instructions", "-D"])
            .arg(&data);
        if !process.run(&mut initdb, &log)?.success() {
            return Err(Error::Ended { program: "initdb", log: read_log(&log) });
        }

        let mut tries_left = 5;
        loop {
            let port = free_port()?;
            match Self::serve(&programs, &mut process, (&data, &log), port, settings) {
                Ok(()) => {
                    let url =
                        Url::parse(&format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable"))
                            .map_err(|source| Error::Url { variable: "its own address", source })?;
                    return Ok(Self { url, _process: Some(process) });
                }
                // Somebody took the port in between.
                Err(Error::Ended { log, .. }) if tries_left > 0 && log.contains("in use") => tries_left -= 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn serve(
        programs: &Programs,
        process: &mut Process,
        (data, log): (&Path, &Path),
        port: u16,
        settings: &[&str],
    ) -> Result<(), Error> {
        let mut postgres = Command::new(&programs.postgres);
        postgres.arg("-D").arg(data).arg("-k").arg(process.folder()).args(["-p", &port.to_string()]);
        let usual = [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "wal_level=minimal",
            "max_wal_senders=0",
            // Every test process has pools of its own.
            "max_connections=300",
            // Must not hold a database that a test wants to clone or drop.
            "autovacuum=off",
        ];
        // Of two for one thing the later counts.
        for setting in usual.iter().chain(settings) {
            postgres.args(["-c", setting]);
        }
        process.start(&mut postgres, log)?;
        // The last line of this file is what pg_ctl waits for; unlike the port, it cannot be another server's.
        let state = data.join("postmaster.pid");
        process.wait_until("postgres", log, || {
            fs::read_to_string(&state)
                .is_ok_and(|lines| lines.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
        })
    }

    /// The URL of the superuser and the database `postgres`.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The URL of another database, as another role when one is given.
    fn url_of(&self, database: &str, role: Option<&str>) -> String {
        let mut url = self.url.clone();
        url.set_path(database);
        if let Some(role) = role {
            // Both only fail for a URL without a host, and then so did the connection of the superuser.
            let named = url.set_username(role).and_then(|()| url.set_password(Some(database::PASSWORD)));
            debug_assert!(named.is_ok(), "a PostgreSQL URL has a host");
        }
        url.into()
    }
}

/// The PostgreSQL programs needed for a server.
#[derive(Debug)]
pub struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
}

impl Programs {
    /// Looks in the folder `PG_BIN`, then in Debian's (newest version first), then in `PATH`.
    pub fn find() -> Result<Self, Error> {
        if let Some(folder) = variable("PG_BIN") {
            return Self::within(Path::new(&folder))
                .ok_or(Error::Missing { program: "postgres", looked_in: "the folder that PG_BIN names" });
        }
        let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions
            .iter()
            .find_map(|(_, folder)| Self::within(folder))
            .or_else(|| Some(Self { initdb: find_in_path("initdb")?, postgres: find_in_path("postgres")? }))
            .ok_or(Error::Missing {
                program: "postgres",
                looked_in: "PG_BIN, /usr/lib/postgresql/*/bin, PATH",
            })
    }

    fn within(folder: &Path) -> Option<Self> {
        let found = Self { initdb: folder.join("initdb"), postgres: folder.join("postgres") };
        (found.initdb.is_file() && found.postgres.is_file()).then_some(found)
    }
}

/// The account to run PostgreSQL as: the caller's own, but never root.
fn account() -> Result<Option<User>, Error> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    User::from_name("postgres")
        .map_err(|errno| Error::io("looking up the account postgres")(errno.into()))?
        .map(Some)
        .ok_or(Error::NoAccount)
}
