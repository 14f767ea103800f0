//! One call to a marketplace: limit asked, sent, read within bounds, judged, retried, limit told.

use std::{error::Error as _, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use domain::{
    limit::{Claim, Grant, SellerLimiter},
    marketplace::MarketplaceCode,
};
use rand::Rng as _;
use reqwest::{
    RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use tokio::time::{Instant, sleep};

use crate::{
    error::Error,
    factory::Settings,
    observer::{CallObserver, CallOutcome},
};

/// Longest wait for a limit that is slept through here. A longer one goes back to the caller, who can show it, and
/// free its worker.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often one call is sent before its failure counts as one.
const TRIES: u32 = 3;

/// Wait before the second try; doubled for each further one.
const BACKOFF: Duration = Duration::from_millis(500);

/// The HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built")]
pub struct ClientBuildError(#[from] reqwest::Error);

/// What is known of a call before it is sent.
#[derive(Debug)]
pub(crate) struct Plan {
    pub marketplace: MarketplaceCode,
    pub operation: &'static str,
    /// The limit it counts in, and the name of its group.
    pub claim: Claim,
    pub group: &'static str,
    /// Whether the marketplace allows no burst at all. Its next interval is then counted from the arrival of the
    /// answer, because nobody here knows when the call arrived there.
    pub single: bool,
    /// As how many calls a 4xx answer counts.
    pub error_cost: u32,
    /// Most bytes of an answer.
    pub max_bytes: usize,
}

/// An answer that arrived whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Whether it is a page for people, whatever it says it is: the word of a proxy, not of the marketplace.
    pub(crate) fn is_html(&self) -> bool {
        let declared = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        declared.is_some_and(|value| value.to_ascii_lowercase().contains("html"))
            || self.body.trim_ascii_start().starts_with(b"<")
    }
}

/// Makes calls for every connector of the process.
pub(crate) struct Caller {
    client: reqwest::Client,
    limiter: Arc<dyn SellerLimiter>,
    observer: Arc<dyn CallObserver>,
    scale: f64,
}

impl Caller {
    pub(crate) fn new(
        settings: &Settings,
        limiter: Arc<dyn SellerLimiter>,
        observer: Arc<dyn CallObserver>,
    ) -> Result<Self, ClientBuildError> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("stock-tracker/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, limiter, observer, scale: settings.limit_scale.max(0.0) })
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// A period of a marketplace as it counts here.
    pub(crate) fn scaled(&self, period: Duration) -> Duration {
        Duration::try_from_secs_f64(period.as_secs_f64() * self.scale).unwrap_or(period)
    }

    /// Sends a request until it is answered, refused for good, or has failed [`TRIES`] times. `judge` turns an answer
    /// into what it means, or says why it means nothing.
    pub(crate) async fn call<T>(
        &self,
        plan: &Plan,
        request: impl Fn() -> RequestBuilder,
        judge: impl Fn(&Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut failure = None;
        let mut attempt = 1;
        loop {
            if let Some(wait) = self.wait_for_limit(&plan.claim).await? {
                return Err(match failure {
                    None => Error::RateLimited { retry_after: wait, group: plan.group },
                    Some(what) => {
                        Error::Transient { operation: plan.operation, what, retry_after: Some(wait) }
                    }
                });
            }
            let started = Instant::now();
            let (status, result) = match exchange(request(), plan).await {
                Ok(answer) => (Some(answer.status), judge(&answer)),
                Err(error) => (None, Err(error)),
            };
            self.report(plan, status, &result, started.elapsed());
            self.settle(plan, status, &result).await?;
            match result {
                Err(Error::Transient { what, .. }) if attempt < TRIES => {
                    failure = Some(what);
                    sleep(self.backoff(attempt)).await;
                }
                Err(Error::RateLimited { retry_after, .. }) if attempt < TRIES && retry_after <= PATIENCE => {
                }
                result => return result,
            }
            attempt += 1;
        }
    }

    /// Waits for the limit as long as patience lasts. Gives the rest of the wait if it does not last.
    async fn wait_for_limit(&self, claim: &Claim) -> Result<Option<Duration>, Error> {
        let mut patience = PATIENCE;
        loop {
            match self.limiter.acquire(std::slice::from_ref(claim)).await? {
                Grant::Now => return Ok(None),
                Grant::After(wait) if wait <= patience => {
                    patience -= wait;
                    sleep(wait).await;
                }
                Grant::After(wait) => return Ok(Some(wait)),
            }
        }
    }

    /// Tells the limits what the answer cost.
    async fn settle<T>(
        &self,
        plan: &Plan,
        status: Option<StatusCode>,
        result: &Result<T, Error>,
    ) -> Result<(), Error> {
        if let Err(Error::RateLimited { retry_after, .. }) = result {
            self.limiter.block(&plan.claim, *retry_after).await?;
        } else if plan.error_cost > 1 && status.is_some_and(|status| status.is_client_error()) {
            self.limiter.charge(&plan.claim, plan.error_cost - 1).await?;
        }
        if plan.single {
            self.limiter.block(&plan.claim, plan.claim.rate.interval).await?;
        }
        Ok(())
    }

    fn report<T>(
        &self,
        plan: &Plan,
        status: Option<StatusCode>,
        result: &Result<T, Error>,
        elapsed: Duration,
    ) {
        let outcome = CallOutcome::of(result);
        self.observer.call_finished(plan.marketplace, plan.operation, outcome, elapsed);
        let (marketplace, operation, status) =
            (plan.marketplace.name(), plan.operation, status.map(|s| s.as_u16()));
        match result {
            Ok(_) => tracing::debug!(marketplace, operation, status, ?elapsed, "marketplace answered"),
            Err(error) => {
                tracing::warn!(marketplace, operation, status, ?elapsed, code = error.code(), %error, "marketplace call failed");
            }
        }
    }

    /// Grows with each attempt; half of it is chance, so that those who failed together do not come back together.
    fn backoff(&self, attempt: u32) -> Duration {
        let full = self.scaled(BACKOFF * 2_u32.pow(attempt - 1));
        full.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

/// Sends once and reads the answer, as far as it is allowed to go.
async fn exchange(request: RequestBuilder, plan: &Plan) -> Result<Answer, Error> {
    let broken = |error: reqwest::Error| {
        if error.is_builder() {
            return Error::InvalidRequest { endpoint: plan.operation, what: describe(error) };
        }
        Error::Transient { operation: plan.operation, what: describe(error), retry_after: None }
    };
    let mut response = request.send().await.map_err(broken)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > plan.max_bytes {
            return Err(Error::ContractChanged {
                endpoint: plan.operation,
                what: format!("the answer is larger than {} bytes", plan.max_bytes),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body: body.freeze() })
}

/// The whole chain of causes, without the address.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
