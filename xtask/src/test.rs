//! `cargo xtask test`: one PostgreSQL, one Redis and one cluster of Redis for all test processes, then the test runner.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use test_support::postgres::{self, PgServer};
use test_support::redis::{self, RedisServer};
use test_support::redis_cluster::{self, RedisCluster};

use crate::command::{command, works};
use crate::packages;

/// Runs the doc tests and then the tests, whose closing line is the last output. Returns the runner's exit code.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    packages::ensure_postgres()?;
    packages::ensure_redis()?;
    // They end with this function, and with this process if it is killed. The cluster mostly waits until its nodes
    // have found each other.
    let cluster = thread::spawn(RedisCluster::spawn);
    let postgres = PgServer::start().context("starting PostgreSQL")?;
    let redis = RedisServer::spawn().context("starting Redis")?;
    let Ok(cluster) = cluster.join() else { bail!("starting a Redis cluster panicked") };
    let cluster = cluster.context("starting a Redis cluster")?;
    let with_servers = |mut runner: Command| {
        runner
            .env(postgres::URL_VARIABLE, postgres.url())
            .env(redis::URL_VARIABLE, redis.url())
            .env(redis_cluster::URLS_VARIABLE, cluster.urls().join(","));
        run_to_end(&mut runner)
    };

    let chooses_packages =
        arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package"));
    let scope: &[&str] = if chooses_packages { &[] } else { &["--workspace"] };
    if arguments.is_empty() {
        let mut doc_tests = command("cargo", &["test", "--quiet", "--doc", "--all-features"]);
        doc_tests.args(scope);
        let ended = with_servers(doc_tests)?;
        if !ended.success() {
            eprintln!("error: the doc tests failed");
            return Ok(exit_code(ended));
        }
    } else {
        eprintln!("doc tests stay out: arguments for the test runner were given");
    }

    let mut tests = if works("cargo", &["nextest", "--version"]) {
        command("cargo", &["nextest", "run", "--all-features"])
    } else {
        eprintln!("cargo-nextest is not installed: taking cargo test");
        command("cargo", &["test", "--all-features", "--lib", "--bins", "--tests", "--examples"])
    };
    tests.args(scope).args(arguments);
    Ok(exit_code(with_servers(tests)?))
}

/// Waits for a test runner through Ctrl-C, so that the servers outlive the tests that use them.
fn run_to_end(runner: &mut Command) -> Result<ExitStatus> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("listening for signals")?;
    let mut child = runner.spawn().context("cannot run cargo")?;
    let id = Pid::from_raw(i32::try_from(child.id()).context("a process id is small")?);
    let handle = signals.handle();
    let forwarding = thread::spawn(move || {
        for signal in signals.forever() {
            // The terminal has sent Ctrl-C to the runner as well.
            if signal != SIGINT
                && let Err(error) = Signal::try_from(signal).and_then(|signal| kill(id, signal))
            {
                eprintln!("the test runner did not get signal {signal}: {error}");
            }
        }
    });
    let ended = child.wait().context("waiting for cargo");
    handle.close();
    if forwarding.join().is_err() {
        eprintln!("forwarding of signals panicked");
    }
    ended
}

/// As a shell would give it: 128 and the signal for a runner that was killed.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
