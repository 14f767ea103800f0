//! `cargo xtask e2e …`: the whole product against software that somebody else wrote, really running.
//!
//! Everything is installed, started and left behind under `target/e2e`; what is started ends with this process, however
//! that ends. A run as a whole is bounded in time.

mod client;
mod picture;
mod steps;
mod tracker;
mod vendure;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};

/// `EX_UNAVAILABLE` of sysexits.h: something that is needed cannot be had here.
const UNAVAILABLE: u8 = 69;

/// Against what.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Where Node.js or the npm registry cannot be had, say so and succeed; without this, the exit status is 69 then.
    #[arg(long, global = true)]
    if_reachable: bool,
    #[command(subcommand)]
    with: With,
}

#[derive(Clone, Copy, Subcommand)]
enum With {
    /// A Vendure shop with a hundred variants, three stock locations and orders in every state.
    ///
    /// Connects it as a seller would, syncs, and compares every figure with what Vendure itself says; then changes one
    /// stock level there and expects that one change here. Needs Node.js 20 and, for the first run, the npm registry.
    Vendure,
}

/// What cannot be had on this machine, in words. Not a failure of the product.
#[derive(Debug)]
struct Unavailable(String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// Runs to the end. Only a run that has compared everything succeeds, but for what `--if-reachable` excuses.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let done = match arguments.with {
        With::Vendure => vendure::run(),
    };
    let Err(error) = done else {
        return Ok(ExitCode::SUCCESS);
    };
    let Some(unavailable) = error.downcast_ref::<Unavailable>() else {
        return Err(error);
    };
    eprintln!("e2e: NOT RUN: {unavailable}");
    Ok(if arguments.if_reachable { ExitCode::SUCCESS } else { UNAVAILABLE.into() })
}

/// The folder of one kind of run, beside the build that this program belongs to.
fn folder(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe().context("finding this program")?;
    let target = this.ancestors().nth(2).context("this program lies in no target folder")?;
    Ok(target.join("e2e").join(name))
}
