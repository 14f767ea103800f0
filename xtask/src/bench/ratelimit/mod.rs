//! Rate limits: runs the benches of their crate, holds what they measured against its bars, and writes it into the
//! crate's README.

mod bars;
mod figures;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;

use self::{
    bars::{Bar, bars, loads},
    figures::Figures,
};
use super::table;
use crate::command::{command, output, root, run as run_command};

/// How it is measured and where it goes.
#[derive(Args)]
pub(super) struct Arguments {
    /// Write the tables into the README of the crate.
    #[arg(long)]
    write: bool,
    /// Take what an earlier run measured instead of measuring.
    #[arg(long)]
    again: bool,
}

const README: &str = "crates/ratelimit/README.md";
const BEGIN: &str = "<!-- measured: cargo xtask bench ratelimit -->\n";
const END: &str = "<!-- /measured -->";

/// What needs other servers, or is no matter of time.
const LEFT_OUT: &str = "Left out, since they need other servers: decisions a second beside limitador's three limits \
(≥ 0.8 ×), and pipelined beside throttlecrab-server (≥ 4 ×). That nothing is admitted above a limit, nor twice when \
scripts are flushed, nor lost between slots of a cluster, is for tests to show.";

/// Measures, prints, and writes if asked to. Fails where something measured is outside its bar.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let places = Places::new()?;
    if !arguments.again {
        measure(&places)?;
    }
    let figures = Figures::read(&places.redis, &places.criterion)?;
    let bars = bars(&figures)?;
    let missed = bars.iter().filter(|bar| !bar.holds()).count();
    let bars = std::iter::once(Bar::titles()).chain(bars.iter().map(Bar::cells)).collect::<Vec<_>>();
    let loads = loads(&figures)?;
    let machine = machine(&figures)?;
    table::print(&bars);
    table::print(&loads);
    eprintln!("{LEFT_OUT}\n{machine}");
    if arguments.write {
        let measured = format!("{}\n{}\n{LEFT_OUT}\n\n{machine}\n", markdown(&bars), markdown(&loads));
        write(&root().join(README), &measured)?;
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where figures are.
struct Places {
    redis: PathBuf,
    criterion: PathBuf,
}

impl Places {
    fn new() -> Result<Self> {
        let this = std::env::current_exe().context("finding this program")?;
        let target = this.ancestors().nth(2).context("this program lies in no target folder")?;
        Ok(Self { redis: target.join("ratelimit-redis.jsonl"), criterion: target.join("criterion") })
    }
}

fn measure(places: &Places) -> Result<()> {
    const BENCH: [&str; 5] = ["bench", "--package", "ratelimit", "--all-features", "--bench"];
    let bench = |name| command("cargo", &[&BENCH, &[name] as &[_]].concat());
    run_command(bench("local").env("CRITERION_HOME", &places.criterion))?;
    eprintln!("measuring on Redis, some three minutes");
    let lines = output(&mut bench("redis"))?;
    fs::write(&places.redis, lines).with_context(|| format!("writing {}", places.redis.display()))
}

/// On what it was measured.
fn machine(figures: &Figures) -> Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo").context("reading /proc/cpuinfo (is this Linux?)")?;
    let named =
        |line: &str| Some(line.strip_prefix("model name")?.trim_start_matches([' ', '\t', ':']).to_owned());
    let model = processors.lines().find_map(named).unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().context("counting cores")?;
    let server = figures.of("server", &[])?;
    let version = server["version"].as_str().context("the version of Redis")?;
    Ok(format!(
        "On {model}, {cores} cores for the server and its clients together, Redis {version} without persistence, loopback."
    ))
}

fn markdown(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (place, cells) in rows.iter().enumerate() {
        text.extend(["| ", &cells.join(" | "), " |\n"]);
        if place == 0 {
            text.extend(["|---|", &"---:|".repeat(cells.len().saturating_sub(1)), "\n"]);
        }
    }
    text
}

/// Puts text between the two markers of a file.
fn write(file: &Path, text: &str) -> Result<()> {
    let name = || file.display().to_string();
    let old = fs::read_to_string(file).with_context(name)?;
    let new = between(&old, text).with_context(|| format!("{} lacks the markers", name()))?;
    fs::write(file, new).with_context(name)
}

fn between(old: &str, text: &str) -> Option<String> {
    let (head, rest) = old.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}{text}{END}{tail}"))
}

/// A figure of a line.
fn number(line: &Value, name: &str) -> Result<f64> {
    line[name].as_f64().with_context(|| format!("no {name} in {line}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, between, markdown};

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let file = |inside: &str| format!("before\n{BEGIN}{inside}{END}\nafter\n");
        assert_eq!(between(&file("old\n"), "new\n"), Some(file("new\n")));
        assert_eq!(between("no markers", "new\n"), None);
    }

    #[test]
    fn a_table_has_its_titles_first() {
        let rows = [vec!["a".to_owned(), "b".to_owned()], vec!["1".to_owned(), "2".to_owned()]];
        assert_eq!(markdown(&rows), "| a | b |\n|---|---:|\n| 1 | 2 |\n");
    }
}
