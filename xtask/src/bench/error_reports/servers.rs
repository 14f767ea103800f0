//! Two servers of error reports: one that takes everything at once, and one that never answers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context as _, Result};
use hyper::StatusCode;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::loopback::Server;

/// Takes everything at once.
pub(super) struct Taking {
    pub(super) dsn: String,
    taken: Arc<AtomicUsize>,
    _server: Server,
}

impl Taking {
    pub(super) async fn start() -> Result<Self> {
        let taken = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&taken);
        let server = Server::start(move |_| {
            counts.fetch_add(1, Ordering::Relaxed);
            (StatusCode::OK, "{}".to_owned())
        })
        .await?;
        Ok(Self { dsn: format!("http://key@{}/1", server.address()), taken, _server: server })
    }

    /// How many it has taken.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Accepts connections, and never answers.
pub(super) struct Hanging {
    pub(super) dsn: String,
    held: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Hanging {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listening on loopback")?;
        let dsn = format!("http://key@{}/1", listener.local_addr()?);
        let held = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&held);
        let task = tokio::spawn(async move {
            let mut connections = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                counts.fetch_add(1, Ordering::Relaxed);
                connections.push(connection);
            }
        });
        Ok(Self { dsn, held, task })
    }

    /// How many connections it has accepted.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.task.abort();
    }
}
