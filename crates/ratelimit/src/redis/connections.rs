//! Where connections come from: pools of deadpool for one server or for Sentinel, and the nodes of a cluster.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Cmd, FromRedisValue, RedisResult, cmd};
use deadpool_redis::{PoolError, sentinel};

use super::cluster::{Cluster, ClusterLink};
use super::failure::to_store_error;
use crate::{StoreError, StoreErrorKind};

/// What connections are taken from. The store keeps what it takes and sends many requests over each at once,
/// so that a request costs one round trip and no check of the connection before it.
#[derive(Clone)]
pub enum Connections {
    /// One server.
    Single(deadpool_redis::Pool),
    /// One server at a time, the one that Sentinel calls the master.
    Sentinel(sentinel::Pool),
    /// A cluster. Policies whose scopes begin with different dimensions may live on different nodes, and cost a round
    /// trip for each such group; they are still admitted by all or counted by none.
    Cluster(Cluster),
}

impl Connections {
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// How long opening may take. Lost packets are sent again ever more seldom; another try from the beginning is sooner
    /// there. To several round trips, with a handshake among them, a cluster adds the wait for nodes that say nothing.
    pub(super) fn patience(&self, within: Duration) -> Duration {
        let least = if self.is_cluster() { Duration::from_secs(1) } else { Duration::from_millis(250) };
        (10 * within).max(least)
    }

    /// Opens a connection on which a request may wait for its answer at least `within`.
    pub(super) async fn open(&self, within: Duration) -> Result<Link, StoreError> {
        // Taken for good: the pool would ask the server before it handed a connection out again.
        let taken = match self {
            Self::Single(pool) => pool.get().await.map(deadpool_redis::Connection::take),
            Self::Sentinel(pool) => pool.get().await.map(sentinel::Connection::take),
            Self::Cluster(cluster) => {
                return Ok(Link::new(Way::Cluster(Box::new(cluster.open(within).await?))));
            }
        };
        let mut connection = taken.map_err(|error| unconnected(&error))?;
        // The client has a time limit of its own, half a second unless told otherwise: it must not come first.
        connection.set_response_timeout(2 * within);
        // A server that waits for a password ends the connection at a call of a script, without saying why: such a
        // client may send few words only. To one word it answers. Whatever else is wrong, the requests will meet.
        if let Err(error) = cmd("PING").exec_async(&mut connection).await
            && error.code() == Some("NOAUTH")
        {
            return Err(to_store_error(&error));
        }
        Ok(Link::new(Way::Single(connection)))
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Single(_) => "Single(..)",
            Self::Sentinel(_) => "Sentinel(..)",
            Self::Cluster(_) => "Cluster(..)",
        })
    }
}

impl From<deadpool_redis::Pool> for Connections {
    fn from(pool: deadpool_redis::Pool) -> Self {
        Self::Single(pool)
    }
}

fn unconnected(error: &PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => to_store_error(error),
        PoolError::Timeout(_) => StoreError::new(StoreErrorKind::Timeout, error.to_string()),
        other => StoreError::new(StoreErrorKind::Unreachable, other.to_string()),
    }
}

/// After so many requests in a row without an answer a connection says nothing any more: the packets of an old one may
/// be lost for long after the network works again.
const UNANSWERED: u32 = 2;

/// Of a cluster, requests are told apart by their slots: those of one node may stay without answers while all others
/// get theirs.
const PLACES: usize = 256;

/// An open connection.
pub(super) struct Link {
    way: Way,
    /// How many requests had no answer since the last one that had, by place.
    unanswered: Box<[AtomicU32]>,
}

pub(super) enum Way {
    Single(MultiplexedConnection),
    Cluster(Box<ClusterLink>),
}

impl Link {
    fn new(way: Way) -> Self {
        let places = if matches!(way, Way::Cluster(_)) { PLACES } else { 1 };
        Self { way, unanswered: std::iter::repeat_with(AtomicU32::default).take(places).collect() }
    }

    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        match &self.way {
            Way::Single(connection) => command.query_async(&mut connection.clone()).await,
            Way::Cluster(cluster) => cluster.ask(command).await,
        }
    }

    /// Whether it looks after its own connections, so that it outlives any of them.
    pub(super) fn mends_itself(&self) -> bool {
        matches!(self.way, Way::Cluster(_))
    }

    /// Remembers that a request had its answer.
    pub(super) fn answered(&self, key: &[u8]) {
        let unanswered = self.unanswered_at(key);
        // Seldom anything else than 0: reading is cheaper than writing what all threads share.
        if unanswered.load(Ordering::Relaxed) != 0 {
            unanswered.store(0, Ordering::Relaxed);
        }
    }

    /// Remembers that a request had no answer in time. Returns whether that were too many.
    pub(super) fn missed(&self, key: &[u8]) -> bool {
        let unanswered = self.unanswered_at(key);
        let missed = unanswered.fetch_add(1, Ordering::Relaxed) + 1;
        if missed < UNANSWERED {
            return false;
        }
        unanswered.store(0, Ordering::Relaxed);
        true
    }

    fn unanswered_at(&self, key: &[u8]) -> &AtomicU32 {
        let places = self.unanswered.len();
        if places == 1 { &self.unanswered[0] } else { &self.unanswered[place(key) % places] }
    }
}

/// Some number for each slot: that of what decides it, from the start of a key to the end of the tag in it.
fn place(key: &[u8]) -> usize {
    let tagged = key.iter().take_while(|byte| **byte != b'}');
    tagged.fold(0, |number: usize, byte| number.wrapping_mul(31).wrapping_add((*byte).into()))
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Link(..)")
    }
}
