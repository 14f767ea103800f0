//! One script and one round trip per decision.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use deadpool_redis::redis::Cmd;
use futures::future::{join_all, try_join_all};
use smallvec::SmallVec;

use super::admission;
use super::asker::Asker;
use super::connections::Connections;
use super::driver::Driver;
use super::memory::MemoryPolicy;
use super::parts::{self, Part};
use super::scripts::Scripts;
use super::sender::{Request, Sender};
use crate::report::Source;
use crate::{LimitKey, Plan, Receipt, Report, Store, StoreError, StoreErrorKind};

/// How a [`RedisStore`] is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisOptions {
    /// Goes before every key, so that services can share a Redis: at most [`RedisOptions::LONGEST_PREFIX`] bytes of
    /// `a-z`, `0-9`, `-`, `_` and `:`.
    pub prefix: String,
    /// How long Redis is given, for a connection and for the answer together. A request that waits in vain goes on a
    /// little later, by the steps of the runtime's timer and when a thread is free.
    pub within: Duration,
    /// How many connections are shared; two keep one slow answer from holding everything up.
    pub connections: usize,
}

impl RedisOptions {
    /// The longest prefix, in bytes.
    pub const LONGEST_PREFIX: usize = 16;
}

impl Default for RedisOptions {
    /// 20 ms, so that nobody waits for more than 25.
    fn default() -> Self {
        Self { prefix: String::new(), within: Duration::from_millis(20), connections: 2 }
    }
}

/// Why options make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedisOptionsError {
    /// A prefix that could end up in another slot, or is long.
    #[error(
        "the prefix of keys has at most {max} bytes of a-z, 0-9, `-`, `_` and `:`: {0:?}",
        max = RedisOptions::LONGEST_PREFIX
    )]
    Prefix(String),
    /// No time to answer in.
    #[error("the time to wait for Redis must be above zero")]
    NoTime,
    /// Nothing to ask over.
    #[error("at least one connection is needed")]
    NoConnection,
    /// No thread to drive connections on.
    #[error("no thread for connections to Redis: {0}")]
    Thread(String),
}

/// Counts in Redis, for all processes that share it. Times are Redis's own.
///
/// # When Redis fails
///
/// A store goes on by itself: it opens new connections, asks the sentinels for the new master, and sends a script again
/// that the server does not know. What it was told before is as safe as Redis keeps it:
///
/// - A server that comes back empty has forgotten what was counted. Under each key, up to a limit more may be admitted in
///   the window that was under way.
/// - Redis answers before its replicas have what was written. A replica that becomes master lacks what had not come to
///   it when the old master died: exactly so much more may be admitted under a key, and nothing where all had come.
/// - A server whose memory is full may drop keys to make room, and with them what was counted: see [`MemoryPolicy`].
/// - An old master that is cut off from its replicas, but not from every client, goes on admitting until it is told that
///   it is one no more; then those admissions are forgotten. `min-replicas-to-write 1` with a small
///   `min-replicas-max-lag` bounds that time: such a master answers with an error of
///   [`StoreErrorKind::NotReady`] instead.
/// - A replica never admits: it answers with an error, and the store looks for the master. It may refuse, from what it
///   has: admissions that still count, so that only a reset or a refund could prove it wrong.
///
/// On a cluster, policies in several slots are asked one slot after the other:
///
/// - A request that is refused by one of them, that fails, or that nobody waited for is given back under the others, by
///   a task that goes on for as long as that takes. Until then it counts, and may refuse somebody. What it counted under
///   other policies than [`SlidingLog`](crate::Algorithm::SlidingLog) stays when its answer is lost.
/// - A refusal is told in time whatever other slots do. A policy in a slot that has not been heard by then is told as if
///   nothing were used.
/// - What is sent to a node that has not got the slot any more follows it. While a slot moves, policies that are asked
///   together may be on two nodes, which is an error of [`StoreErrorKind::NotReady`].
///
/// An error is never a refusal; what then holds is for [`OnStoreError`](crate::OnStoreError) to say.
///
/// # Settings of Redis
///
/// `lazyfree-lazy-expire yes`: a log whose time is over is freed beside everything else. Without it, whoever asks for its
/// key next waits until that is done, and so does everybody else: the longer the log, the longer. Logs that are reset or
/// found to be out of their windows are freed that way in any case.
///
/// `maxmemory-policy noeviction`, or a memory that is large enough: see [`MemoryPolicy`].
///
/// # Rights
///
/// A user of Redis who may do the following to keys that begin with the prefix can do all that the store does: `EVAL`,
/// `EVALSHA`, `TIME`, `UNLINK`, `GET`, `SET`, `GETRANGE`, `SETRANGE`, `PEXPIREAT`, `ZADD`, `ZCARD`, `ZCOUNT`, `ZRANGE`,
/// `ZREM`, `ZREMRANGEBYRANK`, `ZSCORE` and `EXISTS`. The client needs `ROLE` of a master that sentinels name, and
/// `CLUSTER SLOTS`, `PING` and, while slots move, `ASKING` of a cluster. One who may run scripts but lacks one of the
/// others may leave keys behind that never expire: Redis does not undo what a script did before it was stopped.
#[derive(Debug)]
pub struct RedisStore {
    options: RedisOptions,
    asker: Arc<Asker>,
    /// The next request's nonce: a random beginning, so that processes do not meet.
    next_nonce: AtomicU64,
    cluster: bool,
}

