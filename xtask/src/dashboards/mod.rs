//! `cargo xtask dashboards`: every panel and every rule against a system that really runs.
//!
//! The product is started twice: once as the demo, on the embedded default, and once as in production, on PostgreSQL and
//! Redis with Debian's exporters. Prometheus scrapes it for a while, somebody uses it, and then every query is asked: each
//! must be answered, and each panel must have data, but for those that `grafana/panels-needing.json` says need more
//! than a set-up has. These are listed by name.

mod page;
mod panels;
mod setups;
mod traffic;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use self::panels::{Dashboard, Needs, Panel};
use self::setups::Setup;
use crate::monitoring::config;
use crate::monitoring::prometheus::{Answer, Prometheus};
use crate::product;

/// What to look at, and for how long.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only this set-up [default: both].
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// Seconds for which Prometheus scrapes before it is asked.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Write a page with each panel's title, query and series, from what the last set-up answered.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "target/dashboards.html")]
    report: Option<PathBuf>,
}

/// A way to run the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// One process on the embedded default, beside its sandbox.
    Demo,
    /// API and worker on PostgreSQL and Redis, with exporters.
    Production,
}

/// A panel with what its queries were answered.
pub(crate) struct Seen {
    dashboard: String,
    panel: Panel,
    answers: Vec<Answer>,
}

/// Checks everything. Fails when a query is not answered, or a panel is empty that should not be.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let binary = product::build()?;
    let dashboards = panels::read()?;
    let needs = Needs::read()?;
    let which = arguments.only.map_or_else(|| vec![Which::Demo, Which::Production], |one| vec![one]);
    let runtime = tokio::runtime::Runtime::new().context("starting a runtime")?;
    let time = Duration::from_secs(arguments.seconds);
    // Another client of this process may have been first.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    // At the same time: mostly they wait.
    let looks = which.into_iter().map(|which| look(which, &binary, time, &dashboards, &needs));
    let looked = runtime.block_on(futures::future::try_join_all(looks))?;
    if let (Some(file), Some(last)) = (&arguments.report, looked.last()) {
        page::write(file, last.which, &last.seen)?;
        eprintln!("dashboards: the page is {}", file.display());
    }
    let mut is_well = true;
    for fault in looked.iter().flat_map(|look| &look.faults) {
        is_well = false;
        eprintln!("dashboards: {fault}");
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was seen of a set-up.
struct Looked {
    which: Which,
    seen: Vec<Seen>,
    faults: Vec<String>,
}

/// Uses a set-up while Prometheus scrapes it, and asks every query.
async fn look(
    which: Which,
    binary: &Path,
    time: Duration,
    dashboards: &[Dashboard],
    needs: &Needs,
) -> Result<Looked> {
    let name = which.name();
    let setup = Setup::start(which, binary).await.with_context(|| format!("starting the set-up {name}"))?;
    let mut faults = Vec::new();
    let prometheus = Prometheus::start(&config::write(&setup.targets, None)?)?;
    eprintln!("dashboards: {name}: used and scraped for {} s", time.as_secs());
    traffic::drive(&setup, time).await?;

    let mut seen = Vec::new();
    let (mut full, mut absent) = (0, Vec::new());
    for dashboard in dashboards {
        for panel in &dashboard.panels {
            let title = format!("{} / {}", dashboard.title, panel.title);
            let mut answers = Vec::new();
            for query in &panel.queries {
                let answer = if query.instant {
                    prometheus.now(&query.text).await
                } else {
                    prometheus.lately(&query.text).await
                };
                match answer {
                    Ok(answer) => answers.push(answer),
                    Err(error) => faults.push(format!("{name}: {title}: {error:#}, asked: {}", query.text)),
                }
            }
            let missing: Vec<_> = needs.of(&dashboard.uid, &panel.title);
            let missing: Vec<_> =
                missing.into_iter().filter(|word| !setup.has.contains(&word.as_str())).collect();
            if answers.iter().any(|answer| !answer.is_empty()) {
                full += 1;
            } else if missing.is_empty() {
                faults.push(format!("{name}: {title}: no data"));
            } else {
                absent.push(format!("{title} (needs {})", missing.join(", ")));
            }
            seen.push(Seen { dashboard: dashboard.title.clone(), panel: panel.clone(), answers });
        }
    }
    let rules = prometheus.rules().await?;
    for rule in rules.iter().filter(|rule| rule.health != "ok") {
        faults.push(format!("{name}: rule {}: {}: {}", rule.name, rule.health, rule.error));
    }
    eprintln!(
        "dashboards: {name}: {full} panels with data, {} rules evaluated, {} panels of absent parts",
        rules.len(),
        absent.len()
    );
    for panel in absent {
        eprintln!("dashboards: {name}: absent: {panel}");
    }
    Ok(Looked { which, seen, faults })
}

impl Which {
    /// What it is called in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Production => "production",
        }
    }
}
