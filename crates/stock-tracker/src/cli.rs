//! The command line.

#[cfg(feature = "demo")]
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Purpose;

/// Stock on marketplaces: one truthful picture per SKU and warehouse.
#[derive(Debug, Parser)]
#[command(name = "stock-tracker", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do. Everything else comes from the environment: see `stock-tracker config`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP API.
    Api,
    /// Run background jobs and the schedule.
    Worker,
    /// Every role in one process.
    All,
    /// Show the main job on this machine: a sandbox marketplace, an account, a sync, the stock picture.
    #[cfg(feature = "demo")]
    Demo(DemoArguments),
    /// Serve the sandbox marketplace alone.
    #[cfg(feature = "demo")]
    Sandbox(SandboxArguments),
    /// Change the schema of the database, or tell how far it is.
    Migrate(MigrateArguments),
    /// Ask a process whether it can serve; fails unless it can.
    Health(HealthArguments),
    /// Look at everything this deployment needs, and say what is wrong and how to mend it. Changes nothing.
    Doctor(DoctorArguments),
    /// Print every variable as it takes effect.
    Config(ConfigArguments),
    /// Print the OpenAPI document.
    Openapi,
}

/// How the demo runs.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Port of the API; 0 takes any free one [default: PORT, or 8000].
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Folder for the database and `demo.json` [default: `DATA_DIR`, or data].
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Stop after the picture has been shown.
    #[arg(long)]
    pub(crate) once: bool,
}

/// What the sandbox marketplace is like.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct SandboxArguments {
    /// Port on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 8090)]
    pub(crate) port: u16,
    /// Everything generated follows from this number.
    #[arg(long, default_value_t = 2026)]
    pub(crate) seed: u64,
    /// Number of sellers.
    #[arg(long, default_value_t = 3)]
    pub(crate) sellers: usize,
    /// Product cards of each seller.
    #[arg(long, default_value_t = 130)]
    pub(crate) cards: u32,
    /// Days of orders that exist at the start.
    #[arg(long, default_value_t = 90)]
    pub(crate) history_days: u32,
    /// How many times faster than in real life orders arrive.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) speed: f64,
}

/// What to do with the schema.
#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
    #[command(subcommand)]
    pub(crate) action: Option<MigrateAction>,
}

/// What to do with the schema; `up` when not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum MigrateAction {
    /// Apply what is missing, and on PostgreSQL grant the application role its rights.
    Up,
    /// Undo the last steps, with the data in them.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// List the steps, changing nothing.
    Status,
}

/// Whom to ask.
#[derive(Debug, Args)]
pub(crate) struct HealthArguments {
    /// What must answer 200 [default: readiness, on `METRICS_ADDR` or on `HOST` and `PORT`].
    pub(crate) url: Option<String>,
}

/// Whose deployment is looked at.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The role whose configuration is read.
    #[arg(long, value_enum, default_value_t = ShownRole::All)]
    pub(crate) role: ShownRole,
}

/// For which role the configuration is shown.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// Defaults and demands differ a little between roles.
    #[arg(long, value_enum, default_value_t = ShownRole::All)]
    pub(crate) role: ShownRole,
}

/// A role whose configuration can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShownRole {
    /// `stock-tracker api`
    Api,
    /// `stock-tracker worker`
    Worker,
    /// `stock-tracker all`
    All,
    /// `stock-tracker migrate`
    Migrate,
}

impl From<ShownRole> for Purpose {
    fn from(role: ShownRole) -> Self {
        match role {
            ShownRole::Api => Self::Api,
            ShownRole::Worker => Self::Worker,
            ShownRole::All => Self::All,
            ShownRole::Migrate => Self::Migrate,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn migrating_means_up() {
        let Command::Migrate(arguments) = Cli::parse_from(["stock-tracker", "migrate"]).command else {
            panic!("another command");
        };
        assert_eq!(arguments.action, None);
        let down = Cli::parse_from(["stock-tracker", "migrate", "down", "--steps", "2"]).command;
        assert!(matches!(
            down,
            Command::Migrate(MigrateArguments { action: Some(MigrateAction::Down { steps: 2 }) })
        ));
    }
}
