//! What is called over the network: marketplaces, and where errors are reported.

use std::{collections::BTreeMap, time::Duration};

use domain::clock::SystemClock;
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
    let reached = match reach::all(&settings, &SystemClock).await {
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
    findings.extend(reached.iter().find_map(|reached| {
        let answer = reached.answer.as_ref().ok()?;
        let allowed = TOLERANCE + i64::try_from(answer.took.as_millis() / 2).unwrap_or(i64::MAX);
        Some(clock("the marketplaces'", answer.ahead?.num_milliseconds(), allowed))
    }));
    findings
}

fn hosts(reached: &[Reached]) -> Finding {
    let mut slowest = Duration::ZERO;
    let mut away: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Reached { origin, answer, .. } in reached {
        match answer {
            Ok(answer) => slowest = slowest.max(answer.took),
            Err(error) => away.entry(error).or_default().push(origin),
        }
    }
    if away.is_empty() {
        let origins: Vec<_> = reached.iter().map(|reached| reached.origin.as_str()).collect();
        let told = format!("{}: the slowest answers in {} ms", origins.join(", "), slowest.as_millis());
        return Finding::well("marketplaces", told);
    }
    let away: Vec<_> =
        away.iter().map(|(error, origins)| format!("{}: {error}", origins.join(", "))).collect();
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
