//! The product's processes: started in an environment of their own, looked at, ended. None outlives this one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::Value;
use test_support::process::Process as Leashed;

/// What the product's processes of one measurement share.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) binary: PathBuf,
    /// All of their environment.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Setting {
    /// A variable as it stands.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.variables.iter().rfind(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Replaces a variable, or adds it.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
    }
}

/// A process of the product. Asked to end when dropped, and waited for.
#[derive(Debug)]
pub(crate) struct Process {
    role: &'static str,
    leashed: Leashed,
    log: PathBuf,
}

impl Process {
    /// Starts a role.
    pub(crate) fn start(setting: &Setting, role: &'static str, arguments: &[&str]) -> Result<Self> {
        let mut leashed = Leashed::new(None)?;
        let log = leashed.folder().join("log");
        let mut command = Command::new(&setting.binary);
        command.arg(role).args(arguments).env_clear();
        command.envs(setting.variables.iter().map(|(name, value)| (name, value)));
        leashed.start(&mut command, &log)?;
        Ok(Self { role, leashed, log })
    }

    /// Waits for a line of the log.
    pub(crate) fn line<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> Result<T> {
        let mut found = None;
        let Self { role, leashed, log } = self;
        leashed.wait_until(role, log, || {
            found = read(log).lines().find_map(&wanted);
            found.is_some()
        })?;
        found.context("the line is gone")
    }

    /// Waits for the log entry with this message, and gives the address in it.
    pub(crate) fn address(&mut self, message: &str) -> Result<String> {
        self.line(|line| {
            let entry: Value = serde_json::from_str(line).ok()?;
            let address = entry["address"].as_str().filter(|_| entry["message"] == message)?;
            Some(format!("http://{address}"))
        })
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(mut self) -> Result<()> {
        Ok(self.leashed.kill()?)
    }

    /// The most memory that the process has held so far, in bytes; an error if it has ended.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let ended = || format!("the {} has ended (or this is not Linux): {}", self.role, read(&self.log));
        let id = self.leashed.id().with_context(ended)?;
        let status = fs::read_to_string(format!("/proc/{id}/status")).with_context(ended)?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        let kibibytes: u64 = peak.with_context(ended)?.trim().parse().context("reading VmHWM")?;
        Ok(kibibytes * 1024)
    }

    /// The processor time that the process has taken so far, all of its threads together; an error if it has ended.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let ended = || format!("the {} has ended (or this is not Linux): {}", self.role, read(&self.log));
        let id = self.leashed.id().with_context(ended)?;
        let status = fs::read_to_string(format!("/proc/{id}/stat")).with_context(ended)?;
        // After the program's name, which may hold anything, the third field comes first.
        let (_, fields) = status.rsplit_once(')').with_context(ended)?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks: u64 = ticks.sum::<Result<_, _>>().context("reading utime and stime")?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
    }
}

/// Of Linux, for everybody: what `sysconf(_SC_CLK_TCK)` gives.
const TICKS_A_SECOND: u64 = 100;

fn read(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
