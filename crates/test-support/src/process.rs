//! A server process that cannot outlive its owner, and a folder that goes with it.
//!
//! Destructors do not run for statics or for a killed process. So a small shell (the leash) waits on a pipe whose
//! other end only the owner holds: when the owner is gone, for whatever reason, the pipe closes, and the leash ends
//! the server and removes the folder. An orderly end goes the same way, so there is one clean-up to trust.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};

use crate::Error;

/// How long a server may take to get ready; generous, since a loaded machine is no reason to fail.
pub(crate) const READY_WITHIN: Duration = Duration::from_mins(1);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Reads process ids, the last one counts (`0` for none), and cleans up at the end of its input: SIGINT, SIGKILL
/// after 10 s, then the folder. A server that a test stopped with SIGSTOP goes on, to its end. It runs in a process group of its own and ignores the terminal's signals.
///
/// An orphan that ended is a zombie, alive to `kill -0`, until process 1 looks after it; in containers that may be never.
const LEASH: &str = r#"
trap '' HUP INT TERM
server=0
while read -r line; do server=$line; done
runs() {
    kill -0 "$server" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/$server/status" 2>/dev/null
}
if [ "$server" != 0 ] && kill -INT "$server" 2>/dev/null; then
    kill -CONT "$server" 2>/dev/null
    looks=0
    while runs; do
        looks=$((looks + 1))
        if [ "$looks" -gt 500 ]; then kill -KILL "$server" 2>/dev/null; break; fi
        sleep 0.02
    done
fi
rm -rf -- "$1"
"#;

/// One server at a time, with a folder; both end when this is dropped or when the owning process ends.
#[derive(Debug)]
pub struct Process {
    folder: PathBuf,
    account: Option<User>,
    leash: Child,
    leash_input: Option<ChildStdin>,
    server: Option<Child>,
}

