//! A throw-away Redis with a replica, and three sentinels that watch over both.
//!
//! The sentinels call nobody dead by themselves, however busy the machine is: a test says when they shall look.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Error;
use crate::process::{Process, free_port};
use crate::redis::{RedisServer, ask, ask_until, find_program};

/// How many sentinels there are; two of them have to agree.
const SENTINELS: usize = 3;
/// Milliseconds without a sign of life until a sentinel calls a server dead: as good as never, and soon.
const PATIENT: u32 = 600_000;
const KEEN: u32 = 500;

/// A master, a replica and three sentinels. They end when this is dropped.
#[derive(Debug)]
pub struct RedisSentinel {
    /// The master that it began with, and the replica.
    servers: [RedisServer; 2],
    sentinels: Vec<Sentinel>,
}

impl RedisSentinel {
    /// What the sentinels call the master.
    pub const MASTER: &str = "throw-away";

    /// Starts all five on free ports of 127.0.0.1 and waits until the replica follows the master and all sentinels know
    /// each other. Blocks for a second or two.
    pub fn spawn() -> Result<Self, Error> {
        // Seconds would pass before a replica is served otherwise: the master waits for more of them to come.
        let master = RedisServer::spawn_with(&["--repl-diskless-sync-delay", "0"])?;
        let port = master.port().to_string();
        let replica = RedisServer::spawn_with(&["--replicaof", "127.0.0.1", &port])?;
        ask_until(replica.port(), "INFO replication", |info| info.contains("master_link_status:up"))?;
        let sentinels = std::iter::repeat_with(|| Sentinel::spawn(master.port()))
            .take(SENTINELS)
            .collect::<Result<Vec<_>, _>>()?;
        for sentinel in &sentinels {
            let info =
                format!("name={},status=ok,address=127.0.0.1:{port},slaves=1,sentinels=3", Self::MASTER);
            ask_until(sentinel.port, "INFO sentinel", |found| found.contains(&info))?;
        }
        Ok(Self { servers: [master, replica], sentinels })
    }

    /// `redis://127.0.0.1:port` of each sentinel.
    pub fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(|sentinel| format!("redis://127.0.0.1:{}", sentinel.port)).collect()
    }

    /// The server that was the master at first.
    pub fn first(&self) -> &RedisServer {
        &self.servers[0]
    }

    /// The server that was the replica at first, and is the master after a failover.
    pub fn second(&self) -> &RedisServer {
        &self.servers[1]
    }

    /// Ends the first master at once, as a power cut would. The sentinels do not look before [`Self::fail_over`].
    pub fn kill_first(&mut self) -> Result<(), Error> {
        self.servers[0].kill()
    }

    /// Lets the sentinels find out that the first master is gone, and waits until all of them call the second one
    /// master. Blocks for two seconds or so.
    pub fn fail_over(&self) -> Result<(), Error> {
        self.look_after(KEEN)?;
        let master = format!("address=127.0.0.1:{},", self.second().port());
        for sentinel in &self.sentinels {
            ask_until(sentinel.port, "INFO sentinel", |info| info.contains(&master))?;
        }
        self.look_after(PATIENT)
    }

    fn look_after(&self, millis: u32) -> Result<(), Error> {
        for sentinel in &self.sentinels {
            let set = format!("SENTINEL SET {} down-after-milliseconds {millis}", Self::MASTER);
            ask(sentinel.port, &set)?;
        }
        Ok(())
    }
}

/// One sentinel.
#[derive(Debug)]
struct Sentinel {
    port: u16,
    /// It ends with this.
    _process: Process,
}

impl Sentinel {
    fn spawn(master: u16) -> Result<Self, Error> {
        let program = find_program()?;
        let mut process = Process::new(None)?;
        let mut tries_left = 5;
        loop {
            let port = free_port()?;
            match Self::start(&program, &mut process, port, master) {
                Ok(()) => return Ok(Self { port, _process: process }),
                // Somebody took the port in between.
                Err(Error::Ended { log, .. }) if tries_left > 0 && log.contains("in use") => tries_left -= 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn start(program: &PathBuf, process: &mut Process, port: u16, master: u16) -> Result<(), Error> {
        let name = RedisSentinel::MASTER;
        // A sentinel writes into it what it finds out.
        let file = process.folder().join("sentinel.conf");
        let settings = format!(
            "port {port}\nbind 127.0.0.1\n\
             sentinel monitor {name} 127.0.0.1 {master} 2\n\
             sentinel down-after-milliseconds {name} {PATIENT}\n\
             sentinel failover-timeout {name} 3000\n"
        );
        fs::write(&file, settings).map_err(Error::io("writing the settings of a sentinel"))?;
        let log = process.folder().join("log");
        process.start(Command::new(program).arg(&file).arg("--sentinel"), &log)?;
        process.wait_until("redis-server --sentinel", &log, || ask(port, "PING").is_ok())?;
        // They tell each other of themselves every two seconds, look for replicas every ten, and hold still for 30
        // when the machine made them miss two: too long for a test.
        let hurry = "SENTINEL DEBUG publish-period 100 info-period 200 tilt-trigger 60000";
        ask(port, hurry).map(drop)
    }
}
