//! `cargo xtask bench error-reports`: what it costs requests that failures and traces are reported, and that whoever
//! takes the reports does not answer.
//!
//! One API for each way of reporting, on one database, asked in turns: what else goes on at the time is the same for all.

mod load;
mod servers;

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use sea_orm::ConnectionTrait as _;

use self::{
    load::{Load, Measured},
    servers::{Hanging, Taking},
};
use super::table;
use crate::product::{
    client::Client,
    database::{Database, Kind},
    process::Process,
};

/// How much is asked.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Requests of a kind in each turn.
    #[arg(long, default_value_t = 2000)]
    requests: usize,
    /// Turns of each way of reporting.
    #[arg(long, default_value_t = 5)]
    turns: usize,
    /// Connections that ask at the same time, each kept open.
    #[arg(long, default_value_t = 4)]
    connections: usize,
}

/// Requests before those that count.
const WARM_UP: usize = 200;

/// A way of reporting.
struct Way {
    name: &'static str,
    process: Process,
    client: Client,
    measured: Measured,
}

/// Measures on each database.
pub(super) async fn run(binary: &Path, databases: &[Kind], arguments: &Arguments) -> Result<ExitCode> {
    for kind in databases {
        measure(binary, *kind, arguments).await.with_context(|| kind.name())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(binary: &Path, kind: Kind, arguments: &Arguments) -> Result<()> {
    let (taking, hanging) = (Taking::start().await?, Hanging::start().await?);
    let database = Database::create(kind, binary.to_owned(), &[]).await?;
    let mut ways = Vec::new();
    let mut somebody: Option<Client> = None;
    for (name, dsn, share) in [
        ("off", None, "0"),
        ("on, 10 %", Some(&taking.dsn), "0.1"),
        ("on, 100 %", Some(&taking.dsn), "1"),
        ("hanging, 10 %", Some(&hanging.dsn), "0.1"),
        ("hanging, 100 %", Some(&hanging.dsn), "1"),
    ] {
        let mut setting = database.setting.clone();
        if let Some(dsn) = dsn {
            setting.set("SENTRY_DSN", dsn);
            setting.set("SENTRY_TRACES_SAMPLE_RATE", share);
        }
        let mut process = Process::start(&setting, "api", &[])?;
        let url = process.address("the API listens")?;
        let client = if let Some(somebody) = &somebody {
            somebody.at(url)
        } else {
            let mut client = Client::new(url)?;
            client.register().await?;
            somebody.insert(client).clone()
        };
        ways.push(Way { name, process, client, measured: Measured::default() });
    }
    let reads = Load { path: "/api/v1/auth/me", status: 200, connections: arguments.connections };
    turns(&mut ways, &reads, arguments).await?;
    print(kind, "GET /api/v1/auth/me", &mut ways);

    // A fault as a database can have it. What is asked fails after the same work in all ways.
    let owner = database.connect().await?;
    owner.execute_unprepared("ALTER TABLE stock_level RENAME TO stock_level_away").await?;
    let failures = Load { path: "/api/v1/stocks", status: 500, connections: arguments.connections };
    turns(&mut ways, &failures, arguments).await?;
    print(kind, "a request that fails, and is reported", &mut ways);
    eprintln!("{} reports and traces taken, {} connections left hanging\n", taking.taken(), hanging.held());
    owner.close().await.context("closing the owner's connection")
}

/// Asks all ways in turns, each turn beginning with another one.
async fn turns(ways: &mut [Way], load: &Load, arguments: &Arguments) -> Result<()> {
    for way in ways.iter() {
        load.run(&way.client, WARM_UP).await?;
    }
    for turn in 0..arguments.turns {
        let count = ways.len();
        for place in 0..count {
            let way = &mut ways[(turn + place) % count];
            let before = way.process.cpu_time()?;
            let ran = load.run(&way.client, arguments.requests).await?;
            way.measured.add(ran, way.process.cpu_time()?.saturating_sub(before));
        }
    }
    Ok(())
}

/// Prints what was measured, and forgets it.
fn print(kind: Kind, what: &str, ways: &mut [Way]) {
    let mut lines = vec![vec![format!("{}: {what}", kind.name())]];
    lines[0].extend(ways.iter().map(|way| way.name.to_owned()));
    let all: Vec<Measured> = ways.iter_mut().map(|way| std::mem::take(&mut way.measured).sorted()).collect();
    let mut line = |name: &str, cell: &dyn Fn(&Measured) -> String| {
        lines.push([name.to_owned()].into_iter().chain(all.iter().map(cell)).collect());
    };
    for (name, per_mille) in [("p50, ms", 500), ("p95, ms", 950), ("p99, ms", 990)] {
        line(name, &|measured| milliseconds(measured.quantile(per_mille)));
    }
    line("requests / s, median of the turns", &|measured| format!("{:.0}", measured.rates().1));
    line("slowest and fastest turn", &|measured| {
        let (slowest, _, fastest) = measured.rates();
        format!("{slowest:.0}–{fastest:.0}")
    });
    line("processor time of the API / request, ms", &|measured| milliseconds(measured.cpu_each()));
    table::print(&lines);
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}
