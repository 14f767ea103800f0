//! Metrics, health and profiles on a listener of their own, for roles without an API and for networks of their own.

use std::{io, net::TcpListener, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::header::{AUTHORIZATION, WWW_AUTHENTICATE},
    web::{self, Data, Query},
};
use monitoring::{
    health::Health,
    metrics::Metrics,
    profile::{self, ProfileError},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
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
    config.route("/debug/profile", web::get().to(profile));
    for slash in ["", "/"] {
        config
            .route(&format!("/api/v1/health/live{slash}"), web::get().to(live))
            .route(&format!("/api/v1/health/ready{slash}"), web::get().to(ready));
    }
}

async fn metrics(observed: Data<Observed>, request: HttpRequest) -> HttpResponse {
    if !observed.admits(&request) {
        return unauthorized();
    }
    match observed.metrics.render() {
        Ok(page) => HttpResponse::Ok().content_type(Metrics::CONTENT_TYPE).body(page),
        Err(error) => {
            tracing::error!(%error, "metrics not rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// For how long a profile looks, and how often.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileQuery {
    seconds: Option<u64>,
    hertz: Option<i32>,
}

impl ProfileQuery {
    fn settings(&self) -> Option<profile::Settings> {
        let usual = profile::Settings::default();
        let seconds = self.seconds.unwrap_or(usual.duration.as_secs());
        let hertz = self.hertz.unwrap_or(usual.hertz);
        let fits = profile::Settings::SECONDS.contains(&seconds) && profile::Settings::HERTZ.contains(&hertz);
        fits.then_some(profile::Settings { duration: Duration::from_secs(seconds), hertz })
    }
}

/// What the process spends its time on from now on: for whoever may read metrics.
async fn profile(observed: Data<Observed>, request: HttpRequest) -> HttpResponse {
    if !observed.admits(&request) {
        return unauthorized();
    }
    let query = Query::<ProfileQuery>::from_query(request.query_string());
    let Some(settings) = query.ok().and_then(|query| query.settings()) else {
        let (seconds, hertz) = (profile::Settings::SECONDS, profile::Settings::HERTZ);
        return HttpResponse::BadRequest().body(format!(
            "seconds is a number from {} to {}, hertz one from {} to {}\n",
            seconds.start(),
            seconds.end(),
            hertz.start(),
            hertz.end()
        ));
    };
    match profile::record(settings).await {
        Ok(stacks) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(stacks),
        Err(busy @ ProfileError::Busy) => HttpResponse::Conflict().body(format!("{busy}\n")),
        Err(error) => {
            tracing::error!(%error, "no profile was made");
            HttpResponse::InternalServerError().body(format!("{error}\n"))
        }
    }
}

fn unauthorized() -> HttpResponse {
    HttpResponse::Unauthorized().insert_header((WWW_AUTHENTICATE, "Bearer")).finish()
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
