//! `stock-tracker config`: every variable as it takes effect, secrets never shown.

use std::{
    fmt::Write as _,
    io::{Write as _, stdout},
};

use anyhow::Context as _;

use crate::{
    cli::ConfigArguments,
    config::{Config, Effective, Environment},
};

/// Prints the table, then fails if the configuration has problems.
pub(crate) fn run(environment: &Environment, arguments: &ConfigArguments) -> anyhow::Result<()> {
    let reading = Config::read(environment, arguments.role.into());
    stdout().write_all(table(&reading.effective).as_bytes()).context("printing")?;
    reading.config?;
    Ok(())
}

fn table(effective: &[Effective]) -> String {
    let width = |of: fn(&Effective) -> usize| effective.iter().map(of).max().unwrap_or_default();
    let names = width(|row| row.variable.len());
    let values = width(|row| row.value.chars().count());
    let mut text = String::new();
    for Effective { variable, value, source, about } in effective {
        writeln!(text, "{variable:names$}  {value:values$}  {:11}  {about}", source.name())
            .expect("writing to a string cannot fail");
    }
    text
}
