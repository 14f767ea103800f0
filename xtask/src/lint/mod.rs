//! `cargo xtask lint`: every check that needs no test.

mod containers;
mod migrations;
mod openapi;
mod prometheus;
mod secrets;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::command::{command, run as run_command, variable, works};
use crate::packages;

/// The cargo-deny that is installed where none is.
const CARGO_DENY: &str = "0.20.2";

/// What `cargo xtask lint` may be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these steps; all of them when none is named.
    steps: Vec<Step>,
    /// Repair what a step can repair: formatting and the OpenAPI document. `BLESS=1` means the same.
    #[arg(long)]
    fix: bool,
}

/// One check. The order is that of a full run: quick ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Committed text holds no key, token or password.
    Secrets,
    /// `cargo fmt --check`.
    Fmt,
    /// Alerts: what Prometheus and Alertmanager read, and the rules' unit tests, by promtool and amtool.
    Prometheus,
    /// The Dockerfile, the compose file and the workflow, by hadolint, dclint, actionlint, zizmor and their schemas.
    Containers,
    /// Banned crates, licences and sources, by cargo-deny.
    Deny,
    /// All migrations up, down and up again, on SQLite and PostgreSQL.
    Migrations,
    /// `cargo clippy`, warnings are errors.
    Clippy,
    /// `cargo doc`, warnings are errors.
    Doc,
    /// `docs/openapi.json` is what the binary prints.
    Openapi,
}

/// Runs the chosen steps, all of them even when one fails, and sums up.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let fix = arguments.fix || variable("BLESS").is_some_and(|value| value == "1");
    let steps = if arguments.steps.is_empty() { Step::value_variants() } else { &arguments.steps };
    let mut failed = Vec::new();
    for step in steps {
        eprintln!("== {}", step.name());
        let begun = Instant::now();
        let done = step.run(fix);
        let seconds = begun.elapsed().as_secs_f32();
        match done {
            Ok(()) => eprintln!("   ok, {seconds:.1} s"),
            Err(error) => {
                eprintln!("   FAILED, {seconds:.1} s: {error:#}");
                failed.push(step.name());
            }
        }
    }
    if failed.is_empty() {
        eprintln!("lint: all {} steps passed", steps.len());
        ExitCode::SUCCESS
    } else {
        eprintln!("lint: {} of {} steps failed: {}", failed.len(), steps.len(), failed.join(", "));
        ExitCode::FAILURE
    }
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(|| format!("{self:?}"), |value| value.get_name().to_owned())
    }

    fn run(self, fix: bool) -> Result<()> {
        match self {
            Self::Secrets => secrets::check(),
            Self::Fmt if fix => run_command(&mut command("cargo", &["fmt", "--all"])),
            Self::Fmt => run_command(&mut command("cargo", &["fmt", "--all", "--check"])),
            Self::Prometheus => prometheus::check(),
            Self::Containers => containers::check(),
            Self::Deny => deny(),
            Self::Migrations => {
                packages::ensure_postgres()?;
                migrations::check()
            }
            Self::Clippy => run_command(&mut command(
                "cargo",
                &[
                    "clippy",
                    "--quiet",
                    "--workspace",
                    "--all-targets",
                    "--all-features",
                    "--",
                    "-D",
                    "warnings",
                ],
            )),
            Self::Doc => run_command(
                command("cargo", &["doc", "--quiet", "--no-deps", "--workspace", "--all-features"])
                    .env("RUSTDOCFLAGS", "-D warnings"),
            ),
            Self::Openapi => openapi::check(fix),
        }
    }
}

fn deny() -> Result<()> {
    if !works("cargo", &["deny", "--version"]) {
        eprintln!("installing cargo-deny {CARGO_DENY} into cargo's own folder, once; this takes minutes");
        // A debug build checks this workspace in three seconds and is built in a third of the time.
        run_command(&mut command(
            "cargo",
            &["install", "--quiet", "--locked", "--debug", "--version", CARGO_DENY, "cargo-deny"],
        ))
        .context("installing cargo-deny")?;
    }
    run_command(&mut command(
        "cargo",
        &["deny", "--all-features", "--log-level", "error", "check", "bans", "licenses", "sources"],
    ))
}
