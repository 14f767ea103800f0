//! A throw-away Redis server without persistence.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Error;
use crate::process::{Process, find_in_path, free_port, variable};

/// Names a running server, `redis://host:port`. Its keys are shared by all tests: use a prefix of your own.
pub const URL_VARIABLE: &str = "TEST_REDIS_URL";

/// A Redis server for one owner, who may stop it and start it again. It ends when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    program: PathBuf,
    port: u16,
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
        let mut server = Self { program: find_program()?, port: free_port()?, process: Process::new(None)? };
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

    /// Starts the server again on its old port, empty. Does nothing while it runs.
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
        redis.arg("--dir").arg(self.process.folder());
        self.process.start(&mut redis, &log)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        self.process.wait_until("redis-server", &log, || answers(address))
    }

    /// Stops the server; its keys are gone, its port stays reserved for nobody.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.process.stop()
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
