//! The product's processes and what they need, as programs of this crate start, ask and end them.

pub(crate) mod client;
pub(crate) mod database;
pub(crate) mod process;
pub(crate) mod production;
pub(crate) mod sandbox;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::command::{command, run};

/// Builds the product, and gives the binary. With the features of the whole workspace, as everything else here is built:
/// with those of one package most dependencies would be compiled a second time.
pub(crate) fn build() -> Result<PathBuf> {
    run(&mut command(
        "cargo",
        &["build", "--quiet", "--workspace", "--all-features", "--bin", "stock-tracker"],
    ))?;
    let this = std::env::current_exe().context("finding this program")?;
    Ok(this.with_file_name("stock-tracker"))
}
