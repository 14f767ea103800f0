//! The thread on which connections to Redis are driven.
//!
//! A connection is read by a task of the runtime that opened it. On a thread that also runs handlers, that task waits
//! its turn: an answer would lie in the socket unread while the request that waits for it runs out of time. On a thread
//! of its own, no answer in time means that Redis gave none.

use std::io;
use std::thread::Builder;

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

/// Ends its thread when it is dropped.
#[derive(Debug)]
pub(super) struct Driver {
    handle: Handle,
    _until_dropped: oneshot::Sender<()>,
}

impl Driver {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (until_dropped, dropped) = oneshot::channel::<()>();
        Builder::new().name("ratelimit-redis".to_owned()).spawn(move || {
            // An error says that the other end is gone, which is what is waited for.
            runtime.block_on(async { dropped.await.unwrap_or_default() });
        })?;
        Ok(Self { handle, _until_dropped: until_dropped })
    }

    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }
}
