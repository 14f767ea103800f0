//! Metrics and health on a listener of their own, for roles without an API and for networks of their own.

use std::{io, net::TcpListener};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::header::{AUTHORIZATION, WWW_AUTHENTICATE},
    web::{self, Data},
};
use monitoring::{health::Health, metrics::Metrics};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use subtle::ConstantTimeEq as _;
use tokio_util::sync::CancellationToken;

/// What the answers are made of.
pub(crate) struct Observed {
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    /// What a scraper must send, if anything.
    pub(crate) token: Option<SecretString>,
}

/// Serves until `stop` is cancelled: last of all, so that probes are answered while everything else ends.
pub(crate) async fn run(
    observed: Observed,
    listener: TcpListener,
    stop: CancellationToken,
) -> io::Result<()> {
    let observed = Data::new(observed);
    let server = HttpServer::new(move || App::new().app_data(observed.clone()).configure(routes))
        .workers(1)
        .disable_signals()
        .tcp_nodelay(true)
        .shutdown_signal(stop.cancelled_owned())
        .shutdown_timeout(1)
        .listen(listener)?;
    let running = server.run();
    running.await
}

fn routes(config: &mut web::ServiceConfig) {
    config.route("/metrics", web::get().to(metrics)).route("/health", web::get().to(health));
    for slash in ["", "/"] {
        config
            .route(&format!("/api/v1/health/live{slash}"), web::get().to(live))
            .route(&format!("/api/v1/health/ready{slash}"), web::get().to(ready));
    }
}

async fn metrics(observed: Data<Observed>, request: HttpRequest) -> HttpResponse {
    if !observed.admits(&request) {
        return HttpResponse::Unauthorized().insert_header((WWW_AUTHENTICATE, "Bearer")).finish();
    }
    match observed.metrics.render() {
        Ok(page) => HttpResponse::Ok().content_type(Metrics::CONTENT_TYPE).body(page),
        Err(error) => {
            tracing::error!(%error, "metrics not rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

async fn health(observed: Data<Observed>) -> HttpResponse {
    let report = observed.health.report().await;
    if report.serves() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() }.json(&*report)
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

async fn ready(observed: Data<Observed>) -> HttpResponse {
    if observed.health.ready().await {
        HttpResponse::Ok().json(json!({ "status": "ready" }))
    } else {
        HttpResponse::ServiceUnavailable().json(json!({ "status": "not_ready" }))
    }
}

impl Observed {
    fn admits(&self, request: &HttpRequest) -> bool {
        let Some(token) = &self.token else { return true };
        let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        given.as_bytes().ct_eq(token.expose_secret().as_bytes()).into()
    }
}
