//! The configuration of Prometheus as it is committed, with the targets of this machine.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use regex::Regex;

use crate::command::root;

/// A job of Prometheus, and the address that it scrapes.
pub(crate) type Target = (&'static str, String);

/// The committed intervals and rules, its jobs with these addresses, and where alerts go. A job without an address is
/// left out, one that the file has not is an error.
pub(crate) fn write(targets: &[Target], alertmanager: Option<&str>) -> Result<String> {
    let file = root().join("prometheus.yml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let (head, jobs) = text.split_once("scrape_configs:").context("prometheus.yml has no scrape_configs")?;
    let global = head.split("\n\n").find(|part| part.contains("global:")).context("no global part")?;
    let known: Vec<_> =
        Regex::new(r"job_name: (\S+)")?.captures_iter(jobs).map(|found| found[1].to_owned()).collect();
    let rules = root().join("deploy/prometheus/rules/*.yml");
    let mut config = format!("{global}\nrule_files:\n  - {}\n", rules.display());
    if let Some(address) = alertmanager {
        writeln!(
            config,
            "alerting:\n  alertmanagers:\n    - static_configs:\n        - targets: [\"{address}\"]"
        )?;
    }
    config.push_str("scrape_configs:\n");
    for (job, target) in targets {
        ensure!(known.iter().any(|name| name == job), "prometheus.yml has no job {job}");
        writeln!(config, "  - job_name: {job}\n    static_configs:\n      - targets: [\"{target}\"]")?;
    }
    Ok(config)
}
