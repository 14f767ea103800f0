//! Serving the API until told to stop.

use std::{io, net::TcpListener, time::Duration};

use actix_web::{HttpServer, dev::ServerHandle};
use app::App;
use monitoring::{
    health::{Drain, Health},
    metrics::Metrics,
};
use tokio_util::sync::CancellationToken;

use crate::{limits::Limits, service::Service, settings::Settings};

/// A server to be run.
pub struct Server {
    /// What the operator has decided.
    pub settings: Settings,
    /// The use cases.
    pub app: App,
    /// Where requests are counted.
    pub metrics: Metrics,
    /// What readiness asks.
    pub health: Health,
    /// How many requests are answered.
    pub limits: Limits,
    /// Raised when the server is told to stop; the one that `health` was built with.
    pub drain: Drain,
    /// Where to listen; bound by the caller, so that a taken port is found before anything starts.
    pub listener: TcpListener,
    /// Cancelled to stop.
    pub shutdown: CancellationToken,
    /// How long readiness is red before the listener closes, so that balancers stop sending.
    pub drain_pause: Duration,
    /// How long requests in flight may take after that.
    pub shutdown_timeout: Duration,
    /// Threads that serve; one for each processor when `None`.
    pub workers: Option<usize>,
}

/// Serves until `shutdown` is cancelled and the requests in flight are answered, or their time is over.
///
/// Installs no signal handlers. Fails where the listener cannot be used.
pub async fn run(server: Server) -> io::Result<()> {
    let Server {
        settings,
        app,
        metrics,
        health,
        limits,
        drain,
        listener,
        shutdown,
        drain_pause,
        shutdown_timeout,
        workers,
    } = server;
    let service = Service::new(settings, app, metrics, health, limits);
    let running = start(service, listener, shutdown_timeout, workers)?;
    let handle = running.handle();
    let stopper = tokio::spawn(stop(shutdown, drain, drain_pause, handle));
    let served = running.await;
    stopper.abort();
    served
}

/// Not part of [`run`], whose future could not be sent to another thread if it held what builds the server.
fn start(
    service: Service,
    listener: TcpListener,
    shutdown_timeout: Duration,
    workers: Option<usize>,
) -> io::Result<actix_web::dev::Server> {
    let mut http = HttpServer::new(move || service.actix_app())
        .disable_signals()
        // A compressed answer is written in pieces; none of them should wait for the client's acknowledgement.
        .tcp_nodelay(true)
        .shutdown_timeout(shutdown_timeout.as_secs().max(1));
    if let Some(workers) = workers {
        http = http.workers(workers);
    }
    Ok(http.listen(listener)?.run())
}

/// Readiness turns red first; the listener closes only when balancers have had time to notice.
async fn stop(shutdown: CancellationToken, drain: Drain, pause: Duration, handle: ServerHandle) {
    shutdown.cancelled().await;
    drain.start();
    tracing::info!(pause_ms = pause.as_millis(), "draining");
    tokio::time::sleep(pause).await;
    handle.stop(true).await;
}