impl RedisStore {
    /// Counts over connections of a pool. Nothing is opened before the first request.
    pub fn new(
        connections: impl Into<Connections>,
        options: RedisOptions,
    ) -> Result<Self, RedisOptionsError> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b':');
        if options.prefix.len() > RedisOptions::LONGEST_PREFIX || !options.prefix.bytes().all(plain) {
            return Err(RedisOptionsError::Prefix(options.prefix));
        }
        if options.within.is_zero() {
            return Err(RedisOptionsError::NoTime);
        }
        if options.connections == 0 {
            return Err(RedisOptionsError::NoConnection);
        }
        let connections = connections.into();
        let driver = Driver::start().map_err(|error| RedisOptionsError::Thread(error.to_string()))?;
        Ok(Self {
            cluster: connections.is_cluster(),
            asker: Arc::new(Asker {
                prefix: options.prefix.clone(),
                scripts: Scripts::new(),
                sender: Sender::new(connections, options.connections, options.within, driver),
            }),
            next_nonce: AtomicU64::new(rand::random()),
            options,
        })
    }

    /// Asks what the server does when its memory is full, in order to warn at start: see [`MemoryPolicy`]. Needs the
    /// right to `INFO`, which managed servers grant, unlike `CONFIG`. It takes a second at most, or the time that a
    /// request may take when that is longer.
    pub async fn memory_policy(&self) -> Result<MemoryPolicy, StoreError> {
        let mut command = Cmd::new();
        command.arg("INFO").arg("memory");
        let within = self.options.within.max(Duration::from_secs(1));
        let answer = self.asker.sender.send(Request::Command(command, Vec::new()));
        MemoryPolicy::read(tokio::time::timeout(within, answer).await.map_err(|_| late(within))??)
    }

    async fn peek_parts(&self, parts: &[Part]) -> Result<Report, StoreError> {
        let looks = parts.iter().map(|part| self.peek_part(&part.plan));
        Ok(parts::join(parts, try_join_all(looks).await?))
    }

    async fn peek_part(&self, plan: &Plan) -> Result<Report, StoreError> {
        self.asker.peek(self.asker.sender.lane(), plan).await.map_err(|failure| failure.error)
    }

    async fn admit_part(&self, plan: &Plan, nonce: u64) -> Result<Report, StoreError> {
        self.asker.admit(self.asker.sender.lane(), plan, nonce).await.map_err(|failure| failure.error)
    }

    async fn refund_part(&self, receipt: &Receipt) -> Result<u32, StoreError> {
        self.asker.refund(self.asker.sender.lane(), receipt).await.map_err(|failure| failure.error)
    }

    /// A key as Redis knows it.
    fn name(&self, key: &LimitKey) -> Vec<u8> {
        let mut name = self.options.prefix.clone().into_bytes();
        key.write(&mut name);
        name
    }

    /// Where it is noted that a key was reset.
    fn name_of_reset(&self, key: &LimitKey) -> Vec<u8> {
        let mut name = self.name(key);
        name.extend_from_slice(b":reset");
        name
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let within = self.options.within;
        tokio::time::timeout(within, work).await.map_err(|_| late(within))?
    }
}

