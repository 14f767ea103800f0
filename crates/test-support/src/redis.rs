//! A throw-away Redis server without persistence.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::Error;
use crate::process::{Process, READY_WITHIN, find_in_path, free_port, pause, variable};

/// Names a running server, `redis://host:port`. Its keys are shared by all tests: use a prefix of your own.
pub const URL_VARIABLE: &str = "TEST_REDIS_URL";

/// A Redis server for one owner, who may stop it and start it again. It ends when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    program: PathBuf,
    port: u16,
    more: Vec<String>,
    process: Process,
}

/// The URL of the server that all tests share: that of [`URL_VARIABLE`], or else one started at the first call.
///
/// Keys of other tests live there too: never flush it. A test that stops its server takes [`RedisServer::spawn`].
pub fn shared_url() -> Result<String, Error> {
    static SHARED: Mutex<Option<&'static RedisServer>> = Mutex::new(None);
    if let Some(url) = variable(URL_VARIABLE) {
        return Ok(url.to_string_lossy().into_owned());
    }
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let server = match *shared {
        Some(server) => server,
        // Never dropped: the leash ends the server with the process.
        None => Box::leak(Box::new(RedisServer::spawn()?)),
    };
    *shared = Some(server);
    Ok(server.url())
}

/// Where `redis-server` is.
pub fn find_program() -> Result<PathBuf, Error> {
    find_in_path("redis-server").ok_or(Error::Missing { program: "redis-server", looked_in: "PATH" })
}

impl RedisServer {
    /// Starts a server on a free port of 127.0.0.1 and waits until it answers. Blocks for some milliseconds.
    pub fn spawn() -> Result<Self, Error> {
        Self::spawn_with(&[])
    }

    /// The same with further arguments of `redis-server`.
    pub fn spawn_with(more: &[&str]) -> Result<Self, Error> {
        let mut server = Self {
            program: find_program()?,
            port: free_port()?,
            more: more.iter().map(|&argument| argument.to_owned()).collect(),
            process: Process::new(None)?,
        };
        let mut tries_left = 5;
        loop {
            match server.start() {
                Ok(()) => return Ok(server),
                // Somebody took the port in between.
                Err(Error::Ended { log, .. }) if tries_left > 0 && log.contains("in use") => {
                    tries_left -= 1;
                    server.port = free_port()?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// `redis://127.0.0.1:port`, the same before and after a stop.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts the server again on its old port, empty unless it was told to `SAVE`. Does nothing while it runs.
    pub fn start(&mut self) -> Result<(), Error> {
        if self.process.is_running() {
            return Ok(());
        }
        let log = self.process.folder().join("log");
        let mut redis = Command::new(&self.program);
        redis.args([
            "--port",
            &self.port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        redis.arg("--dir").arg(self.process.folder()).args(&self.more);
        self.process.start(&mut redis, &log)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        self.process.wait_until("redis-server", &log, || answers(address))
    }

    /// Stops the server; its keys are gone, its port stays reserved for nobody.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.process.stop()
    }

    /// Ends the server at once, as a power cut would.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.process.kill()
    }

    /// Lets the server hold still: whoever talks to it waits.
    pub fn pause(&self) -> Result<(), Error> {
        self.process.signal(Signal::SIGSTOP)
    }

    /// Lets a server go on that was told to hold still.
    pub fn resume(&self) -> Result<(), Error> {
        self.process.signal(Signal::SIGCONT)
    }
}

/// Sends one inline command to a Redis on 127.0.0.1 and returns its answer: a line, or all lines of a bulk. One that
/// begins with `-` is an error.
pub(crate) fn ask(port: u16, command: &str) -> Result<String, Error> {
    let exchange = || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut stream = BufReader::new(stream);
        let mut answer = String::new();
        stream.read_line(&mut answer)?;
        if let Some(length) = answer.strip_prefix('$').and_then(|length| length.trim_end().parse().ok()) {
            let mut bulk = vec![0; length];
            stream.read_exact(&mut bulk)?;
            answer = String::from_utf8_lossy(&bulk).into_owned();
        }
        std::io::Result::Ok(answer)
    };
    let answer = exchange().map_err(Error::io("speaking to Redis"))?;
    if answer.starts_with('-') {
        return Err(Error::Redis { command: command.to_owned(), answer });
    }
    Ok(answer)
}

/// Asks until the answer is as it should be; an error when that takes too long.
pub(crate) fn ask_until(port: u16, command: &str, ready: impl Fn(&str) -> bool) -> Result<String, Error> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let answer = ask(port, command)?;
        if ready(&answer) {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(Error::Redis { command: command.to_owned(), answer });
        }
        pause();
    }
}

/// Whether a Redis at `address` answers a PING.
fn answers(address: SocketAddr) -> bool {
    let ping = || {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        std::io::Result::Ok(&answer == b"+PONG\r\n")
    };
    ping().unwrap_or(false)
}
