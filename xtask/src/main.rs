//! `cargo xtask …`: what a newcomer and CI both call, so that there is one way to check this project.
//!
//! It writes to standard error only, and nothing after a test runner's closing line.

mod alerts;
mod bench;
mod command;
mod dashboards;
mod e2e;
mod error_reports;
mod lint;
mod loopback;
mod monitoring;
mod packages;
mod product;
mod python;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks and tests of the whole workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run all tests, with a PostgreSQL, a Redis and a cluster of Redis of their own.
    ///
    /// Installs the two on Debian when root and missing. Arguments go to the test runner; with any, the doc tests
    /// stay out.
    Test {
        /// For `cargo nextest run`, or `cargo test` where nextest is not installed: `-p storage`, a test's name, …
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every check that needs no test: all of them even when one fails, then a summary.
    Lint(lint::Arguments),
    /// Measure the release binary: a large sync, lists of products, what error reports cost. Or decide about rate limits.
    Bench(bench::Arguments),
    /// Ask every query of dashboards and alerts of a system that really runs; each panel must have data.
    Dashboards(dashboards::Arguments),
    /// Make trouble for a system that really runs, and see its alerts arrive as messages. Takes seven minutes or so.
    Alerts,
    /// Make everything fail that is reported, with a Sentry-compatible server really running, and read the reports there.
    ErrorReports,
    /// Run the product against software that somebody else wrote, really running.
    E2e(e2e::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test { arguments } => test::run(&arguments),
        Task::Lint(arguments) => Ok(lint::run(&arguments)),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Dashboards(arguments) => dashboards::run(&arguments),
        Task::Alerts => alerts::run(),
        Task::ErrorReports => error_reports::run(),
        Task::E2e(arguments) => e2e::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
