//! The one binary of Stock Tracker: subcommands, configuration, wiring, shutdown.
//!
//! Nothing is decided here about the product. A role is built from the rooms of the workspace ([`wiring`]) and run
//! until a signal ends it ([`shutdown`]).

mod cli;
mod config;
#[cfg(feature = "demo")]
mod demo;
mod listener;
mod metrics_server;
mod roles;
mod schema;
mod shutdown;
mod wiring;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

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

fn run(cli: Cli) -> anyhow::Result<()> {
    // HTTP clients are built without a TLS provider of their own.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        anyhow::bail!("a TLS provider was installed before");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        match cli.command {
            Command::Api => roles::serve::run(&Environment::of_process(), Purpose::Api).await,
            Command::Worker => roles::serve::run(&Environment::of_process(), Purpose::Worker).await,
            Command::All => roles::serve::run(&Environment::of_process(), Purpose::All).await,
            #[cfg(feature = "demo")]
            Command::Demo(arguments) => Box::pin(demo::run(Environment::of_process(), &arguments)).await,
            #[cfg(feature = "demo")]
            Command::Sandbox(arguments) => roles::sandbox::run(&Environment::of_process(), &arguments).await,
            Command::Migrate(arguments) => roles::migrate::run(&Environment::of_process(), &arguments).await,
            Command::Config(arguments) => roles::config::run(&Environment::of_process(), &arguments),
            Command::Openapi => roles::openapi::run(),
        }
    })
}
