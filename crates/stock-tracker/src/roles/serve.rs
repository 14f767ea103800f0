//! `stock-tracker api | worker | all`: long-running roles and their end.

use std::{
    io::{IsTerminal as _, stdout},
    net::TcpListener,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use api::{Environment as Kind, Limits};
use futures::{
    StreamExt as _,
    future::{FutureExt as _, LocalBoxFuture},
    stream::FuturesUnordered,
};
use monitoring::{
    error_reports,
    health::{Drain, Health},
};
use tokio_util::sync::CancellationToken;
use worker::Jobs;

use crate::{
    config::{Config, Environment, Purpose},
    listener,
    metrics_server::{self, Observed},
    on_runtime, schema, shutdown,
    wiring::{Product, VERSION},
};

/// How often the schedule is looked at.
const SCHEDULE_EVERY: Duration = Duration::from_secs(5);
/// How often what the process needs is looked at.
const WATCH_EVERY: Duration = Duration::from_secs(10);
/// What a worker needs after its drain to hand its jobs back.
const HAND_BACK: Duration = Duration::from_secs(5);
/// How long a job of a killed process waits on a developer's machine.
const DEVELOPMENT_LEASE: Duration = Duration::from_secs(5);
/// Longest time for which readiness is red before the listener closes.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a role is made of: each ends when the shutdown is asked for, and only then.
type Parts<'a> = FuturesUnordered<LocalBoxFuture<'a, anyhow::Result<()>>>;

/// Runs a role as its own process.
pub(crate) fn run(environment: &Environment, purpose: Purpose) -> anyhow::Result<()> {
    let config = Config::load(environment, purpose)?;
    // Before a runtime is started, and until after it has ended: its threads report too.
    let _reports = config.error_reports.as_ref().map(error_reports::init);
    monitoring::logs::init(&config.logging.settings(false, stdout().is_terminal()))?;
    let ended = on_runtime(async {
        let shutdown = shutdown::on_signal().context("listening for signals")?;
        let doors = Doors::open(&config, purpose)?;
        schema::prepare(&config.database).await?;
        serve(&config, purpose, doors, shutdown).await
    });
    // Also to where errors are reported: a process that ends again and again may have nobody who reads its last words.
    ended
        .inspect_err(|error| tracing::error!(error = format!("{error:#}"), "the process ends with a failure"))
}

/// The listeners of a role, bound before anything starts: a taken port is found first.
pub(crate) struct Doors {
    api: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Doors {
    /// Takes the ports.
    pub(crate) fn open(config: &Config, purpose: Purpose) -> anyhow::Result<Self> {
        let api = (purpose != Purpose::Worker).then(|| {
            let (host, port) = (config.http.host.as_str(), config.http.port);
            listener::bind((host, port), &format!("{host}:{port}"), "HOST and PORT (`--port` of the demo)")
        });
        let metrics = config.metrics.address.as_deref().map(|at| listener::bind(at, at, "METRICS_ADDR"));
        Ok(Self { api: api.transpose()?, metrics: metrics.transpose()? })
    }

    /// The port of the API, also where any free one was taken.
    #[cfg(feature = "demo")]
    pub(crate) fn api_port(&self) -> anyhow::Result<u16> {
        let listener = self.api.as_ref().context("this role has no API")?;
        Ok(listener.local_addr()?.port())
    }
}

/// Builds the product and runs the role until `shutdown`; ends with the database closed.
pub(crate) async fn serve(
    config: &Config,
    purpose: Purpose,
    doors: Doors,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let product = Product::build(config, purpose).await?;
    let observer_stop = CancellationToken::new();
    let own_metrics = doors.metrics.is_some();
    let observer = if let Some(listener) = doors.metrics {
        tracing::info!(address = %listener.local_addr()?, "metrics and health listen");
        let observed = Observed {
            metrics: product.metrics.clone(),
            health: product.health.clone(),
            token: config.metrics.token.clone(),
        };
        Some(tokio::spawn(metrics_server::run(observed, listener, observer_stop.clone())))
    } else {
        None
    };

    let parts = Parts::new();
    if let Some(listener) = doors.api {
        tracing::info!(address = %listener.local_addr()?, "the API listens");
        let server = api_server(config, &product, listener, !own_metrics, shutdown.clone())?;
        parts.push(async { api::run(server).await.context("the API") }.boxed_local());
    }
    if purpose != Purpose::Api {
        parts.push(work(config, &product, shutdown.clone()).boxed_local());
        let schedule = Jobs::new(product.app.clone(), product.metrics.clone());
        let stop = shutdown.clone();
        let looking = async move { worker::schedule::run(&schedule, SCHEDULE_EVERY, stop).await };
        parts.push(looking.map(Ok).boxed_local());
    }
    parts.push(watch(product.health.clone(), shutdown.clone()).map(Ok).boxed_local());
    tracing::info!(version = VERSION, role = ?purpose, "started");

    let patience = config.deployment.shutdown_timeout;
    let ended = within(patience, &shutdown, until_all_end(parts, &shutdown, &product.drain)).await;
    observer_stop.cancel();
    if let Some(observer) = observer {
        observer.await.context("serving metrics panicked")?.context("serving metrics")?;
    }
    product.db.close().await.context("closing the database")?;
    tracing::info!("stopped");
    ended
}

/// Looks at what the process needs until the shutdown: its metrics are to be of now, also where nobody asks for health.
async fn watch(health: Health, shutdown: CancellationToken) {
    let looking = async {
        loop {
            health.report().await;
            tokio::time::sleep(WATCH_EVERY).await;
        }
    };
    let _stopped: Option<()> = shutdown.run_until_cancelled(looking).await;
}

fn api_server(
    config: &Config,
    product: &Product,
    listener: TcpListener,
    serve_metrics: bool,
    shutdown: CancellationToken,
) -> anyhow::Result<api::Server> {
    let patience = config.deployment.shutdown_timeout;
    // A balancer needs a moment to see red; nobody waits for one on a developer's machine.
    let drain_pause = match config.deployment.environment {
        Kind::Development => Duration::ZERO,
        Kind::Staging | Kind::Production => LONGEST_PAUSE.min(patience / 6),
    };
    let settings = api::Settings {
        environment: config.deployment.environment,
        version: VERSION,
        debug: config.deployment.debug,
        docs_enabled: config.http.docs_enabled,
        security_headers: config.http.security_headers,
        cors: config.http.cors.clone(),
        trusted_hosts: config.http.trusted_hosts.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        serve_metrics,
        metrics_token: config.metrics.token.clone(),
        export_patience: api::Settings::EXPORT_PATIENCE,
    };
    let limits = match (&config.rate_limits.settings, &product.counting) {
        (Some(limits), Some(counting)) => Limits::new(limits, &settings, counting.clone())?,
        _ => Limits::off(),
    };
    Ok(api::Server {
        settings,
        app: product.app.clone(),
        metrics: product.metrics.clone(),
        health: product.health.clone(),
        limits,
        drain: product.drain.clone(),
        listener,
        shutdown,
        drain_pause,
        shutdown_timeout: (patience * 4 / 5).saturating_sub(drain_pause),
        workers: None,
    })
}

async fn work(config: &Config, product: &Product, shutdown: CancellationToken) -> anyhow::Result<()> {
    let patience = config.deployment.shutdown_timeout;
    let usual = worker::Settings::default();
    let settings = worker::Settings {
        drain: patience.saturating_sub(HAND_BACK).max(patience / 2),
        lease: match config.deployment.environment {
            // Processes are killed all the time, and hardly ever freeze.
            Kind::Development => DEVELOPMENT_LEASE,
            Kind::Staging | Kind::Production => usual.lease,
        },
        backoff_scale: config.marketplaces.limit_scale,
        ..usual
    };
    let handler = Arc::new(Jobs::new(product.app.clone(), product.metrics.clone()));
    let (db, metrics) = (product.db.clone(), product.metrics.clone());
    worker::run(db, &config.database.pool(), &settings, handler, metrics, shutdown)
        .await
        .context("the worker")
}

/// Waits for every part. The first that ends unasked takes the others with it. Readiness turns red as soon as the
/// shutdown is asked for, also in roles that have no API.
async fn until_all_end(
    mut parts: Parts<'_>,
    shutdown: &CancellationToken,
    drain: &Drain,
) -> anyhow::Result<()> {
    let mut first_failure = Ok(());
    loop {
        let ended = tokio::select! {
            ended = parts.next() => ended,
            () = shutdown.cancelled(), if !drain.is_draining() => {
                drain.start();
                continue;
            }
        };
        let failure = match ended {
            None => return first_failure,
            Some(Ok(())) if shutdown.is_cancelled() => continue,
            Some(Ok(())) => anyhow!("a part of the program ended unasked"),
            Some(Err(error)) => error,
        };
        shutdown.cancel();
        if first_failure.is_ok() {
            first_failure = Err(failure);
        }
    }
}

/// Gives `work` so long from the shutdown on.
async fn within(
    patience: Duration,
    shutdown: &CancellationToken,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let too_late = async {
        shutdown.cancelled().await;
        tokio::time::sleep(patience).await;
    };
    tokio::select! {
        ended = work => ended,
        () = too_late => bail!("not everything ended within {} s (SHUTDOWN_TIMEOUT)", patience.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_part_that_fails_ends_the_others() {
        let (shutdown, drain) = (CancellationToken::new(), Drain::default());
        let parts = Parts::new();
        parts.push(shutdown.clone().cancelled_owned().map(Ok).boxed_local());
        parts.push(async { Err(anyhow!("out of order")) }.boxed_local());
        let ended = until_all_end(parts, &shutdown, &drain).await;
        assert_eq!(ended.unwrap_err().to_string(), "out of order");
        assert!(shutdown.is_cancelled());
    }

    #[tokio::test]
    async fn a_part_that_ends_unasked_is_a_failure() {
        let parts = Parts::new();
        parts.push(async { Ok(()) }.boxed_local());
        assert!(until_all_end(parts, &CancellationToken::new(), &Drain::default()).await.is_err());
    }

    #[tokio::test]
    async fn readiness_turns_red_before_anything_has_ended() {
        let (shutdown, drain) = (CancellationToken::new(), Drain::default());
        let parts = Parts::new();
        let (asked, red) = (shutdown.clone(), drain.clone());
        parts.push(
            async move {
                asked.cancelled().await;
                while !red.is_draining() {
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            .boxed_local(),
        );
        shutdown.cancel();
        assert!(until_all_end(parts, &shutdown, &drain).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn patience_begins_with_the_shutdown() {
        let shutdown = CancellationToken::new();
        let patience = Duration::from_secs(30);
        let slow = async {
            tokio::time::sleep(Duration::from_secs(1000)).await;
            Ok(())
        };
        assert!(within(patience, &shutdown, slow).await.is_ok());
        shutdown.cancel();
        let never = std::future::pending();
        assert!(within(patience, &shutdown, never).await.is_err());
    }
}
