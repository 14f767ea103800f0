//! A server, what asks it, and what it says of itself.

use std::collections::HashMap;
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Client, cmd};
use deadpool_redis::{Config, Runtime};
use ratelimit::{Algorithm, Dim, Keys, Plan, Policy, RedisOptions, RedisStore, Subject};
use serde_json::Value;
use test_support::redis::RedisServer;

/// Long enough for a machine that is busy: who waits so long is an error, not a figure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Setting {
    pub(crate) server: RedisServer,
    /// For questions beside what is measured.
    pub(crate) aside: MultiplexedConnection,
}

impl Setting {
    /// Starts a server without persistence that frees what expires as the README advises.
    pub(crate) async fn new() -> Self {
        let server = RedisServer::spawn_with(&["--lazyfree-lazy-expire", "yes"]).unwrap();
        let aside = connect(&server).await;
        Self { server, aside }
    }

    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        connect(&self.server).await
    }

    pub(crate) fn store(&self, connections: usize, within: Duration) -> RedisStore {
        let pool = Config::from_url(self.server.url()).create_pool(Some(Runtime::Tokio1)).unwrap();
        RedisStore::new(pool, RedisOptions { within, connections, ..RedisOptions::default() }).unwrap()
    }

    /// Microseconds for which the main thread of the server has been busy.
    pub(crate) async fn busy(&self) -> f64 {
        let info = self.info("cpu").await;
        let seconds = |name: &str| info[name].parse::<f64>().unwrap();
        1e6 * (seconds("used_cpu_user_main_thread") + seconds("used_cpu_sys_main_thread"))
    }

    /// How many scripts were called, and how many microseconds they took together.
    pub(crate) async fn scripts(&self) -> (u64, u64) {
        let info = self.info("commandstats").await;
        let sum = |field: &str| {
            let calls = ["cmdstat_evalsha", "cmdstat_eval"].iter().filter_map(|name| info.get(*name));
            let fields = calls.flat_map(|line| line.split(','));
            fields.filter_map(|part| part.strip_prefix(field)?.parse::<u64>().ok()).sum()
        };
        (sum("calls="), sum("usec="))
    }

    pub(crate) async fn forget_statistics(&self) {
        cmd("CONFIG").arg("RESETSTAT").exec_async(&mut self.aside.clone()).await.unwrap();
    }

    pub(crate) async fn tell_server(&self) {
        let info = self.info("server").await;
        tell(&serde_json::json!({ "what": "server", "version": info["redis_version"] }));
    }

    async fn info(&self, section: &str) -> HashMap<String, String> {
        let text: String = cmd("INFO").arg(section).query_async(&mut self.aside.clone()).await.unwrap();
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

async fn connect(server: &RedisServer) -> MultiplexedConnection {
    let client = Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    connection.set_response_timeout(PATIENCE);
    connection
}

/// A policy by client.
pub(crate) fn policy(name: &str, algorithm: Algorithm, limit: u32, window: Duration) -> Policy {
    Policy::builder(name, limit, window).scope([Dim::User]).algorithm(algorithm).build().unwrap()
}

/// What a client's request asks of these policies.
pub(crate) fn plan(policies: &[Policy], client: usize, cost: u32) -> Plan {
    let keys = Keys::new([7; 16]);
    let client = client.to_string();
    let subject = Subject::new().with(Dim::User, &client);
    let mut plan = Plan::new();
    for policy in policies {
        plan.ask(policy, keys.key(policy, &subject).unwrap(), cost).unwrap();
    }
    plan
}

/// The value that as many are below as above, or the mean of two such.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

#[expect(clippy::print_stdout, reason = "this is what it is run for")]
pub(crate) fn tell(figures: &Value) {
    println!("{figures}");
}
