//! System packages that a check cannot do without.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, bail, ensure};
use nix::unistd::Uid;
use test_support::postgres::Programs;
use test_support::redis;

use crate::command::{command, run, variable, works};

/// Installs Debian packages when root on Debian; anywhere else it says what to install, and fails.
fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !Uid::effective().is_root()
        || !Path::new("/etc/debian_version").exists()
        || !works("apt-get", &["--version"])
    {
        bail!("please install: {names} (the names of the Debian packages)");
    }
    eprintln!("installing: {names}");
    run(apt(&["update", "-q"]).stdout(Stdio::null()))?;
    let mut install = vec!["install", "-q", "-y", "--no-install-recommends"];
    install.extend(packages);
    run(apt(&install).stdout(Stdio::null()))
}

/// Makes sure that promtool can be run. Only the tool is wanted; where an init runs, Debian's package also starts its
/// daemon.
pub(crate) fn ensure_promtool() -> Result<()> {
    if works("promtool", &["--version"]) { Ok(()) } else { install(&["prometheus"]) }
}

/// Makes sure that Prometheus can be started.
pub(crate) fn ensure_prometheus() -> Result<()> {
    if works("prometheus", &["--version"]) { Ok(()) } else { install(&["prometheus"]) }
}

/// Makes sure that the exporters of machines, PostgreSQL and Redis can be started.
pub(crate) fn ensure_exporters() -> Result<()> {
    let exporters = ["prometheus-node-exporter", "prometheus-postgres-exporter", "prometheus-redis-exporter"];
    let missing: Vec<_> = exporters.into_iter().filter(|exporter| !works(exporter, &["--version"])).collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// Makes sure that amtool can be run.
pub(crate) fn ensure_amtool() -> Result<()> {
    if works("amtool", &["--version"]) { Ok(()) } else { install(&["prometheus-alertmanager"]) }
}

/// Makes sure that Alertmanager can be started.
pub(crate) fn ensure_alertmanager() -> Result<()> {
    let alertmanager = "prometheus-alertmanager";
    if works(alertmanager, &["--version"]) { Ok(()) } else { install(&[alertmanager]) }
}

/// Makes sure that Python can make environments of its own.
pub(crate) fn ensure_python() -> Result<()> {
    if works("python3", &["-c", "import ensurepip, venv"]) { Ok(()) } else { install(&["python3-venv"]) }
}

/// Makes sure that PostgreSQL can be started.
pub(crate) fn ensure_postgres() -> Result<()> {
    let Err(error) = Programs::find() else {
        return Ok(());
    };
    // Who names a folder does not want another one.
    ensure!(variable("PG_BIN").is_none(), "{error}");
    eprintln!("{error}");
    install(&["postgresql"])
}

/// Makes sure that Redis can be started.
pub(crate) fn ensure_redis() -> Result<()> {
    let Err(error) = redis::find_program() else {
        return Ok(());
    };
    eprintln!("{error}");
    install(&["redis-server"])
}

fn apt(arguments: &[&str]) -> std::process::Command {
    let mut apt = command("apt-get", arguments);
    apt.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    apt
}
