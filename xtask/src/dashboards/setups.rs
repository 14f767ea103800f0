//! The ways in which the product is run.

use std::any::Any;
use std::path::Path;

use anyhow::{Context as _, Result};
use test_support::process::Process as Leashed;

use super::Which;
use crate::monitoring::config::Target;
use crate::monitoring::exporters::Exporters;
use crate::product::process::{Process, Setting};
use crate::product::production::Production;

/// The product, running. Everything ends when this is dropped.
pub(crate) struct Setup {
    /// Where the API listens.
    pub(crate) api: String,
    /// Somebody's access token.
    pub(crate) token: String,
    /// Jobs of Prometheus with what they scrape.
    pub(crate) targets: Vec<Target>,
    /// What panels may need and this has.
    pub(crate) has: Vec<&'static str>,
    /// What must be kept for as long as the set-up runs, in the order in which it may go.
    _parts: Box<dyn Any>,
}

impl Setup {
    /// Starts it and waits until it has something to show.
    pub(crate) async fn start(which: Which, binary: &Path) -> Result<Self> {
        match which {
            Which::Demo => demo(binary),
            Which::Production => production(binary).await,
        }
    }
}

fn demo(binary: &Path) -> Result<Setup> {
    let folder = Leashed::new(None)?;
    let data = folder.folder().join("data").display().to_string();
    let variables = vec![("LOG_FORMAT", "json".to_owned())];
    let setting = Setting { binary: binary.to_owned(), variables };
    let mut process = Process::start(&setting, "demo", &["--port", "0", "--data-dir", &data])?;
    // The last line of what it tells, once it has shown the main job.
    process.line(|line| line.starts_with("Login").then_some(()))?;
    let api = process.line(|line| line.strip_prefix("API").map(|rest| rest.trim().to_owned()))?;
    let kept = std::fs::read_to_string(format!("{data}/demo.json")).context("reading what the demo keeps")?;
    let kept: serde_json::Value = serde_json::from_str(&kept).context("reading what the demo keeps")?;
    let token = kept["access_token"].as_str().context("the demo keeps no token")?.to_owned();
    let target = api.strip_prefix("http://").context("no address")?.to_owned();
    Ok(Setup {
        targets: vec![("stock-tracker-api", target)],
        has: vec!["busy-tenant"],
        _parts: Box::new((process, folder)),
        api,
        token,
    })
}

async fn production(binary: &Path) -> Result<Setup> {
    let production = Production::start(binary, &["--sellers", "1", "--speed", "20"], &[]).await?;
    let token = production.company().await?.token().context("no token")?.to_owned();
    let exporters = Exporters::start(&production)?;
    Ok(Setup {
        api: production.url()?,
        token,
        targets: [production.targets()?, exporters.targets.clone()].concat(),
        has: vec!["redis", "busy-tenant", "node-exporter", "postgres-exporter", "redis-exporter"],
        _parts: Box::new((exporters, production)),
    })
}
