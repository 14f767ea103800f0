//! Starting the binary in a folder and an environment of its own, and never leaving it behind.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

/// Generous: a loaded machine is no reason to fail.
pub(crate) const PATIENCE: Duration = Duration::from_secs(100);

/// A folder to run the binary in; nothing of the test's own environment reaches it.
pub(crate) struct Place {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stock-tracker"));
        command.args(arguments).env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended(self.command(arguments).output().unwrap())
    }

    /// Starts the binary and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let errors = std::fs::File::create(self.path("stderr")).unwrap();
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Running { child, lines, errors: self.path("stderr") }
    }
}

/// A process that has ended.
pub(crate) struct Ended(Output);

impl Ended {
    pub(crate) fn succeeded(&self) -> bool {
        self.0.status.success()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}

/// A process that runs; killed when dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    errors: PathBuf,
}

impl Running {
    /// Waits for a line of its output.
    pub(crate) fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if wanted(&line) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("the line does not come; {}", self.errors()),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it has ended before the line; {}", self.errors())
                }
            }
        }
    }

    /// The address in the log line with this message.
    pub(crate) fn address(&self, message: &str) -> String {
        let line = self
            .line(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line["message"] == message));
        let line: Value = serde_json::from_str(&line).unwrap();
        format!("http://{}", line["address"].as_str().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end; {}", self.errors());
            // Reading ends with the process: a wait without a sleep.
            let _line = self.lines.recv_timeout(Duration::from_millis(20));
        }
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when it has ended already.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A client of the API, blocking as the tests are.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    pub(crate) base_url: String,
    pub(crate) token: Option<String>,
}

impl Client {
    pub(crate) fn new(base_url: impl Into<String>) -> Self {
        // Another test of this process may have been first.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Between two calls nobody runs this runtime, so nobody would see a kept connection close.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Self { runtime, http, base_url: base_url.into(), token: None }
    }

    /// Status and body of an answer; none where nobody answers.
    pub(crate) fn try_get(&self, path: &str) -> Option<(u16, String)> {
        let mut request = self.http.get(format!("{}{path}", self.base_url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        self.runtime.block_on(async {
            let answer = request.send().await.ok()?;
            Some((answer.status().as_u16(), answer.text().await.ok()?))
        })
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let mut request = self.http.post(format!("{}{path}", self.base_url)).json(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let body = answer.text().await.unwrap();
            assert!(status.is_success(), "{path}: {status} {body}");
            serde_json::from_str(&body).unwrap_or(Value::Null)
        })
    }

    #[cfg(feature = "demo")]
    pub(crate) fn delete(&self, path: &str) {
        let request = self.http.delete(format!("{}{path}", self.base_url));
        let answer = self.runtime.block_on(request.send()).unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// Every item of a list.
    #[cfg(feature = "demo")]
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut next) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}{next}"));
            items.append(page["items"].as_array_mut().unwrap());
            let Some(cursor) = page["page"]["next_cursor"].as_str() else { return items };
            next = format!("&cursor={cursor}");
        }
    }

    /// Waits until the service says that it can serve.
    pub(crate) fn until_ready(&self) {
        self.until("readiness", |client| {
            client.try_get("/api/v1/health/ready").filter(|(status, _)| *status == 200)
        });
    }

    /// Looks again and again until `found` says so.
    pub(crate) fn until<T>(&self, what: &str, mut found: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "{what} does not come");
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
        }
    }
}

/// The permissions of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Runs something asynchronous to its end.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