impl Process {
    /// Makes the folder and its leash. With an `account`, the folder is that account's and all programs run as it.
    pub fn new(account: Option<User>) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("stock-tracker-test-")
            .tempdir()
            .map_err(Error::io("making a temporary folder"))?;
        if let Some(account) = &account {
            std::os::unix::fs::chown(folder.path(), Some(account.uid.as_raw()), Some(account.gid.as_raw()))
                .map_err(Error::io("handing the temporary folder over"))?;
        }
        let mut leash = Command::new("/bin/sh")
            .args(["-c", LEASH, "leash"])
            .arg(folder.path())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::io("starting /bin/sh"))?;
        let leash_input = leash.stdin.take();
        // From here on the leash removes the folder.
        Ok(Self { folder: folder.keep(), account, leash, leash_input, server: None })
    }

    /// The folder of this server, gone when the server is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a program to its end; what it writes goes to `log`.
    pub(crate) fn run(&mut self, command: &mut Command, log: &Path) -> Result<ExitStatus, Error> {
        self.start(command, log)?;
        let ended = self.server.as_mut().map(Child::wait).transpose();
        self.tell_leash(0)?;
        self.server = None;
        ended
            .map_err(Error::io("waiting for a program"))?
            .ok_or_else(|| Error::io("waiting for a program")(io::ErrorKind::NotFound.into()))
    }

    /// Starts a program that stays; what it writes goes to `log`.
    pub fn start(&mut self, command: &mut Command, log: &Path) -> Result<(), Error> {
        let output = File::create(log).map_err(Error::io("making a log file"))?;
        let errors = output.try_clone().map_err(Error::io("making a log file"))?;
        command
            .current_dir(&self.folder)
            .env("LC_ALL", "C.UTF-8")
            // Out of reach of Ctrl-C and of a test runner that ends a whole group: the leash decides.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        if let Some(account) = &self.account {
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        let server = command.spawn().map_err(Error::io("starting a server"))?;
        let id = server.id();
        self.server = Some(server);
        self.tell_leash(id)
    }

    /// Waits until `ready` says so, and fails when the server ends or takes too long.
    pub fn wait_until(
        &mut self,
        program: &'static str,
        log: &Path,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if ready() {
                return Ok(());
            }
            let ended = self.server.as_mut().map(Child::try_wait).transpose();
            if ended.map_err(Error::io("looking after a server"))?.flatten().is_some() {
                self.server = None;
                self.tell_leash(0)?;
                return Err(Error::Ended { program, log: read_log(log) });
            }
            if Instant::now() > deadline {
                return Err(Error::NotReady { program, log: read_log(log) });
            }
            pause();
        }
    }

    /// The process id of the server; none when none runs.
    pub fn id(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Whether a server was started and not stopped since.
    pub(crate) fn is_running(&self) -> bool {
        self.server.is_some()
    }

    /// Ends the server and keeps the folder. Does nothing when none runs.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        self.end(Signal::SIGINT)
    }

    /// Ends the server at once, as a power cut would, and keeps the folder. Does nothing when none runs.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.end(Signal::SIGKILL)
    }

    fn end(&mut self, by: Signal) -> Result<(), Error> {
        self.signal(by)?;
        let Some(mut server) = self.server.take() else {
            return Ok(());
        };
        server.wait().map_err(Error::io("waiting for a server to stop"))?;
        self.tell_leash(0)
    }

    /// Sends the server a signal. Does nothing when none runs.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Error> {
        let Some(id) = self.id().and_then(|id| i32::try_from(id).ok()) else {
            return Ok(());
        };
        kill(Pid::from_raw(id), signal).map_err(|errno| Error::io("sending a server a signal")(errno.into()))
    }

    fn tell_leash(&mut self, server: u32) -> Result<(), Error> {
        let Some(input) = &mut self.leash_input else {
            return Ok(());
        };
        // One write, so that the shell never reads half a number.
        input.write_all(format!("{server}\n").as_bytes()).map_err(Error::io("speaking to the leash"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.leash_input = None;
        // A server that is our child stays a zombie, and so alive to the leash, until it is waited for.
        if let Some(server) = &mut self.server
            && let Err(error) = server.wait()
        {
            eprintln!("a test server was not waited for: {error}");
        }
        if let Err(error) = self.leash.wait() {
            eprintln!("a test server's leash was not waited for: {error}");
        }
    }
}

/// Everything a program wrote, or why that cannot be read.
pub(crate) fn read_log(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_else(|error| format!("(no log: {error})"))
}

/// A port of 127.0.0.1 that was free a moment ago; somebody may be faster, so be ready to ask again.
///
/// # Errors
///
/// If the system gives none.
pub fn free_port() -> Result<u16, Error> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::io("looking for a free port"))?;
    Ok(listener.local_addr().map_err(Error::io("looking for a free port"))?.port())
}

/// Looks for a program in the folders of `PATH`.
pub(crate) fn find_in_path(program: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// An environment variable, unless it is unset or empty.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration: the runner tells them by variables where the servers are"
)]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the pause between two looks at a condition with a deadline")]
pub(crate) fn pause() {
    std::thread::sleep(LOOK_EVERY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_that_disappears_takes_server_and_folder_with_it() {
        let mut process = Process::new(None).unwrap();
        let folder = process.folder().to_owned();
        let log = folder.join("log");
        process.start(Command::new("sleep").arg("1000"), &log).unwrap();
        let server = process.server.take().unwrap();
        // What the kernel does to a killed owner's end of the pipe; no destructor runs.
        drop(process.leash_input.take());
        std::mem::forget(process);

        let deadline = Instant::now() + READY_WITHIN;
        while folder.exists() {
            assert!(Instant::now() < deadline, "the folder is still there");
            pause();
        }
        let ended = server.wait_with_output().unwrap().status;
        assert!(!ended.success(), "it was ended by a signal");
    }

    #[test]
    fn a_program_that_ends_early_shows_what_it_wrote() {
        let mut process = Process::new(None).unwrap();
        let log = process.folder().join("log");
        process.start(Command::new("/bin/sh").args(["-c", "echo no room; exit 1"]), &log).unwrap();
        let failed = process.wait_until("sh", &log, || false).unwrap_err();
        assert!(failed.to_string().contains("no room"), "{failed}");
    }
}
