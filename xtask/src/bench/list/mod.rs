//! `cargo xtask bench list`: how long `GET /api/v1/products` takes, by the size of the tenant.

mod catalogue;
mod fill;
mod requests;

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use self::requests::Request;
use super::table::{self, grouped};
use crate::product::{
    client::Client,
    database::{Database, Kind},
    process::Process,
};

/// Answers after which a request is known well enough.
const MOST_ANSWERS: usize = 2000;
/// Answers that are waited for however slow they are.
const FEWEST_ANSWERS: usize = 5;
/// Answers before those that count.
const WARM_UP: usize = 2;

/// What is listed.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Products of the tenant, a database for each number.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    sizes: Vec<u64>,
    /// Seconds for each kind of request, unless five answers take longer.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Only requests whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Measures on each database and each size.
pub(super) async fn run(binary: &Path, databases: &[Kind], arguments: &Arguments) -> Result<ExitCode> {
    ensure!(arguments.sizes.iter().all(|size| *size >= requests::FEWEST), "at least {}", requests::FEWEST);
    for kind in databases {
        let mut columns = Vec::new();
        for size in &arguments.sizes {
            let measured = measure(binary, *kind, *size, arguments).await;
            columns.push(measured.with_context(|| format!("{}, {size} products", kind.name()))?);
        }
        print(*kind, &arguments.sizes, &columns);
    }
    Ok(ExitCode::SUCCESS)
}

/// How long the answers to one kind of request took, ascending.
struct Times {
    name: String,
    sorted: Vec<Duration>,
}

impl Times {
    /// The time within which this share of the answers came.
    fn quantile(&self, per_mille: usize) -> Duration {
        let rank = (self.sorted.len() * per_mille).div_ceil(1000);
        self.sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

async fn measure(binary: &Path, kind: Kind, size: u64, arguments: &Arguments) -> Result<Vec<Times>> {
    let database = Database::create(kind, binary.to_owned(), &[]).await?;
    let mut api = Process::start(&database.setting, "api", &[])?;
    let mut client = Client::new(api.address("the API listens")?)?;
    let tenant = client.register().await?;
    let started = Instant::now();
    let connection = database.connect().await?;
    fill::fill(&connection, tenant, size).await.context("filling the database")?;
    connection.close().await.context("closing the owner's connection")?;
    let took = started.elapsed().as_secs();
    eprintln!("{}: {} products filled in within {took} s", kind.name(), grouped(size));

    let mut columns = Vec::new();
    for request in requests::all(&client, size).await? {
        if request.name.contains(&arguments.only) {
            columns.push(time(&client, &request, Duration::from_secs_f64(arguments.seconds)).await?);
        }
    }
    Ok(columns)
}

async fn time(client: &Client, request: &Request, limit: Duration) -> Result<Times> {
    let mut paths = request.paths.iter().cycle();
    let mut next = || paths.next().context("a request without a path");
    for _ in 0..WARM_UP {
        client.time(next()?).await?;
    }
    let started = Instant::now();
    let mut sorted = Vec::new();
    while sorted.len() < FEWEST_ANSWERS || (started.elapsed() < limit && sorted.len() < MOST_ANSWERS) {
        sorted.push(client.time(next()?).await?);
    }
    sorted.sort_unstable();
    Ok(Times { name: request.name.clone(), sorted })
}

fn print(kind: Kind, sizes: &[u64], columns: &[Vec<Times>]) {
    let mut head = vec![format!("{}, ms", kind.name())];
    head.extend(sizes.iter().flat_map(|size| [format!("{} p50", grouped(*size)), "p99".to_owned()]));
    let mut lines = vec![head];
    let names = columns.first().into_iter().flatten().map(|times| &times.name);
    for (place, name) in names.enumerate() {
        let cells = columns.iter().filter_map(|column| column.get(place));
        let cells =
            cells.flat_map(|times| [milliseconds(times.quantile(500)), milliseconds(times.quantile(990))]);
        lines.push([name.clone()].into_iter().chain(cells).collect());
    }
    table::print(&lines);
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Times;

    #[test]
    fn a_quantile_is_the_nearest_rank() {
        let times = |count: u64| Times {
            name: String::new(),
            sorted: (1..=count).map(Duration::from_millis).collect(),
        };
        assert_eq!(times(5).quantile(500), Duration::from_millis(3));
        assert_eq!(times(5).quantile(990), Duration::from_millis(5));
        assert_eq!(times(200).quantile(990), Duration::from_millis(198));
        assert_eq!(times(1).quantile(500), Duration::from_millis(1));
    }
}
