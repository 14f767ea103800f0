//! What is called over the network: marketplaces, and where errors are reported.

use std::time::Duration;

use domain::clock::{Clock as _, SystemClock};
use marketplaces::reach::{self, Reached};

use super::{database::clock, finding::Finding};
use crate::config::Config;

/// What one host may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// By how many milliseconds the clock of a marketplace may differ: it tells whole seconds.
const TOLERANCE: i64 = 5_000;

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let (mut findings, reports) = futures::join!(marketplaces(config), error_reports(config));
    findings.push(reports);
    findings
}

async fn marketplaces(config: &Config) -> Vec<Finding> {
    let settings = marketplaces::Settings { request_timeout: PATIENCE, ..config.marketplaces.settings() };
    let reached = match reach::all(&settings).await {
        Ok(reached) => reached,
        Err(error) => {
            return vec![Finding::failure(
                "marketplaces",
                error.to_string(),
                "see the system's TLS certificates",
            )];
        }
    };
    let mut findings = vec![hosts(&reached)];
    let date = reached.iter().find_map(|reached| reached.answer.as_ref().ok()?.date);
    let off = date.map(|date| (date - SystemClock.now()).num_milliseconds());
    findings.extend(off.map(|off| clock("the marketplaces'", off, TOLERANCE)));
    findings
}

fn hosts(reached: &[Reached]) -> Finding {
    let mut slowest = Duration::ZERO;
    let mut away = Vec::new();
    for Reached { marketplace, origin, answer } in reached {
        match answer {
            Ok(answer) => slowest = slowest.max(answer.took),
            Err(error) => away.push(format!("{} at {origin}: {error}", marketplace.name())),
        }
    }
    if away.is_empty() {
        let told = format!("{} hosts answer, the slowest in {} ms", reached.len(), slowest.as_millis());
        return Finding::well("marketplaces", told);
    }
    let fix = "let this machine out to them (DNS, firewall, port 443); syncs wait and try again meanwhile";
    Finding::failure("marketplaces", away.join("; "), fix)
}

async fn error_reports(config: &Config) -> Finding {
    let Some(settings) = &config.error_reports else {
        return Finding::well("error reports", "go nowhere: SENTRY_DSN is not set");
    };
    let dsn = &settings.dsn;
    let origin = format!("{}://{}:{}", dsn.scheme(), dsn.host(), dsn.port());
    let client = reqwest::Client::builder().timeout(PATIENCE).build();
    let asked = async { client?.get(&origin).send().await };
    match asked.await {
        Ok(_) => Finding::well("error reports", format!("{origin} answers")),
        Err(error) => {
            let fix = "see SENTRY_DSN and the way there; the product works without, and nobody hears of its failures";
            Finding::failure("error reports", format!("{:#}", anyhow::Error::from(error)), fix)
        }
    }
}
