//! `stock-tracker migrate`: the one command that changes a PostgreSQL schema.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};

use anyhow::Context as _;

use crate::{
    cli::{MigrateAction, MigrateArguments},
    config::{Config, Environment, Purpose},
    schema,
};

/// Applies, undoes or lists the steps of the schema.
pub(crate) async fn run(environment: &Environment, arguments: &MigrateArguments) -> anyhow::Result<()> {
    let config = Config::load(environment, Purpose::Migrate)?;
    monitoring::logs::init(&config.logging.settings(true, stderr().is_terminal()))?;
    let database = &config.database;
    let lines = match arguments.action.unwrap_or(MigrateAction::Up) {
        MigrateAction::Up => {
            if database.url.is_postgres() && database.admin_url.is_none() {
                tracing::warn!(
                    "DATABASE_ADMIN_URL is not set: the application role will own the tables, and row-level security \
                     does not hold for an owner in the way it should"
                );
            }
            let applied = schema::up(database).await?;
            told("applied", &applied, "the schema is current")
        }
        MigrateAction::Down { steps } => {
            let undone = schema::down(database, steps).await?;
            told("undone", &undone, "there was nothing to undo")
        }
        MigrateAction::Status => {
            let steps = schema::status(database).await?;
            let state = |applied| if applied { "applied" } else { "missing" };
            steps.iter().map(|step| format!("{}  {}", state(step.applied), step.name)).collect()
        }
    };
    writeln!(stdout(), "{}", lines.join("\n")).context("printing")
}

fn told(what: &str, steps: &[String], nothing: &str) -> Vec<String> {
    if steps.is_empty() {
        vec![nothing.to_owned()]
    } else {
        steps.iter().map(|step| format!("{what}  {step}")).collect()
    }
}
