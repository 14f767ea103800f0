//! Sends requests over shared connections, a second time where that can do no harm.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deadpool_redis::redis::{Cmd, FromRedisValue, RedisResult};
use futures::future::join_all;

use super::call::Call;
use super::connections::{Connections, Link};
use super::driver::Driver;
use super::failure::{Failure, is_unknown_script};
use super::lane::Lane;
use crate::{StoreError, StoreErrorKind};

/// Something to ask Redis.
#[derive(Debug)]
pub(super) enum Request<'a> {
    /// A script that does the same twice: it only reads, or finds out that it ran.
    Repeatable(Call<'a>),
    /// A script that must not run twice.
    Once(Call<'a>),
    /// The same with its text, for a node that may not answer in time to say that it does not know the script.
    InFull(Call<'a>),
    /// A command that does the same twice, with the key that it is about, if it is about one.
    Command(Cmd, Vec<u8>),
}

impl Request<'_> {
    fn is_repeatable(&self) -> bool {
        !matches!(self, Self::Once(_) | Self::InFull(_))
    }

    /// A key that tells where it goes on a cluster; empty when it goes to all nodes.
    fn key(&self) -> &[u8] {
        match self {
            Self::Repeatable(call) | Self::Once(call) | Self::InFull(call) => call.key(),
            Self::Command(_, key) => key,
        }
    }

    async fn send<T: FromRedisValue>(&self, link: &Link) -> RedisResult<T> {
        match self {
            Self::Repeatable(call) | Self::Once(call) => match link.ask(&call.by_hash()).await {
                // One more round trip; the script is known from then on.
                Err(error) if is_unknown_script(&error) => link.ask(&call.with_text()).await,
                answer => answer,
            },
            Self::InFull(call) => link.ask(&call.with_text()).await,
            Self::Command(command, _) => link.ask(command).await,
        }
    }
}

#[derive(Debug)]
pub(super) struct Sender {
    lanes: Box<[Arc<Lane>]>,
    next: AtomicUsize,
    _driver: Driver,
}

impl Sender {
    pub(super) fn new(connections: Connections, lanes: usize, within: Duration, driver: Driver) -> Self {
        let connections = Arc::new(connections);
        let lane = || Arc::new(Lane::new(Arc::clone(&connections), within, driver.handle()));
        let lanes = std::iter::repeat_with(lane).take(lanes).collect();
        Self { lanes, next: AtomicUsize::new(0), _driver: driver }
    }

    /// Sends a request and reads its answer: see [`send_over`].
    pub(super) async fn send<T: FromRedisValue>(&self, request: Request<'_>) -> Result<T, StoreError> {
        send_over(self.lane(), request).await.map_err(|failure| failure.error)
    }

    /// One of the connections. What is sent over it one after the other comes to a node in this order, as long as the
    /// connection holds.
    pub(super) fn lane(&self) -> &Arc<Lane> {
        &self.lanes[self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len()]
    }

    /// Sends a request over every connection; fails when one of them does.
    pub(super) async fn send_over_all(&self, request: Request<'_>) -> Result<(), StoreError> {
        let answers = self.lanes.iter().map(|lane| try_over::<()>(lane, &request));
        let answers = join_all(answers).await.into_iter().collect::<Result<(), _>>();
        answers.map_err(|failure| failure.error)
    }

    /// How many connections broke.
    pub(super) fn interruptions(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.interruptions()).sum()
    }
}

/// Sends a request and reads its answer. When the connection breaks, it is opened anew and the request sent again,
/// unless that may have done what must not be done twice. Another connection to the same server would be broken too.
pub(super) async fn send_over<T: FromRedisValue>(
    lane: &Arc<Lane>,
    mut request: Request<'_>,
) -> Result<T, Failure> {
    let failure = match try_over(lane, &request).await {
        Ok(answer) => return Ok(answer),
        Err(failure) => failure,
    };
    if !failure.broken || (failure.may_have_run && !request.is_repeatable()) {
        return Err(failure);
    }
    if let Request::Repeatable(call) | Request::Once(call) = &mut request {
        call.may_have_run();
    }
    let first_may_have_run = failure.may_have_run;
    try_over(lane, &request).await.map_err(|mut failure: Failure| {
        failure.may_have_run |= first_may_have_run;
        failure
    })
}

async fn try_over<T: FromRedisValue>(lane: &Arc<Lane>, request: &Request<'_>) -> Result<T, Failure> {
    let link = lane.link().await.map_err(Failure::unconnected)?;
    let waiting = Waiting { lane, link: &link, request, since: Instant::now(), answered: false };
    match request.send(&link).await {
        Ok(answer) => {
            waiting.end();
            Ok(answer)
        }
        Err(error) => {
            let failure = Failure::from(error);
            if failure.error.kind() != StoreErrorKind::Timeout {
                waiting.end();
            }
            if failure.broken {
                lane.give_up(&link);
            }
            Err(failure)
        }
    }
}

/// Tells the lane when a request ends without an answer.
struct Waiting<'a> {
    lane: &'a Arc<Lane>,
    link: &'a Arc<Link>,
    request: &'a Request<'a>,
    since: Instant,
    answered: bool,
}

impl Waiting<'_> {
    fn end(mut self) {
        self.answered = true;
        self.link.answered(self.request.key());
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // Who went away before it was time says nothing of the connection. Half of the time, since it may have been the
        // connection that the request waited for first.
        if !self.answered && 2 * self.since.elapsed() >= self.lane.within() {
            self.lane.unanswered(self.link, self.request.key());
        }
    }
}
