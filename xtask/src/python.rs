//! Programs from `PyPI`, pinned, each set of them in an environment of its own under `target`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{command, root, run, variable};
use crate::packages;

/// An environment with what was asked for.
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Makes it in `target/<name>`, with these packages and what `more` adds, unless the same is there already.
    pub(crate) fn with(
        name: &str,
        packages: &[&str],
        more: &[&str],
        add: impl FnOnce(&Self) -> Result<()>,
    ) -> Result<Self> {
        let target = variable("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        let environment = Self { folder: target.join(name) };
        let wanted = [packages, more].concat().join("\n");
        let stamp = environment.folder.join("installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(environment);
        }
        packages::ensure_python()?;
        eprintln!("installing into {}: {}", environment.folder.display(), wanted.replace('\n', " "));
        let folder = environment.folder.to_str().context("the target folder has no plain name")?;
        run(&mut command("python3", &["-m", "venv", "--clear", folder]))?;
        let pip = ["pip", "install", "--quiet", "--disable-pip-version-check"];
        run(&mut environment.command(&[&pip[..], packages].concat()))?;
        add(&environment)?;
        std::fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
        Ok(environment)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// One of its programs, which finds others of the environment first.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let folders = [self.folder.join("bin"), self.folder.join("node_modules/.bin")];
        let program = folders.iter().map(|folder| folder.join(arguments[0])).find(|program| program.exists());
        let program = program.unwrap_or_else(|| Path::new(arguments[0]).to_owned());
        let mut command = command(&program.to_string_lossy(), &arguments[1..]);
        let mut path = OsString::from(&folders[0]);
        if let Some(rest) = variable("PATH") {
            path.push(":");
            path.push(rest);
        }
        command.env("PATH", path);
        command
    }
}
