//! Reports to Sentry: what failed, where, and for whom, and what requests and jobs spent their time on.
//!
//! Without a DSN nothing is set up and everything here does nothing. What is reported is scrubbed on its last step before
//! the network, whatever it is made of: no password, token, key, e-mail address or number of a card leaves
//! the process. Nobody waits for Sentry: reports are scrubbed and sent by threads of their own, and dropped when too many wait.

mod capture;
mod recorded;
mod scrub;
mod spans;
mod transport;

use std::{sync::Arc, time::Duration};

use sentry::{
    ClientInitGuard, ClientOptions, MaxRequestBodySize, TransactionContext, TransportFactory,
    integrations::tracing::{BreadcrumbLayer, ErrorLayer, SpanLayer},
    types::Dsn,
};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

pub use self::{
    capture::{Failure, Severity, begin, capture, last, tag, user},
    spans::{Work, observed, span, with_scope},
};
use crate::metrics::labels::Role;

/// The field of log lines about what was reported already, where more was known of it: the report's id.
const REPORTED: &str = "event_id";
/// The target of `tracing` spans that become spans of a trace.
pub const TRACED: &str = "traced";

/// How many breadcrumbs a report carries at most.
const BREADCRUMBS: usize = 50;
/// Reports that wait for the network at most.
const QUEUE: usize = 100;
/// How long the last reports may take when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Where to report, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address of a project, with its public key.
    pub dsn: Dsn,
    /// Where the product runs.
    pub environment: String,
    /// What runs.
    pub release: String,
    /// What this process does.
    pub role: Role,
    /// Which share of requests and jobs is traced, from 0 to 1.
    pub traces_sample_rate: f32,
}

/// Why a text is no DSN.
#[derive(Debug, thiserror::Error)]
#[error("not a DSN (`https://key@host/project`): {0}")]
pub struct DsnError(#[from] sentry::types::ParseDsnError);

impl Settings {
    /// Reads a DSN.
    pub fn dsn(text: &str) -> Result<Dsn, DsnError> {
        Ok(text.parse()?)
    }
}

/// Reporting, until it is dropped: then the last reports are sent.
#[must_use = "nothing is reported after it is dropped"]
pub struct ErrorReports(ClientInitGuard);

/// Begins to report. To be called on the main thread, before a runtime is started, once.
pub fn init(settings: &Settings) -> ErrorReports {
    init_over(settings, Arc::new(transport::Http))
}

/// The same over a transport of one's own, which gets what would go over the network.
pub fn init_over(settings: &Settings, transport: Arc<dyn TransportFactory>) -> ErrorReports {
    let rate = settings.traces_sample_rate;
    let mut options = ClientOptions::new()
        .environment(settings.environment.clone())
        .release(settings.release.clone())
        .max_breadcrumbs(BREADCRUMBS)
        .send_default_pii(false)
        .max_request_body_size(MaxRequestBodySize::None)
        .shutdown_timeout(LAST_WORDS)
        .transport_channel_capacity(QUEUE)
        .traces_sampler(move |trace: &TransactionContext| if is_noise(trace.name()) { 0.0 } else { rate })
        .transport(transport::Scrubbing::around(transport));
    options.dsn = Some(settings.dsn.clone());
    let guard = sentry::init(options);
    let role = settings.role.as_str();
    sentry::configure_scope(|scope| scope.set_tag("role", role));
    ErrorReports(guard)
}

/// What is asked every few seconds and tells nothing. Callers have no say: a `sentry-trace` header of a stranger must not
/// decide what is traced.
fn is_noise(name: &str) -> bool {
    name.contains("/health") || name.ends_with("/metrics")
}

impl ErrorReports {
    /// Sends what waits. Returns whether all of it was sent within `patience`.
    pub fn flush(&self, patience: Duration) -> bool {
        self.0.flush(Some(patience))
    }
}

/// Whether anything is reported.
pub fn is_on() -> bool {
    sentry::Hub::main().client().is_some()
}

/// Makes breadcrumbs of what is logged, reports of errors that were not reported where they were handled, parts of a
/// trace of spans with the target [`TRACED`], and tags of what is found out later of a request or a job.
pub fn layer<S>() -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
{
    let is_reported = |data: &Metadata<'_>| data.fields().field(REPORTED).is_some();
    let breadcrumbs = filter_fn(move |data| {
        let level = *data.level();
        data.is_event() && (level == Level::INFO || level == Level::WARN || is_reported(data))
    });
    let errors =
        filter_fn(move |data| data.is_event() && *data.level() == Level::ERROR && !is_reported(data));
    let spans = filter_fn(|data| data.is_span() && data.target() == TRACED);
    BreadcrumbLayer::new()
        .with_filter(breadcrumbs)
        .and_then(ErrorLayer::new().with_filter(errors))
        .and_then(SpanLayer::new().with_filter(spans))
        .and_then(recorded::RecordedLayer)
}
