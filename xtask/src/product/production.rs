//! The product as in production: API and worker in processes of their own, on PostgreSQL and Redis. What is not as in
//! production is the marketplace, a sandbox.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use test_support::redis::RedisServer;
use tokio::time::Instant;

use super::client::Client;
use super::database::{Database, Kind};
use super::process::{Process, Setting};
use super::sandbox::Sandbox;
use crate::monitoring::config::Target;
use crate::packages;

/// Shortens the sandbox's periods on both ends.
const LIMIT_SCALE: &str = "0.02";
/// How long first syncs may take.
const FIRST_SYNC: Duration = Duration::from_mins(3);

/// The product, running. Everything ends when this is dropped, in this order.
pub(crate) struct Production {
    pub(crate) api: Role,
    pub(crate) worker: Role,
    pub(crate) sandbox: Sandbox,
    pub(crate) database: Database,
    pub(crate) redis: RedisServer,
}

impl Production {
    /// Starts it. `sandbox` says what the marketplace holds; `more` is what both roles are told beside what they must be.
    pub(crate) async fn start(
        binary: &Path,
        sandbox: &[&str],
        more: &[(&'static str, String)],
    ) -> Result<Self> {
        packages::ensure_redis()?;
        let redis = RedisServer::spawn()?;
        let sandbox = Sandbox::start(binary, LIMIT_SCALE, sandbox)?;
        let mut extra = vec![
            ("WILDBERRIES_BASE_URL", sandbox.base_url.clone()),
            ("MARKETPLACE_LIMIT_SCALE", LIMIT_SCALE.to_owned()),
            ("REDIS_URL", redis.url()),
            ("RATE_LIMIT_ENABLED", "true".to_owned()),
        ];
        extra.extend_from_slice(more);
        let database = Database::create(Kind::Postgres, binary.to_owned(), &extra).await?;
        let api = Role::start("api", database.setting.clone())?;
        let worker = Role::start("worker", database.setting.clone())?;
        Ok(Self { api, worker, sandbox, database, redis })
    }

    /// Where the API listens.
    pub(crate) fn url(&self) -> Result<String> {
        Ok(format!("http://127.0.0.1:{}", self.api.setting.value("PORT").context("the API has no port")?))
    }

    /// What Prometheus scrapes of it.
    pub(crate) fn targets(&self) -> Result<Vec<Target>> {
        let address =
            |role: &Role| role.setting.value("METRICS_ADDR").context("no metrics").map(str::to_owned);
        Ok(vec![("stock-tracker-api", address(&self.api)?), ("stock-tracker-worker", address(&self.worker)?)])
    }

    /// Registers a company and connects an account for each seller of the sandbox, all of them synced.
    pub(crate) async fn company(&self) -> Result<Client> {
        let mut client = Client::new(self.url()?)?;
        client.register().await?;
        let tokens = self.sandbox.tokens().await?;
        for (number, token) in tokens.iter().enumerate() {
            let name = format!("Shop {}", number + 1);
            let account =
                json!({ "marketplace": "wildberries", "name": name, "credentials": { "token": token } });
            client.post("/api/v1/marketplace-accounts", &account).await?;
        }
        synced(&client, tokens.len()).await?;
        Ok(client)
    }
}

/// Waits until the first sync of each account has ended well.
async fn synced(client: &Client, accounts: usize) -> Result<()> {
    let until = Instant::now() + FIRST_SYNC;
    loop {
        let syncs = client.get("/api/v1/syncs").await?;
        let states: Vec<_> = syncs["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|sync| sync["state"].as_str())
            .collect();
        if let Some(state) = states.iter().find(|state| !["pending", "running", "completed"].contains(state))
        {
            bail!("a first sync is {state}: {syncs}");
        }
        if states.iter().filter(|state| **state == "completed").count() >= accounts {
            return Ok(());
        }
        ensure!(Instant::now() < until, "the first syncs take too long: {syncs}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A role in a process of its own, which may be killed and started again at the same addresses.
pub(crate) struct Role {
    name: &'static str,
    setting: Setting,
    process: Option<Process>,
}

impl Role {
    fn start(name: &'static str, setting: Setting) -> Result<Self> {
        let mut role = Self { name, setting, process: None };
        role.start_again()?;
        Ok(role)
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        let mut process = Process::start(&self.setting, self.name, &[])?;
        let metrics = process.address("metrics and health listen")?;
        self.setting.set("METRICS_ADDR", metrics.trim_start_matches("http://"));
        if self.name == "api" {
            let api = process.address("the API listens")?;
            let (_, port) = api.rsplit_once(':').context("an address without a port")?;
            self.setting.set("PORT", port);
        }
        self.process = Some(process);
        Ok(())
    }

    /// Ends it at once, as a lack of memory or a power cut would.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.take().with_context(|| format!("no {} runs", self.name))?.kill()
    }
}
