//! The outermost layer: what is true of every request and every answer.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage as _, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode, Uri,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use futures::FutureExt as _;
use monitoring::{error_reports, metrics::labels};
use tracing::Instrument as _;

use super::security_headers;
use crate::{
    context::{Identity, RequestContext},
    problem::{Problem, Rendered},
    service::Shared,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROCESS_TIME: HeaderName = HeaderName::from_static("x-process-time");

/// The health checks as they are routed.
const HEALTH: [&str; 5] =
    ["/health", "/health/detailed", "/api/v1/health/", "/api/v1/health/ready", "/api/v1/health/live"];

/// Whether a path, as routed, is a health check.
pub(super) fn is_health(path: &str) -> bool {
    HEALTH.contains(&path)
}

/// What is told of a request when it has been answered.
struct Line {
    method: Method,
    path: String,
    /// The template of the route, which is lost with a request that panics.
    route: Option<String>,
    context: RequestContext,
    started: Instant,
}

/// Takes marks of a trace off a request: strangers could make thousands of requests part of one, or of another's.
pub(super) async fn unmarked(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    for name in ["sentry-trace", "baggage", "traceparent"] {
        request.headers_mut().remove(name);
    }
    next.call(request).await
}

pub(super) async fn layer(
    shared: Data<Shared>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (started, method, path) = (Instant::now(), request.method().clone(), request.path().to_owned());
    let context = RequestContext::read(&request, &shared.settings);
    canonicalise(&mut request);
    let line = Line { method, path, route: request.match_pattern(), context, started };
    let _in_progress = shared.metrics.http().started();
    line.tag();
    request.extensions_mut().insert(line.context.clone());
    let span = tracing::info_span!(
        "request",
        request_id = line.context.id,
        tenant_id = tracing::field::Empty,
        user_id = tracing::field::Empty
    );
    let answered = async { next.call(request).await }.instrument(span);
    // Nothing that is shared is left half changed by a panic: what handlers share is databases and counters.
    match AssertUnwindSafe(answered).catch_unwind().await {
        Ok(Ok(response)) => Ok(line.finish(&shared, response)),
        Ok(Err(error)) => Err(line.fail(&shared, &Problem::internal(error))),
        Err(_panic) => Err(line.fail(&shared, &Problem::panicked())),
    }
}

impl Line {
    /// Marks what is reported of the request.
    fn tag(&self) {
        if error_reports::is_on() {
            let route = self.route.as_deref().unwrap_or("unmatched");
            // Whoever calls can make up methods.
            let method = labels::Method::from(self.method.as_str());
            let name = format!("{} {route}", method.as_str());
            error_reports::begin(&name);
            error_reports::tag("request_id", &self.context.id);
            error_reports::tag("route", &name);
        }
    }

    fn finish(
        &self,
        shared: &Shared,
        mut response: ServiceResponse<impl MessageBody + 'static>,
    ) -> ServiceResponse<BoxBody> {
        let identity = response.request().extensions().get::<Identity>().copied();
        let status = response.status();
        self.record(shared, status, identity);
        self.headers(shared, response.headers_mut());
        let response = response.map_into_boxed_body();
        if self.method == Method::HEAD && response.response().body().size() == BodySize::Stream {
            // Nobody would read it, and an event stream has no end.
            return response.map_body(|_, _| BoxBody::new(()));
        }
        response
    }

    /// An answer for a request that has been lost on the way.
    fn fail(&self, shared: &Shared, problem: &Problem) -> Error {
        let mut rendered = problem.rendered(shared, &self.context.id, &self.path, self.route.as_deref());
        self.record(shared, rendered.status, None);
        self.headers(shared, &mut rendered.headers);
        Failure(rendered).into()
    }

    fn headers(&self, shared: &Shared, headers: &mut HeaderMap) {
        if let Ok(id) = HeaderValue::from_str(&self.context.id) {
            headers.insert(REQUEST_ID, id);
        }
        let seconds = format!("{:.6}", self.started.elapsed().as_secs_f64());
        if let Ok(seconds) = HeaderValue::from_str(&seconds) {
            headers.insert(PROCESS_TIME, seconds);
        }
        security_headers::add(headers, &shared.settings);
    }

    /// The log line and the metrics.
    fn record(&self, shared: &Shared, status: StatusCode, identity: Option<Identity>) {
        let route = self.route.as_deref();
        let elapsed = self.started.elapsed();
        let event_id = if status.is_server_error() { error_reports::last() } else { None };
        shared.metrics.http().finished(self.method.as_str(), route, status.as_u16(), elapsed);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    method = %self.method,
                    route = route.unwrap_or("unmatched"),
                    path = self.path,
                    status = status.as_u16(),
                    duration_ms = milliseconds(elapsed),
                    client_ip = self.context.address.map(tracing::field::display),
                    request_id = self.context.id,
                    tenant_id = identity.map(|identity| tracing::field::display(identity.tenant_id)),
                    user_id = identity.map(|identity| tracing::field::display(identity.user_id)),
                    event_id = event_id.map(tracing::field::display),
                    "request"
                )
            };
        }
        if status.is_server_error() {
            line!(error);
        } else if status.is_client_error() {
            line!(warn);
        } else {
            line!(info);
        }
    }
}

fn milliseconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// `HEAD` is `GET` whose body nobody sends, and a health check is one with or without the final slash.
fn canonicalise(request: &mut ServiceRequest) {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let path = request.path();
    if is_health(path) {
        return;
    }
    let bare = path.strip_suffix('/').unwrap_or(path);
    let Some(routed) = HEALTH.iter().find(|health| health.strip_suffix('/').unwrap_or(health) == bare) else {
        return;
    };
    let routed = Uri::from_static(routed);
    request.match_info_mut().get_mut().update(&routed);
    request.head_mut().uri = routed;
}

/// An answer without the request it belongs to.
#[derive(Debug)]
struct Failure(Rendered);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request failed")
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let Rendered { status, headers, body } = &self.0;
        Rendered { status: *status, headers: headers.clone(), body: body.clone() }.into()
    }
}
