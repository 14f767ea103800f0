//! `cargo xtask alerts`: from trouble to a message on somebody's phone, all of it really running.
//!
//! The product runs as in production, Prometheus with the committed rules, Alertmanager with the committed routes and
//! template; only Telegram is a server of our own. Then syncs fail since their marketplace answers 503, and API and
//! worker are killed. What should wake somebody must arrive, say what it ought to, and end when the trouble has ended.
//!
//! It takes as long as the rules want trouble to last, seven minutes or so, and is no part of CI.

mod expected;
mod telegram;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::time::Instant;

use self::watch::{Alert, Watch};
use crate::product;
use crate::product::client::Client;
use crate::product::production::Production;

/// Enough to be above the floor of the rule about failing syncs, whatever else goes on.
const SELLERS: &str = "4";
/// Generous: the sandbox's scale shortens the pauses between a job's attempts too.
const SYNCS_FAIL: Duration = Duration::from_mins(4);

const SYNC_FAILURE_RATE: Alert = Alert { name: "SyncFailureRate", severity: "warning" };
const API_DOWN: Alert = Alert { name: "APIDown", severity: "critical" };
const WORKER_DOWN: Alert = Alert { name: "WorkerDown", severity: "critical" };

/// Makes the trouble and looks for its messages. Fails when one does not come, or not as it should.
pub(crate) fn run() -> Result<ExitCode> {
    let binary = product::build()?;
    let runtime = tokio::runtime::Runtime::new().context("starting a runtime")?;
    // Another client of this process may have been first.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(async {
        let sandbox = ["--sellers", SELLERS, "--cards", "20", "--history-days", "7"];
        let mut production = Production::start(&binary, &sandbox, &[]).await?;
        let seller = production.company().await?;
        let mut watch = Watch::start(&production.targets()?).await?;
        trouble(&mut production, &seller, &mut watch).await?;
        let faults = watch.faults();
        for fault in faults {
            eprintln!("alerts: {fault}");
        }
        Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// All troubles at once, as far as one does not hide another: while the rule about syncs waits, the others fire and end.
async fn trouble(production: &mut Production, seller: &Client, watch: &mut Watch) -> Result<()> {
    let syncs = Instant::now();
    fail_syncs(production, seller).await?;
    watch::seen(&format!("{SELLERS} syncs failed"), syncs);
    let is_noticed = watch.noticed(SYNC_FAILURE_RATE, syncs).await?;

    production.api.kill()?;
    production.worker.kill()?;
    let killed = Instant::now();
    watch::seen("API and worker were killed", killed);
    watch.told(API_DOWN, killed).await?;
    watch.told(WORKER_DOWN, killed).await?;

    production.api.start_again()?;
    production.worker.start_again()?;
    let back = Instant::now();
    watch::seen("API and worker were started again", back);
    watch.over(API_DOWN, back).await?;
    watch.over(WORKER_DOWN, back).await?;

    if is_noticed {
        watch.told(SYNC_FAILURE_RATE, syncs).await?;
    }
    Ok(())
}

/// The marketplace goes away, and every account is asked to sync.
async fn fail_syncs(production: &Production, seller: &Client) -> Result<()> {
    let fault = json!({ "path_prefix": "/", "times": { "from": 1 }, "kind": "status", "status": 503 });
    production.sandbox.control()?.post("/sandbox/v1/faults", &fault).await?;
    let accounts = seller.get("/api/v1/marketplace-accounts").await?;
    let accounts = accounts["items"].as_array().context("no list of accounts")?;
    let mut syncs = Vec::new();
    for account in accounts {
        let id = account["id"].as_str().context("an account without an id")?;
        let path = format!("/api/v1/marketplace-accounts/{id}/sync");
        let sync = seller.post(&path, &json!({})).await?;
        syncs.push(sync["sync_id"].as_str().context("a sync without an id")?.to_owned());
    }
    ensure!(syncs.len().to_string() == SELLERS, "{} accounts", syncs.len());
    let until = Instant::now() + SYNCS_FAIL;
    for id in syncs {
        loop {
            let sync: Value = seller.get(&format!("/api/v1/syncs/{id}")).await?;
            match sync["state"].as_str() {
                Some("failed") => break,
                Some("pending" | "running") => {}
                _ => bail!("a sync with a marketplace that is away did not fail: {sync}"),
            }
            ensure!(Instant::now() < until, "the syncs have not failed in time: {sync}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    Ok(())
}
