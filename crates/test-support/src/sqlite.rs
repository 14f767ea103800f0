//! A SQLite database file for one test.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::Error;

/// The path of a SQLite database that does not exist yet, in a folder of its own, since SQLite writes files beside it.
/// All of them are removed on drop.
#[derive(Debug)]
pub struct SqliteFile {
    folder: TempDir,
}

impl SqliteFile {
    /// Makes the folder; the file is made by whoever opens it.
    pub fn new() -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("stock-tracker-test-")
            .tempdir()
            .map_err(Error::io("making a temporary folder"))?;
        Ok(Self { folder })
    }

    /// Where the database file is or will be.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("stock.db")
    }

    /// `sqlite://…`; opening it makes the file.
    pub fn url(&self) -> String {
        format!("sqlite://{}?mode=rwc", self.path().display())
    }
}
