//! A throw-away Redis cluster of three masters.
//!
//! Three, because with one node a script may touch keys of any slot and nobody notices.

use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::process::{free_port, variable};
use crate::redis::{RedisServer, ask, ask_until};

/// Names the nodes of a running cluster, `redis://host:port` with commas between. Its keys are shared by all tests: use
/// a prefix of your own.
pub const URLS_VARIABLE: &str = "TEST_REDIS_CLUSTER_URLS";

/// Slots of a cluster, by master.
const SLOTS: [(u16, u16); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];
/// Three masters that share all slots, without replicas. They end when this is dropped.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

/// The URLs of the cluster that all tests share: those of [`URLS_VARIABLE`], or else of one started at the first call.
///
/// Keys of other tests live there too: never flush it. A test that breaks its cluster takes [`RedisCluster::spawn`].
pub fn shared_urls() -> Result<Vec<String>, Error> {
    static SHARED: Mutex<Option<&'static RedisCluster>> = Mutex::new(None);
    if let Some(urls) = variable(URLS_VARIABLE) {
        return Ok(urls.to_string_lossy().split(',').map(|url| url.trim().to_owned()).collect());
    }
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = match *shared {
        Some(cluster) => cluster,
        // Never dropped: the leash ends the nodes with the process.
        None => Box::leak(Box::new(RedisCluster::spawn()?)),
    };
    *shared = Some(cluster);
    Ok(cluster.urls())
}

impl RedisCluster {
    /// Starts the nodes on free ports of 127.0.0.1 and waits until each of them finds the cluster complete. Blocks
    /// for a second or two.
    pub fn spawn() -> Result<Self, Error> {
        let mut nodes = Vec::new();
        for _ in SLOTS {
            let bus = free_port()?.to_string();
            // Without replicas a node that is taken for lost takes its slots along: not because the machine is busy.
            let more =
                ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "30000"];
            nodes.push((RedisServer::spawn_with(&more)?, bus));
        }
        for ((node, _), (first, last)) in nodes.iter().zip(SLOTS) {
            ask(node.port(), &format!("CLUSTER ADDSLOTSRANGE {first} {last}"))?;
        }
        for (epoch, (node, _)) in nodes.iter().enumerate() {
            ask(node.port(), &format!("CLUSTER SET-CONFIG-EPOCH {}", epoch + 1))?;
        }
        // Each is told of each: hearing of a third from the second can take seconds.
        for (index, (node, _)) in nodes.iter().enumerate() {
            for (other, bus) in &nodes[index + 1..] {
                ask(node.port(), &format!("CLUSTER MEET 127.0.0.1 {} {bus}", other.port()))?;
            }
        }
        let nodes: Vec<_> = nodes.into_iter().map(|(node, _)| node).collect();
        for node in &nodes {
            ask_until(node.port(), "CLUSTER INFO", |info| {
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })?;
        }
        Ok(Self { nodes })
    }

    /// `redis://127.0.0.1:port` of each node.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// One of the nodes, to be ended and started again; it comes back empty, with the slots that it had.
    pub fn node(&mut self, index: usize) -> &mut RedisServer {
        &mut self.nodes[index]
    }
}
