//! `stock-tracker doctor`: everything that a deployment needs, looked at from where it would run, with a fix for each
//! thing that is wrong.
//!
//! A room for each thing that is looked at; each gives its findings. Nothing is changed: what is tried on the database
//! is rolled back, no file is made or touched, no marketplace is shown a credential. Redis gets a key that is gone in a
//! second.

mod accounts;
mod database;
mod finding;
mod isolation;
mod limits;
mod outside;

use std::{
    io::{Write as _, stdout},
    time::Duration,
};

use anyhow::{Context as _, bail};

use self::finding::{Finding, Level};
use crate::{
    cli::DoctorArguments,
    config::{Config, Environment},
};

/// What one look may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at everything, prints what was found, and fails if anything does not work.
pub(crate) async fn run(environment: &Environment, arguments: &DoctorArguments) -> anyhow::Result<()> {
    let findings = Box::pin(examine(environment, arguments)).await;
    let text: String = findings.iter().map(ToString::to_string).collect();
    stdout().write_all(text.as_bytes()).context("printing")?;
    match findings.iter().filter(|finding| finding.level == Level::Failure).count() {
        0 => Ok(()),
        failures => bail!("{failures} of {} checks failed", findings.len()),
    }
}

async fn examine(environment: &Environment, arguments: &DoctorArguments) -> Vec<Finding> {
    let reading = Config::read(environment, arguments.role.into());
    let config = match reading.config {
        Ok(config) => config,
        // Without it nothing is known of what to look at.
        Err(problems) => {
            let fix = "see .env.example, and `stock-tracker config` for what takes effect";
            let found = |problem| Finding::failure("configuration", format!("{problem}"), fix);
            return problems.0.iter().map(found).collect();
        }
    };
    let mut findings = vec![Finding::well(
        "configuration",
        format!("{} variables, all understood", reading.effective.len()),
    )];
    let (database, limits, outside) = futures::join!(
        database::examine(&config),
        in_time("redis", limits::examine(&config)),
        in_time("outside", outside::examine(&config)),
    );
    findings.extend(database.into_iter().chain(limits).chain(outside));
    findings
}

/// What was found, or that it took too long.
async fn in_time(what: &'static str, look: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| {
        let text = format!("no answer within {} s", PATIENCE.as_secs());
        vec![Finding::failure(
            what,
            text,
            "see whether it is there, and whether the network lets this machine to it",
        )]
    })
}
