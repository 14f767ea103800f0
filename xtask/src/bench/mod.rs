//! `cargo xtask bench …`: how fast the product is, and how much memory it takes.
//!
//! Measured is the release binary, in processes of its own, through HTTP and loopback alone. What measures is built the
//! same way: a slow client would be a part of every figure. Rate limits are measured by the benches of their crate.
//! Nothing here is a test.

mod error_reports;
mod list;
mod ratelimit;
mod sync;
mod table;

use std::{
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};

use crate::command::{command, run as run_command};
use crate::product::database;

/// What to measure.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Measure this binary instead of building one.
    #[arg(long, global = true)]
    binary: Option<PathBuf>,
    /// Only this database [default: both].
    #[arg(long, global = true, value_enum)]
    database: Option<database::Kind>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Sync a large account with one worker: rows per second, beside a bare upsert, and the worker's memory.
    Sync(sync::Arguments),
    /// List products of small and large tenants: how long each kind of request takes.
    List(list::Arguments),
    /// Ask an API that reports to nobody, to a server, and to one that hangs: what it costs requests.
    ErrorReports(error_reports::Arguments),
    /// Decide about rate limits, in process and on a Redis of its own: what a decision costs, bar by bar.
    Ratelimit(ratelimit::Arguments),
}

/// Measures and prints. Fails where something measured is outside its bar.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let What::Ratelimit(arguments) = &arguments.what {
        return ratelimit::run(arguments);
    }
    let this = std::env::current_exe().context("finding this program")?;
    let profile = this.parent().context("this program lies in no folder")?;
    if cfg!(debug_assertions) {
        return again_as_release(profile);
    }
    let binary = if let Some(binary) = &arguments.binary {
        binary.canonicalize().with_context(|| format!("no binary {}", binary.display()))?
    } else {
        run_command(&mut command("cargo", &["build", "--release", "--package", "stock-tracker"]))?;
        profile.join("stock-tracker")
    };
    let databases = arguments.database.map_or_else(|| database::Kind::BOTH.to_vec(), |one| vec![one]);
    let runtime = tokio::runtime::Runtime::new().context("starting a runtime")?;
    runtime.block_on(async {
        match &arguments.what {
            What::Sync(arguments) => sync::run(&binary, &databases, arguments).await,
            What::List(arguments) => list::run(&binary, &databases, arguments).await,
            What::ErrorReports(arguments) => error_reports::run(&binary, &databases, arguments).await,
            What::Ratelimit(arguments) => ratelimit::run(arguments),
        }
    })
}

/// Runs this command again, optimized.
fn again_as_release(profile: &Path) -> Result<ExitCode> {
    run_command(&mut command("cargo", &["build", "--release", "--package", "xtask"]))?;
    let release = profile.with_file_name("release").join("xtask");
    let mut again = Command::new(&release);
    again.args(std::env::args_os().skip(1));
    let status = again.status().with_context(|| format!("cannot run {}", release.display()))?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
