//! A cluster: its nodes, and how a request follows a slot that moves.
//!
//! The client sends nothing twice by itself: it would do so also when a connection ended after a script ran. What a node
//! answers that did nothing because it has not got the slot is safe to send again, and that is done here.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_redis::cluster::{ClusterClient, ClusterClientBuilder, ClusterConnection};
use deadpool_redis::redis::aio::{ConnectionLike, MultiplexedConnection};
use deadpool_redis::redis::cluster::ClusterConfig;
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, FromRedisValue,
    IntoConnectionInfo, Pipeline, RedisError, RedisResult, ServerErrorKind, from_redis_value,
};

use super::failure::to_store_error;
use crate::{StoreError, StoreErrorKind};

/// How often a request is sent after slots that moved.
const TRIES: usize = 3;

/// How long one node may take to be connected to at least.
const SHORTEST_OPENING: Duration = Duration::from_millis(250);

/// Nodes of a cluster to find the others from.
#[derive(Clone)]
pub struct Cluster(Arc<Nodes>);

struct Nodes {
    client: ClusterClient,
    /// One of the nodes: all have the same login.
    node: ConnectionInfo,
}

impl Cluster {
    /// A cluster that some of these nodes belong to, such as `redis://host:port`. Nothing is opened yet; an error when
    /// one of them is no address, when there is none, or when their logins differ.
    pub fn new(nodes: impl IntoIterator<Item: IntoConnectionInfo>) -> Result<Self, StoreError> {
        let nodes = nodes.into_iter().map(IntoConnectionInfo::into_connection_info);
        let nodes: Vec<_> = nodes.collect::<RedisResult<_>>().map_err(|error| to_store_error(&error))?;
        let client = ClusterClientBuilder::new(nodes.clone()).retries(0).build();
        let client = client.map_err(|error| to_store_error(&error))?;
        let none = || StoreError::new(StoreErrorKind::Refused, "a cluster without nodes");
        Ok(Self(Arc::new(Nodes { client, node: nodes.into_iter().next().ok_or_else(none)? })))
    }

    /// Connects to all nodes that answer. A request may wait for its answer at least `within`.
    pub(super) async fn open(&self, within: Duration) -> Result<ClusterLink, StoreError> {
        // The client holds everything up while it finds out which node has which slot. Also a silent node must not make
        // that long.
        let answer = 2 * within;
        let opening = answer.max(SHORTEST_OPENING);
        let config = ClusterConfig::new().set_connection_timeout(opening).set_response_timeout(answer);
        let connection = self.0.client.get_async_connection_with_config(config).await;
        Ok(ClusterLink {
            connection: connection.map_err(|error| to_store_error(&error))?,
            node: self.0.node.clone(),
            config: AsyncConnectionConfig::new()
                .set_connection_timeout(Some(opening))
                .set_response_timeout(Some(answer)),
            asked: Arc::default(),
        })
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cluster(..)")
    }
}

/// Connections to all nodes of a cluster; clones send over the same ones.
#[derive(Clone)]
pub(super) struct ClusterLink {
    connection: ClusterConnection,
    node: ConnectionInfo,
    config: AsyncConnectionConfig,
    /// To nodes that take slots over, by address. The client knows no way to ask them.
    asked: Arc<Mutex<HashMap<String, MultiplexedConnection>>>,
}

impl ClusterLink {
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let mut connection = self.connection.clone();
        let mut tries_left = TRIES;
        loop {
            tries_left -= 1;
            match command.query_async(&mut connection).await {
                // The client learns where the slots are before it sends what comes next.
                Err(error) if is(&error, ServerErrorKind::Moved) && tries_left > 0 => {}
                Err(error) if is(&error, ServerErrorKind::Ask) => return self.follow(error, command).await,
                answer => return answer,
            }
        }
    }

    /// Asks the node that takes a slot over for a key that has left the old one, or was never there.
    async fn follow<T: FromRedisValue>(&self, error: RedisError, command: &Cmd) -> RedisResult<T> {
        let Some((address, _)) = error.redirect_node() else { return Err(error) };
        let known = self.asked().get(address).cloned();
        let mut connection = if let Some(connection) = known {
            connection
        } else {
            let Some(node) = at(&self.node, address) else { return Err(error) };
            let client = Client::open(node)?;
            let opened = client.get_multiplexed_async_connection_with_config(&self.config).await?;
            self.asked().insert(address.to_owned(), opened.clone());
            opened
        };
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.cmd("ASKING").add_command(command.clone());
        let answers = connection.req_packed_commands(&pipeline, 1, 1).await.inspect_err(|_| {
            self.asked().remove(address);
        })?;
        let answer = answers.into_iter().next().ok_or(error)?;
        Ok(from_redis_value(answer.extract_error()?)?)
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<String, MultiplexedConnection>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is(error: &RedisError, kind: ServerErrorKind) -> bool {
    error.kind() == ErrorKind::Server(kind)
}

/// The way to a node like another one.
fn at(other: &ConnectionInfo, address: &str) -> Option<ConnectionInfo> {
    let (host, port) = address.rsplit_once(':')?;
    if host.is_empty() {
        return None;
    }
    let host = host.to_owned();
    let port = port.parse().ok()?;
    let address = match other.addr() {
        ConnectionAddr::Tcp(..) => ConnectionAddr::Tcp(host, port),
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
        }
        _ => return None,
    };
    Some(other.clone().set_addr(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_needs_nodes_that_can_be_reached_by_one_login() {
        let wrong: [&[&str]; 3] =
            [&[], &["nowhere"], &["redis://:one@127.0.0.1", "redis://:other@127.0.0.1"]];
        for nodes in wrong {
            let error = Cluster::new(nodes.iter().copied()).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Refused, "{error}");
        }
        Cluster::new(["redis://127.0.0.1:7000", "redis://127.0.0.1:7001"]).unwrap();
    }

    #[test]
    fn a_node_that_takes_a_slot_over_is_reached_like_the_others() {
        let node = "redis://limits:secret@127.0.0.1:7000".into_connection_info().unwrap();
        let other = at(&node, "fd00::1:7001").unwrap();
        assert!(matches!(other.addr(), ConnectionAddr::Tcp(host, 7001) if host == "fd00::1"));
        assert_eq!(other.redis_settings().password(), Some("secret"));
        for address in ["", "host", ":7001", "host:", "host:70000"] {
            assert!(at(&node, address).is_none(), "{address}");
        }
    }
}
