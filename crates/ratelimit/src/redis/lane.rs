//! One shared connection that is opened when it is needed and given up when it breaks or says nothing any more.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_redis::redis::{ErrorKind, RedisResult, ServerErrorKind, Value, cmd};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::runtime::Handle;

use super::connections::{Connections, Link};
use crate::{StoreError, StoreErrorKind};

type Opening = Shared<BoxFuture<'static, Result<Arc<Link>, StoreError>>>;

#[derive(Debug)]
pub(super) struct Lane {
    connections: Arc<Connections>,
    within: Duration,
    /// Where connections are opened and read.
    driver: Handle,
    state: Mutex<State>,
    /// Whether another connection is tried in place of one that looks after itself.
    replacing: AtomicBool,
    interruptions: AtomicU64,
}

#[derive(Debug)]
enum State {
    Closed,
    /// It goes on in a task of its own: a request that has no time to wait for it does not stop it.
    Opening(Opening),
    Open(Arc<Link>),
}

impl Lane {
    pub(super) fn new(connections: Arc<Connections>, within: Duration, driver: Handle) -> Self {
        Self {
            connections,
            within,
            driver,
            state: Mutex::new(State::Closed),
            replacing: AtomicBool::new(false),
            interruptions: AtomicU64::new(0),
        }
    }

    /// How long a request waits at most, for a connection and for the answer together.
    pub(super) fn within(&self) -> Duration {
        self.within
    }

    /// The connection, opened if need be. At most one is being opened at a time.
    pub(super) async fn link(&self) -> Result<Arc<Link>, StoreError> {
        let (opening, joined) = match &mut *self.state() {
            State::Open(link) => return Ok(Arc::clone(link)),
            State::Opening(opening) => (opening.clone(), true),
            state @ State::Closed => (self.begin(state), false),
        };
        match self.opened(opening).await {
            // What somebody else began may have failed long ago: that says nothing of now.
            Err(_) if joined => {
                let opening = match &mut *self.state() {
                    State::Open(link) => return Ok(Arc::clone(link)),
                    State::Opening(opening) => opening.clone(),
                    state @ State::Closed => self.begin(state),
                };
                self.opened(opening).await
            }
            opened => opened,
        }
    }

    fn begin(&self, state: &mut State) -> Opening {
        let task = self.driver.spawn(open(Arc::clone(&self.connections), self.within));
        let ended = task.map(|ended| {
            ended.unwrap_or_else(|error| Err(StoreError::new(StoreErrorKind::Unreachable, error.to_string())))
        });
        let opening = ended.boxed().shared();
        *state = State::Opening(opening.clone());
        opening
    }

    async fn opened(&self, opening: Opening) -> Result<Arc<Link>, StoreError> {
        let opened = opening.clone().await;
        let mut state = self.state();
        match &*state {
            // The first to see the end of it says what follows.
            State::Opening(current) if current.ptr_eq(&opening) => match opened {
                Ok(link) => {
                    *state = State::Open(Arc::clone(&link));
                    Ok(link)
                }
                Err(error) => {
                    *state = State::Closed;
                    Err(error)
                }
            },
            _ => opened,
        }
    }

    /// Gives a connection up, unless that was done already. One that looks after itself stays, but the node that it lost
    /// may have lost what it counted.
    pub(super) fn give_up(&self, broken: &Arc<Link>) {
        let mut state = self.state();
        if is_open(&state, broken) {
            if !broken.mends_itself() {
                *state = State::Closed;
            }
            self.interruptions.fetch_add(1, Ordering::Release);
        }
    }

    /// How many connections were given up.
    pub(super) fn interruptions(&self) -> u64 {
        self.interruptions.load(Ordering::Acquire)
    }

    /// Remembers that nothing came back in time from where `key` lives.
    pub(super) fn unanswered(self: &Arc<Self>, link: &Arc<Link>, key: &[u8]) {
        if !link.missed(key) || !is_open(&self.state(), link) {
            return;
        }
        if link.mends_itself() {
            // What goes to all nodes does not tell which of them said nothing.
            if !key.is_empty() {
                self.replace(link, key);
            }
        } else {
            self.give_up(link);
        }
    }

    /// Looks for a better connection than one that looks after itself, which goes on meanwhile: most of its nodes may
    /// answer. Better is one over which somebody answers for `key`.
    fn replace(self: &Arc<Self>, old: &Arc<Link>, key: &[u8]) {
        if self.replacing.swap(true, Ordering::AcqRel) {
            return;
        }
        let replacing = Replacing(Arc::clone(self));
        let (old, key) = (Arc::clone(old), key.to_owned());
        self.driver.spawn(async move {
            let lane = &replacing.0;
            let Ok(new) = open(Arc::clone(&lane.connections), lane.within).await else { return };
            if !answers(new.ask(cmd("GET").arg(key)).await) {
                return;
            }
            let mut state = lane.state();
            if is_open(&state, &old) {
                *state = State::Open(new);
                lane.interruptions.fetch_add(1, Ordering::Release);
                tracing::info!(
                    "a cluster is asked over new connections: a node of the old ones said nothing"
                );
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to look for another connection; given back also when the runtime ends.
struct Replacing(Arc<Lane>);

impl Drop for Replacing {
    fn drop(&mut self) {
        self.0.replacing.store(false, Ordering::Release);
    }
}

fn is_open(state: &State, link: &Arc<Link>) -> bool {
    matches!(state, State::Open(open) if Arc::ptr_eq(open, link))
}

/// Whether the node of a key has said something, be it that the key is no string.
fn answers(answer: RedisResult<Value>) -> bool {
    match answer.map_err(|error| error.kind()) {
        Ok(_) | Err(ErrorKind::Extension) => true,
        Err(kind) => kind == ErrorKind::Server(ServerErrorKind::NoPerm),
    }
}

async fn open(connections: Arc<Connections>, within: Duration) -> Result<Arc<Link>, StoreError> {
    let patience = connections.patience(within);
    let late = |_| StoreError::new(StoreErrorKind::Timeout, format!("no connection within {patience:?}"));
    tokio::time::timeout(patience, connections.open(within)).await.map_err(late)?.map(Arc::new)
}

#[cfg(test)]
mod tests {
    use deadpool_redis::{Config, Runtime};

    use super::*;

    #[tokio::test]
    async fn what_an_old_connection_did_not_answer_says_nothing_of_the_new_one() {
        let url = test_support::redis::shared_url().unwrap();
        let pool = Config::from_url(url).create_pool(Some(Runtime::Tokio1)).unwrap();
        let lane = Arc::new(Lane::new(Arc::new(pool.into()), Duration::from_secs(20), Handle::current()));
        let old = lane.link().await.unwrap();
        lane.unanswered(&old, b"");
        old.answered(b"");
        lane.unanswered(&old, b"");
        assert!(Arc::ptr_eq(&old, &lane.link().await.unwrap()), "two in a row, not in all");
        lane.unanswered(&old, b"");
        let new = lane.link().await.unwrap();
        assert!(!Arc::ptr_eq(&old, &new));
        // As many again that were sent over the old one.
        for _ in 0..5 {
            lane.unanswered(&old, b"");
        }
        lane.give_up(&old);
        assert!(Arc::ptr_eq(&new, &lane.link().await.unwrap()));
        assert_eq!(lane.interruptions(), 1);
    }
}
