//! One call to a marketplace: limit asked, sent, read within bounds, judged, retried, limit told.

use std::{sync::Arc, time::Duration};

use domain::{
    limit::{Claim, Grant, SellerLimiter},
    marketplace::MarketplaceCode,
};
use rand::Rng as _;
use reqwest::{RequestBuilder, StatusCode};
use tokio::time::{Instant, sleep};

use super::{
    exchange::{Answer, Arrival, InParts, Intake, Whole},
    guard::Guard,
};
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
    /// A narrower limit without any burst that this type of credential has on the same methods. Others of the same
    /// account do not wait for it.
    pub narrower: Option<Claim>,
    /// Whether the marketplace allows no burst at all. Its next interval is then counted from the arrival of the
    /// answer, because nobody here knows when the call arrived there.
    pub single: bool,
    /// As how many calls a 4xx answer counts.
    pub error_cost: u32,
    /// Most bytes of an answer.
    pub max_bytes: usize,
    /// The field of the credential in which the user entered the address; none where it is the operator's or fixed.
    pub entered_in: Option<&'static str>,
}

/// A client for the marketplaces' own hosts.
pub(crate) fn plain_client(settings: &Settings) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("stock-tracker/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.request_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

/// Makes calls for every connector of the process.
pub(crate) struct Caller {
    client: reqwest::Client,
    guarded: reqwest::Client,
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
        let client = plain_client(settings).build()?;
        let guarded = Guard::new(settings.allow_private).install(plain_client(settings)).build()?;
        Ok(Self { client, guarded, limiter, observer, scale: settings.limit_scale.max(0.0) })
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// For addresses that users enter, each admitted by the guard before.
    pub(crate) fn guarded(&self) -> &reqwest::Client {
        &self.guarded
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
        request: impl Fn() -> RequestBuilder + Sync,
        judge: impl Fn(&Answer) -> Result<T, Error> + Sync,
    ) -> Result<T, Error> {
        self.attempts(plan, &Whole { request, judge }).await
    }

    /// Like [`Self::call`], for an answer too large to be held: `judge` sees its head and the first bytes of a good
    /// one, which is then read as it arrives, from `begin` on. None where a good answer has no content.
    pub(crate) async fn call_arriving<A: Arrival>(
        &self,
        plan: &Plan,
        request: impl Fn() -> RequestBuilder + Sync,
        judge: impl Fn(&Answer) -> Result<(), Error> + Sync,
        begin: fn() -> A,
    ) -> Result<Option<A::Output>, Error> {
        self.attempts(plan, &InParts { request, judge, begin }).await
    }

    async fn attempts<I: Intake>(&self, plan: &Plan, intake: &I) -> Result<I::Output, Error> {
        let mut failure = None;
        let mut attempt = 1;
        loop {
            if let Some(wait) = self.wait_for_limit(plan).await? {
                return Err(match failure {
                    None => Error::RateLimited { retry_after: wait, group: plan.group },
                    Some(what) => {
                        Error::Transient { operation: plan.operation, what, retry_after: Some(wait) }
                    }
                });
            }
            let started = Instant::now();
            let (status, result) = intake.take_in(plan).await;
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
    async fn wait_for_limit(&self, plan: &Plan) -> Result<Option<Duration>, Error> {
        let claims: Vec<Claim> = std::iter::once(&plan.claim).chain(&plan.narrower).cloned().collect();
        let mut patience = PATIENCE;
        loop {
            match self.limiter.acquire(&claims).await? {
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
            self.limiter.block(plan.narrower.as_ref().unwrap_or(&plan.claim), *retry_after).await?;
        } else if plan.error_cost > 1 && status.is_some_and(|status| status.is_client_error()) {
            self.limiter.charge(&plan.claim, plan.error_cost - 1).await?;
        }
        for claim in plan.single.then_some(&plan.claim).into_iter().chain(&plan.narrower) {
            self.limiter.block(claim, claim.rate.interval).await?;
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
