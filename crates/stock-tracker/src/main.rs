//! The one binary of Stock Tracker: subcommands, configuration, wiring, shutdown.
//!
//! Nothing is decided here about the product. A role is built from the rooms of the workspace ([`wiring`]) and run
//! until a signal ends it ([`shutdown`]).

mod cli;
mod config;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod listener;
mod metrics_server;
mod roles;
mod schema;
mod shutdown;
mod wiring;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use tokio::runtime::Builder;

use crate::{
    cli::{Cli, Command},
    config::{Environment, Purpose},
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stock-tracker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does the work of a process on a runtime for the whole of it.
fn on_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(work)
}

fn run(cli: Cli) -> anyhow::Result<()> {
    // HTTP clients are built without a TLS provider of their own.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        anyhow::bail!("a TLS provider was installed before");
    }
    let environment = Environment::of_process;
    match cli.command {
        Command::Api => roles::serve::run(&environment(), Purpose::Api),
        Command::Worker => roles::serve::run(&environment(), Purpose::Worker),
        Command::All => roles::serve::run(&environment(), Purpose::All),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => on_runtime(Box::pin(demo::run(environment(), &arguments))),
        #[cfg(feature = "demo")]
        Command::Sandbox(arguments) => on_runtime(roles::sandbox::run(&environment(), &arguments)),
        Command::Migrate(arguments) => on_runtime(roles::migrate::run(&environment(), &arguments)),
        Command::Health(arguments) => on_runtime(roles::health::run(&environment(), arguments)),
        Command::Doctor(arguments) => on_runtime(doctor::run(&environment(), &arguments)),
        Command::Config(arguments) => roles::config::run(&environment(), &arguments),
        Command::Openapi => roles::openapi::run(),
    }
}
