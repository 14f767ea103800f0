//! `stock-tracker sandbox`: the stand-in marketplace alone.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};

use anyhow::Context as _;
use sandbox::{Options, Sandbox};

use crate::{
    cli::SandboxArguments,
    config::{Config, Environment, Purpose},
    shutdown,
};

/// Serves until a signal.
pub(crate) async fn run(environment: &Environment, arguments: &SandboxArguments) -> anyhow::Result<()> {
    let config = Config::load(environment, Purpose::Migrate)?;
    monitoring::logs::init(&config.logging.settings(true, stderr().is_terminal()))?;
    let shutdown = shutdown::on_signal().context("listening for signals")?;
    let options = Options {
        port: arguments.port,
        seed: arguments.seed,
        sellers: arguments.sellers,
        cards_per_seller: arguments.cards,
        history_days: arguments.history_days,
        speed: arguments.speed,
        limit_scale: config.marketplaces.limit_scale,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options)
        .await
        .with_context(|| format!("cannot serve the sandbox on port {} (--port)", arguments.port))?;
    let sellers = sandbox.sellers().into_iter().map(|seller| format!("\n{}\n{}", seller.name, seller.token));
    let sellers: Vec<String> = sellers.collect();
    writeln!(stdout(), "WILDBERRIES_BASE_URL={}\n{}", sandbox.base_url(), sellers.join("\n"))
        .context("printing")?;
    shutdown.cancelled().await;
    sandbox.stop().await.context("stopping the sandbox")
}
