//! The ways in which the product is run.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use test_support::process::{Process as Leashed, free_port};
use test_support::redis::RedisServer;

use super::Which;
use crate::packages;
use crate::product::{
    client::Client,
    database::{Database, Kind},
    process::{Process, Setting},
    sandbox::Sandbox,
};

/// Shortens the sandbox's periods on both ends.
const LIMIT_SCALE: &str = "0.02";
/// How long the first sync may take.
const FIRST_SYNC: Duration = Duration::from_mins(3);

/// The product, running. Everything ends when this is dropped.
pub(crate) struct Setup {
    /// Where the API listens.
    pub(crate) api: String,
    /// Somebody's access token.
    pub(crate) token: String,
    /// Jobs of Prometheus with what they scrape.
    pub(crate) targets: Vec<(&'static str, String)>,
    /// What panels may need and this has.
    pub(crate) has: Vec<&'static str>,
    _parts: Parts,
}

/// What must be kept for as long as the set-up runs, in the order in which it may go.
#[derive(Default)]
struct Parts {
    _exporters: Vec<Leashed>,
    _roles: Vec<Process>,
    _sandbox: Option<Sandbox>,
    _database: Option<Database>,
    _redis: Option<RedisServer>,
    _folder: Option<Leashed>,
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
        _parts: Parts { _roles: vec![process], _folder: Some(folder), ..Parts::default() },
        api,
        token,
    })
}

async fn production(binary: &Path) -> Result<Setup> {
    packages::ensure_redis()?;
    packages::ensure_exporters()?;
    let redis = RedisServer::spawn()?;
    let sandbox = Sandbox::start(binary, LIMIT_SCALE, &["--sellers", "1", "--speed", "20"])?;
    let extra = [
        ("WILDBERRIES_BASE_URL", sandbox.base_url.clone()),
        ("MARKETPLACE_LIMIT_SCALE", LIMIT_SCALE.to_owned()),
        ("REDIS_URL", redis.url()),
        ("RATE_LIMIT_ENABLED", "true".to_owned()),
    ];
    let database = Database::create(Kind::Postgres, binary.to_owned(), &extra).await?;
    let mut roles = Vec::new();
    let mut targets = Vec::new();
    let mut api = String::new();
    for (role, job) in [("api", "stock-tracker-api"), ("worker", "stock-tracker-worker")] {
        let mut process = Process::start(&database.setting, role, &[])?;
        let metrics = process.address("metrics and health listen")?;
        targets.push((job, metrics.trim_start_matches("http://").to_owned()));
        if role == "api" {
            api = process.address("the API listens")?;
        }
        roles.push(process);
    }
    let mut client = Client::new(&api)?;
    client.register().await?;
    let token = client.token().context("no token")?.to_owned();
    let credentials = json!({ "token": sandbox.token().await? });
    let account = json!({ "marketplace": "wildberries", "name": "Shop", "credentials": credentials });
    client.post("/api/v1/marketplace-accounts", &account).await?;
    synced(&client).await?;
    let mut exporters = Vec::new();
    for (job, exporter) in [
        ("node", Exporter::new("prometheus-node-exporter", "--web.listen-address=", &[])),
        (
            "postgres",
            Exporter::new(
                "prometheus-postgres-exporter",
                "--web.listen-address=",
                &[("DATA_SOURCE_NAME", &database.owner_url)],
            ),
        ),
        (
            "redis",
            Exporter::new(
                "prometheus-redis-exporter",
                "-web.listen-address=",
                &[("REDIS_ADDR", &redis.url())],
            ),
        ),
    ] {
        let (process, address) = exporter.start()?;
        targets.push((job, address));
        exporters.push(process);
    }
    Ok(Setup {
        has: vec!["redis", "busy-tenant", "node-exporter", "postgres-exporter", "redis-exporter"],
        _parts: Parts {
            _exporters: exporters,
            _roles: roles,
            _sandbox: Some(sandbox),
            _database: Some(database),
            _redis: Some(redis),
            _folder: None,
        },
        api,
        token,
        targets,
    })
}

/// Waits until the first sync has ended well.
async fn synced(client: &Client) -> Result<()> {
    let until = tokio::time::Instant::now() + FIRST_SYNC;
    loop {
        let syncs = client.get("/api/v1/syncs").await?;
        match syncs["items"][0]["state"].as_str() {
            Some("completed") => return Ok(()),
            Some("pending" | "running") | None => {}
            Some(state) => anyhow::bail!("the first sync is {state}: {syncs}"),
        }
        ensure!(tokio::time::Instant::now() < until, "the first sync takes too long: {syncs}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A program that tells Prometheus of another one.
struct Exporter {
    program: &'static str,
    listen: &'static str,
    variables: Vec<(&'static str, String)>,
}

impl Exporter {
    fn new(program: &'static str, listen: &'static str, variables: &[(&'static str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { program, listen, variables }
    }

    /// Starts it, and gives the address that it serves on.
    fn start(self) -> Result<(Leashed, String)> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut process = Leashed::new(None)?;
        let log = process.folder().join("log");
        let mut command = Command::new(self.program);
        command.arg(format!("{}{address}", self.listen));
        command.envs(self.variables);
        process.start(&mut command, &log)?;
        process.wait_until(self.program, &log, || TcpStream::connect(&address).is_ok())?;
        Ok((process, address))
    }
}
