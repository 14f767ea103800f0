//! The product itself: every role in one process, on a database of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use test_support::process::Process;

use super::client::Client;
use super::steps::Steps;
use crate::command::command;

/// How often a sync is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The product, running, with one company. It ends when this is dropped.
pub(super) struct Tracker {
    pub(super) client: Client,
    _process: Process,
}

/// Builds the binary that [`Tracker::start`] runs.
pub(super) fn build(steps: &Steps) -> Result<()> {
    // As `cargo xtask lint` builds it: with other features most dependencies would be compiled once more.
    steps.show(&mut command(
        "cargo",
        &["build", "--quiet", "--workspace", "--all-features", "--bin", "stock-tracker"],
    ))
}

impl Tracker {
    /// Starts the product with an empty database and registers a company.
    pub(super) fn start(steps: &Steps) -> Result<Self> {
        let binary = std::env::current_exe().context("finding this program")?.with_file_name("stock-tracker");
        let log = steps.log("stock-tracker");
        let mut process = Process::new(None)?;
        let mut all = Command::new(binary);
        all.arg("all").env_clear().envs([
            ("PORT", "0"),
            ("LOG_FORMAT", "json"),
            // It asks more often than people may.
            ("RATE_LIMIT_ENABLED", "false"),
            // The shop is on this machine.
            ("OUTBOUND_ALLOW_PRIVATE", "true"),
        ]);
        process.start(&mut all, &log)?;
        let mut address = None;
        process.wait_until("stock-tracker", &log, || {
            address = listening_at(&log);
            address.is_some()
        })?;
        let mut client = Client::new(address.context("no address")?)?;
        process.wait_until("stock-tracker", &log, || client.is_ready())?;
        client.register()?;
        Ok(Self { client, _process: process })
    }

    /// Asks for a sync of an account, or joins the one that is under way, and waits until it is complete.
    pub(super) fn sync(&self, steps: &Steps, account: &str) -> Result<Value> {
        let requested =
            self.client.post(&format!("/api/v1/marketplace-accounts/{account}/sync"), &json!({}))?;
        let id = requested["sync_id"].as_str().context("a sync has an id")?;
        loop {
            let sync = self.client.get(&format!("/api/v1/syncs/{id}"))?;
            match sync["state"].as_str() {
                Some("completed") => return Ok(sync),
                Some("pending" | "running") => self.client.pause(LOOK_EVERY),
                _ => bail!("the sync is not complete: {sync}"),
            }
            steps.in_time().with_context(|| format!("waiting for {sync}"))?;
        }
    }
}

/// Where the API listens, once it says so.
fn listening_at(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().find_map(|line| {
        let entry: Value = serde_json::from_str(line).ok()?;
        let address = entry["address"].as_str().filter(|_| entry["message"] == "the API listens")?;
        Some(format!("http://{address}"))
    })
}
