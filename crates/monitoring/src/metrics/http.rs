//! HTTP requests and the errors they end in.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGauge, Registry};

use super::{
    filed,
    labels::{self, Method},
    names,
};

/// HTTP requests.
pub struct Http {
    requests: IntCounterVec,
    duration: HistogramVec,
    in_progress: IntGauge,
}

impl Http {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let in_progress = filed(registry, names::REQUESTS_IN_PROGRESS.int_gauge()?)?;
        Ok(Self {
            requests: filed(registry, names::REQUESTS.counter()?)?,
            duration: filed(registry, names::REQUEST_DURATION.histogram()?)?,
            in_progress: in_progress.get_metric_with_label_values::<&str>(&[])?,
        })
    }

    /// Lets a route's series start at 0: its latency, and its answers with one of `statuses`.
    pub fn announce(&self, method: impl Into<Method>, template: &str, statuses: &[u16]) {
        let method = method.into().as_str();
        self.duration.with_label_values(&[method, template]);
        for status in statuses {
            self.requests.with_label_values(&[method, template, &labels::status_code(*status)]);
        }
    }

    /// Counts a request as in progress until the guard is dropped, also when the client has gone away.
    #[must_use = "the request counts as in progress only while the guard lives"]
    pub fn started(&self) -> RequestInProgress {
        self.in_progress.inc();
        RequestInProgress(self.in_progress.clone())
    }

    /// Records an answer. `template` is the route as declared (`/products/{id}`), never the path of the request;
    /// `None` where no route matched.
    pub fn finished(
        &self,
        method: impl Into<Method>,
        template: Option<&str>,
        status: u16,
        elapsed: Duration,
    ) {
        let (method, endpoint) = (method.into().as_str(), labels::endpoint(template));
        self.requests.with_label_values(&[method, endpoint, &labels::status_code(status)]).inc();
        self.duration.with_label_values(&[method, endpoint]).observe(elapsed.as_secs_f64());
    }
}

/// A request being answered.
pub struct RequestInProgress(IntGauge);

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Errors by code and route.
pub struct Errors {
    errors: IntCounterVec,
}

impl Errors {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self { errors: filed(registry, names::ERRORS.counter()?)? })
    }

    /// Lets the series of an error on a route start at 0.
    pub fn announce(&self, code: &'static str, template: &str) {
        self.errors.with_label_values(&[code, template]);
    }

    /// Records an error by its stable problem code, on the route it happened on (`None`: no route, or not in a request).
    pub fn record(&self, code: &'static str, template: Option<&str>) {
        self.errors.with_label_values(&[code, labels::endpoint(template)]).inc();
    }
}
