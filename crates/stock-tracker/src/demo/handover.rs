//! `demo.json`: what a person or a script needs to go on with the demo's tenant, and what the next start needs.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use domain::clock::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const FILE: &str = "demo.json";

/// The contents of the file. It holds a password and a token, so only its owner may read it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Handover {
    pub(super) base_url: String,
    pub(super) email: String,
    pub(super) password: String,
    /// Good for a quarter of an hour; the demo renews it here for as long as it runs.
    pub(super) access_token: String,
    pub(super) tenant_id: Uuid,
    pub(super) account_id: Uuid,
    /// The moment at which the sandbox's world was opened; none where the marketplace is somebody else's.
    #[serde(default)]
    pub(super) world_opened_at: Option<Timestamp>,
}

/// Where the file is.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// What an earlier start has left; none where there was none, or where it cannot be read any more.
pub(super) fn read(data_dir: &Path) -> anyhow::Result<Option<Handover>> {
    let path = path(data_dir);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let handover = serde_json::from_slice(&text);
    if let Err(error) = &handover {
        // Its text holds a password: only the place of the damage is told.
        tracing::warn!(line = error.line(), "demo.json is damaged; a new tenant will be registered");
    }
    Ok(handover.ok())
}

impl Handover {
    /// Puts the file in place, whole, readable for its owner alone.
    pub(super) fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        let path = path(data_dir);
        let written = || {
            // A temporary file is born with mode 0600.
            let mut draft = tempfile::NamedTempFile::new_in(data_dir)?;
            serde_json::to_writer_pretty(&mut draft, self)?;
            draft.write_all(b"\n")?;
            draft.persist(&path)?;
            anyhow::Ok(())
        };
        written().with_context(|| format!("writing {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_left_is_found_again_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
        let mut handover = Handover {
            base_url: "http://127.0.0.1:8000".into(),
            email: "demo@stock-tracker.example".into(),
            password: "a password".into(),
            access_token: "a token".into(),
            tenant_id: Uuid::now_v7(),
            account_id: Uuid::now_v7(),
            world_opened_at: Some("2026-11-20T10:00:00Z".parse().unwrap()),
        };
        handover.write(folder.path()).unwrap();
        handover.access_token = "the next token".into();
        handover.write(folder.path()).unwrap();
        let found = read(folder.path()).unwrap().unwrap();
        assert_eq!((found.access_token, found.account_id), (handover.access_token, handover.account_id));
        assert_eq!(found.world_opened_at, handover.world_opened_at);
        assert_eq!(fs::metadata(path(folder.path())).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(path(folder.path()), "{\"email\":").unwrap();
        assert!(read(folder.path()).unwrap().is_none());
    }
}
