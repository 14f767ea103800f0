//! `cargo xtask bench sync`: one worker reads a large account, twice.

mod report;
mod upsert;

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use sea_orm::{FromQueryResult, prelude::DateTimeUtc};
use serde_json::{Value, json};
use uuid::Uuid;

use self::report::{Figures, Phase};
use crate::product::{
    client::Client,
    database::{self, Database, Kind},
    process::{Process, Setting},
    sandbox::Sandbox,
};

/// More than this a worker may never hold.
const MOST_MEMORY: u64 = 200_000_000;
/// How often a running sync is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What is synced.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Product cards of the seller. A card has 1.6 variants on average, and a variant lies in 2.6 warehouses.
    #[arg(long, default_value_t = 71_500)]
    cards: u32,
    /// Days of orders: about one a day for each variant.
    #[arg(long, default_value_t = 3)]
    history_days: u32,
    /// What the account is read with.
    #[arg(long, value_enum, default_value_t = Token::Personal)]
    token: Token,
    /// Minutes that a sync may take.
    #[arg(long, default_value_t = 60)]
    patience: u64,
}

/// A type of token. It decides how the marketplace's own warehouses are read.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Token {
    /// The report that is answered at once, page by page.
    Personal,
    /// The report that is made while one waits, and then fetched whole.
    Basic,
}

/// Measures on each database, with one marketplace for all of them.
pub(super) async fn run(binary: &Path, databases: &[Kind], arguments: &Arguments) -> Result<ExitCode> {
    let market = Market::open(binary, arguments).await?;
    let mut within_bars = true;
    for kind in databases {
        let measured =
            measure(binary, *kind, &market, arguments).await.with_context(|| kind.name().to_owned())?;
        report::print(*kind, &measured);
        within_bars &= measured.syncs.iter().all(|sync| sync.peak_memory <= MOST_MEMORY);
    }
    if !within_bars {
        eprintln!("a worker held more than {} MB", MOST_MEMORY / 1_000_000);
    }
    Ok(if within_bars { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The marketplace, and what the account is read with.
struct Market {
    sandbox: Sandbox,
    token: String,
}

impl Market {
    async fn open(binary: &Path, arguments: &Arguments) -> Result<Self> {
        let (cards, days) = (arguments.cards.to_string(), arguments.history_days.to_string());
        // Next to nothing happens while it is read.
        let all = ["--sellers", "1", "--speed", "0.01", "--cards", &cards, "--history-days", &days];
        let sandbox = Sandbox::start(binary, LIMIT_SCALE, &all)?;
        // Each of its warehouses by name.
        sandbox.control()?.put("/sandbox/v1/masked", &json!(false)).await?;
        let token = match arguments.token {
            Token::Personal => sandbox.token().await?,
            Token::Basic => sandbox.token_of_type("basic").await?,
        };
        Ok(Self { sandbox, token })
    }
}

/// Shortens the marketplace's periods on both ends: limits are kept to, and nobody waits for them.
const LIMIT_SCALE: &str = "0.0001";

/// What was measured on one database.
struct Measured {
    /// The first sync, and one with next to nothing new.
    syncs: [Figures; 2],
    /// The same stock rows written into a bare table, new and unchanged.
    bare: [Duration; 2],
    bare_rows: u64,
}

async fn measure(binary: &Path, kind: Kind, market: &Market, arguments: &Arguments) -> Result<Measured> {
    let extra = [
        ("WILDBERRIES_BASE_URL", market.sandbox.base_url.clone()),
        ("MARKETPLACE_LIMIT_SCALE", LIMIT_SCALE.to_owned()),
    ];
    let database = Database::create(kind, binary.to_owned(), &extra).await?;
    let connection = database.connect().await?;
    let mut api = Process::start(&database.setting, "api", &[])?;
    let mut client = Client::new(api.address("the API listens")?)?;
    client.register().await?;
    let account =
        json!({ "marketplace": "wildberries", "name": "Bench", "credentials": { "token": market.token } });
    let account = client.post("/api/v1/marketplace-accounts", &account).await?;
    let account = account["id"].as_str().context("no account")?;

    let worker = Worker { setting: &database.setting, client: &client, arguments };
    // Connecting has asked for the first one.
    let first = client.get("/api/v1/syncs").await?["items"][0]["id"].take();
    let first = worker.carry(&connection, &first).await?;
    database::settle(&connection).await?;
    let second = client.post(&format!("/api/v1/marketplace-accounts/{account}/sync"), &json!({})).await?;
    let second = worker.carry(&connection, &second["sync_id"]).await?;

    let bare = upsert::Bare::prepare(&connection).await?;
    let bare_times = [bare.write(&connection).await?, bare.write(&connection).await?];
    connection.close().await.context("closing the owner's connection")?;
    Ok(Measured { syncs: [first, second], bare: bare_times, bare_rows: bare.rows() })
}

/// One worker for one sync, so that the memory of each is its own.
struct Worker<'a> {
    setting: &'a Setting,
    client: &'a Client,
    arguments: &'a Arguments,
}

impl Worker<'_> {
    async fn carry(&self, connection: &sea_orm::DatabaseConnection, sync: &Value) -> Result<Figures> {
        let id = sync.as_str().context("no sync")?;
        let deadline = Instant::now() + Duration::from_secs(self.arguments.patience * 60);
        let worker = Process::start(self.setting, "worker", &[])?;
        let ended = loop {
            let sync = self.client.get(&format!("/api/v1/syncs/{id}")).await?;
            if !matches!(sync["state"].as_str(), Some("pending" | "running")) {
                break sync;
            }
            worker.peak_memory()?;
            ensure!(Instant::now() < deadline, "the sync does not end: {sync}");
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let peak_memory = worker.peak_memory()?;
        drop(worker);
        ensure!(ended["state"] == "completed", "the sync has read less than everything: {ended}");
        let phases = phases(connection, id.parse().context("the sync's id")?, &ended).await?;
        let count = |name: &str| ended["counts"][name].as_u64().unwrap_or_default();
        Ok(Figures {
            took: Duration::from_millis(ended["duration_ms"].as_u64().context("no duration")?),
            products: count("products"),
            variants: count("variants"),
            stock_rows: count("stock_rows"),
            movements: count("movements"),
            order_lines: count("order_lines"),
            phases,
            peak_memory,
        })
    }
}

/// How long each phase took: until the next one began.
async fn phases(connection: &sea_orm::DatabaseConnection, sync: Uuid, ended: &Value) -> Result<Vec<Phase>> {
    #[derive(FromQueryResult)]
    struct Row {
        phase: String,
        started_at: DateTimeUtc,
    }
    let sql = "SELECT phase, started_at FROM sync_step WHERE sync_id = $1 ORDER BY started_at";
    let rows: Vec<Row> = database::rows(connection, sql, [sync.into()]).await?;
    let finished_at = ended["finished_at"].as_str().context("no end")?;
    let finished_at: DateTimeUtc = finished_at.parse().context("the end of the sync")?;
    let ends = rows.iter().skip(1).map(|row| row.started_at).chain([finished_at]);
    let phase = |(row, end): (&Row, DateTimeUtc)| Phase {
        name: row.phase.clone(),
        took: (end - row.started_at).to_std().unwrap_or_default(),
    };
    Ok(rows.iter().zip(ends).map(phase).collect())
}
