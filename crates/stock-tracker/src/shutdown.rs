//! Ending on a signal.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell expects of a process that SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// A token that the first SIGTERM or SIGINT cancels. The second ends the process at once.
pub(crate) fn on_signal() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let asked = shutdown.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if asked.is_cancelled() {
                tracing::warn!("asked to stop again: ending at once");
                std::process::exit(INTERRUPTED);
            }
            tracing::info!("asked to stop");
            asked.cancel();
        }
    });
    Ok(shutdown)
}
