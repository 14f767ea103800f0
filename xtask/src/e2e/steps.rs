//! Programs that run to their end, within what is left of the time for the whole run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Lines of a log that are shown with a failure.
const SHOWN_LINES: usize = 15;

/// The run as a whole: when it must have ended, and where its logs are.
pub(super) struct Steps {
    deadline: Instant,
    logs: PathBuf,
}

impl Steps {
    /// Empties the folder of logs.
    pub(super) fn new(within: Duration, logs: PathBuf) -> Result<Self> {
        if logs.exists() {
            std::fs::remove_dir_all(&logs).with_context(|| format!("emptying {}", logs.display()))?;
        }
        std::fs::create_dir_all(&logs).with_context(|| format!("making {}", logs.display()))?;
        Ok(Self { deadline: Instant::now() + within, logs })
    }

    /// Where the logs of this run are.
    pub(super) fn logs(&self) -> &Path {
        &self.logs
    }

    /// The log of one program.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    /// An error when the run has taken too long.
    pub(super) fn in_time(&self) -> Result<()> {
        ensure!(Instant::now() < self.deadline, "the run as a whole takes too long");
        Ok(())
    }

    /// Runs a program to its successful end and returns its standard output; what it says of errors goes to its log.
    pub(super) fn run(&self, name: &str, command: &mut Command) -> Result<Vec<u8>> {
        let output = self.output(name, command)?;
        ensure!(
            output.status.success(),
            "{name} ended with {}:\n{}",
            output.status,
            last_lines(&self.log(name))
        );
        Ok(output.stdout)
    }

    /// The same, however the program ends.
    pub(super) fn output(&self, name: &str, command: &mut Command) -> Result<Output> {
        let log = File::options().create(true).append(true).open(self.log(name)).context("opening a log")?;
        self.wait(command.stderr(log)).with_context(|| format!("{name}:\n{}", last_lines(&self.log(name))))
    }

    /// Runs a program to its successful end, what it says of errors in plain sight.
    pub(super) fn show(&self, command: &mut Command) -> Result<()> {
        let status = self.wait(command.stderr(Stdio::inherit()))?.status;
        ensure!(status.success(), "{} ended with {status}", command.get_program().display());
        Ok(())
    }

    fn wait(&self, command: &mut Command) -> Result<Output> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let child = child.with_context(|| format!("cannot run {}", command.get_program().display()))?;
        let id = Pid::from_raw(child.id().try_into().context("a process id is small")?);
        let (send, ended) = mpsc::channel();
        let waiting = thread::spawn(move || send.send(child.wait_with_output()));
        let output = ended.recv_timeout(self.deadline.saturating_duration_since(Instant::now()));
        if output.is_err() {
            kill(id, Signal::SIGKILL).context("ending what takes too long")?;
        }
        if waiting.join().is_err() {
            bail!("waiting for a program panicked");
        }
        output.context("it takes too long")?.context("waiting for it")
    }
}

/// The end of a log, to be shown with a failure.
fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_else(|error| format!("(no log: {error})"));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