/// The sum of all answers, when all have come: an error of one stops none of the others.
async fn sum<T: std::iter::Sum>(
    asked: impl Iterator<Item = impl Future<Output = Result<T, StoreError>>>,
) -> Result<T, StoreError> {
    join_all(asked.collect::<Vec<_>>()).await.into_iter().sum()
}

pub(super) fn late(within: Duration) -> StoreError {
    StoreError::new(StoreErrorKind::Timeout, format!("no answer within {within:?}"))
}

#[async_trait]
impl Store for RedisStore {
    async fn admit(&self, plan: &Plan) -> Result<Report, StoreError> {
        if plan.asks().is_empty() {
            return Ok(unasked());
        }
        let nonce = self.next_nonce.fetch_add(1, Ordering::Relaxed);
        match if self.cluster { parts::cut(plan) } else { None } {
            Some(parts) => admission::admit(&self.asker, parts, nonce, self.options.within).await,
            None => self.within(self.admit_part(plan, nonce)).await,
        }
    }

    async fn peek(&self, plan: &Plan) -> Result<Report, StoreError> {
        if plan.asks().is_empty() {
            return Ok(unasked());
        }
        match if self.cluster { parts::cut(plan) } else { None } {
            Some(parts) => self.within(self.peek_parts(&parts)).await,
            None => self.within(self.peek_part(plan)).await,
        }
    }

    async fn reset(&self, keys: &[LimitKey]) -> Result<u64, StoreError> {
        if keys.is_empty() {
            return Ok(0);
        }
        // Each key by itself: on a cluster they live in different slots. First of all the note that this was meant, so
        // that nobody takes it for a loss.
        let forget = async |key: &LimitKey| {
            let name = self.name_of_reset(key);
            let mut note = Cmd::new();
            let window = u64::try_from(key.window().as_millis()).unwrap_or(u64::MAX).max(1);
            note.arg("SET").arg(&name).arg(1).arg("PX").arg(window);
            self.asker.sender.send::<()>(Request::Command(note, name)).await?;
            let name = self.name(key);
            let mut command = Cmd::new();
            command.arg("UNLINK").arg(&name);
            self.asker.sender.send::<u64>(Request::Command(command, name)).await
        };
        self.within(sum(keys.iter().map(forget))).await
    }

    async fn was_reset(&self, keys: &[LimitKey]) -> Result<bool, StoreError> {
        let noted = |key: &LimitKey| {
            let name = self.name_of_reset(key);
            let mut command = Cmd::new();
            command.arg("EXISTS").arg(&name);
            self.asker.sender.send::<u64>(Request::Command(command, name))
        };
        Ok(self.within(sum(keys.iter().map(noted))).await? > 0)
    }

    async fn refund(&self, receipt: Receipt) -> Result<u32, StoreError> {
        if receipt.is_empty() {
            return Ok(0);
        }
        if !self.cluster {
            return self.within(self.refund_part(&receipt)).await;
        }
        let Receipt { nonce, source, mut items } = receipt;
        items.sort_unstable_by_key(|item| item.key.tag());
        let parts = items.chunk_by(|one, other| one.key.tag() == other.key.tag());
        let parts: Vec<_> = parts.map(|items| Receipt { nonce, source, items: items.into() }).collect();
        self.within(sum(parts.iter().map(|part| self.refund_part(part)))).await
    }

    /// Over every connection, so that none of them is found dead later. On a cluster this asks the node of the keys that all requests share.
    async fn probe(&self) -> Result<(), StoreError> {
        let key = format!("{}{}", self.options.prefix, LimitKey::PROBE).into_bytes();
        let mut command = Cmd::new();
        command.arg("SET").arg(&key).arg(1).arg("PX").arg(1_000);
        self.within(self.asker.sender.send_over_all(Request::Command(command, key))).await
    }

    /// On a cluster another request may hold a place in one slot until another slot refuses it.
    fn refusals_hold(&self) -> Duration {
        if self.cluster { self.options.within } else { Duration::MAX }
    }

    fn interruptions(&self) -> u64 {
        self.asker.sender.interruptions()
    }
}

/// What is said when nothing is asked; only here the time is that of this machine.
fn unasked() -> Report {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
    Report { admitted: true, now, states: SmallVec::new(), nonce: 0, source: Source::Store }
}
