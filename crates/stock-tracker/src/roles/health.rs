//! `stock-tracker health`: whether a process on this machine can serve, for containers without a shell.

use std::{
    io::{Write as _, stdout},
    time::Duration,
};

use anyhow::{Context as _, bail};

use crate::{
    cli::HealthArguments,
    config::{Config, Environment, Purpose},
};

/// Whoever asks gives up soon.
const PATIENCE: Duration = Duration::from_secs(4);

/// Asks, and fails unless the answer is 200.
pub(crate) async fn run(environment: &Environment, arguments: HealthArguments) -> anyhow::Result<()> {
    let url = match arguments.url {
        Some(url) => url,
        None => own_url(environment)?,
    };
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().context("an HTTP client")?;
    let answer = client.get(&url).send().await.with_context(|| format!("asking {url}"))?;
    let status = answer.status();
    let text = answer.text().await.with_context(|| format!("reading what {url} answers"))?;
    if status != reqwest::StatusCode::OK {
        bail!("{url} answers {status}: {text}");
    }
    stdout().write_all(format!("{text}\n").as_bytes()).context("printing")?;
    Ok(())
}

/// Where a process with this environment tells whether it is ready.
fn own_url(environment: &Environment) -> anyhow::Result<String> {
    let config = Config::load(environment, Purpose::Migrate)?;
    let at = config.metrics.address.unwrap_or_else(|| format!("{}:{}", config.http.host, config.http.port));
    let (host, port) = at.rsplit_once(':').context("an address has a host and a port")?;
    // What listens everywhere listens here.
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "::" | "[::]" => "[::1]",
        host => host,
    };
    Ok(format!("http://{host}:{port}/api/v1/health/ready"))
}
