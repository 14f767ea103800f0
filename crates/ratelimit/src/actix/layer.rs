//! The layer itself.

use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use futures::future::LocalBoxFuture;
use smallvec::SmallVec;

use super::routes::CountedByAnswer;
use super::{Identity, Reports, RouteLimits};
use crate::headers::{headers, seconds};
use crate::{CheckError, Decision, Dim, Limiter, Policy, PolicyName, Prefixes, Proxies, Receipt, Report};

type Identify = dyn Fn(&ServiceRequest, &mut Identity) + Send + Sync;
type Refuse = dyn Fn(&HttpRequest, &Refusal<'_>) -> HttpResponse + Send + Sync;

/// Limits the requests of an application. Wrap the whole application in it, once; what it shares between threads is
/// shared by its clones.
#[derive(Clone)]
pub struct RateLimit(Option<Arc<Rules>>);

struct Rules {
    limiter: Limiter,
    proxies: Proxies,
    prefixes: Prefixes,
    identify: Box<Identify>,
    refuse: Box<Refuse>,
    everywhere: Vec<Policy>,
    routes: Vec<RouteLimits>,
}

/// A layer that is being set up.
#[must_use = "a layer is made by `build`"]
pub struct RateLimitBuilder(Rules);

/// Why a request was not let through.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal<'r> {
    /// Policies have no room for it.
    Exceeded(&'r Report),
    /// The store gave no answer, and nothing stood in for it.
    Undecided(&'r CheckError),
}

impl Refusal<'_> {
    /// 429, or 503 when nothing could be decided.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Exceeded(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Undecided(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// When to come again, if that helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Exceeded(report) => report.retry_after(),
            Self::Undecided(_) => Some(Duration::from_secs(1)),
        }
    }
}

impl RateLimit {
    /// Begins a layer that decides by a limiter. Until told otherwise it knows of a request the client's address
    /// only, and believes no proxy.
    pub fn builder(limiter: Limiter) -> RateLimitBuilder {
        RateLimitBuilder(Rules {
            limiter,
            proxies: Proxies::none(),
            prefixes: Prefixes::default(),
            identify: Box::new(|_, _| {}),
            refuse: Box::new(problem),
            everywhere: Vec::new(),
            routes: Vec::new(),
        })
    }

    /// A layer that lets everything through and tells nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// How the sender of a request stands under every policy that holds everywhere or for some route, without
    /// counting anything. Policies of routes that count by the route are left out. `None` when the layer is off.
    ///
    /// `before` is what was decided about the request already: see [`Reports::once_more`].
    pub async fn standing(
        &self,
        identity: &Identity,
        before: &Reports,
    ) -> Result<Option<Report>, CheckError> {
        let Some(rules) = &self.0 else {
            return Ok(None);
        };
        let mut policies: Vec<&Policy> = rules.everywhere.iter().collect();
        for policy in rules.routes.iter().flat_map(|route| &route.policies) {
            if !policies.iter().any(|known| known.name() == policy.name()) {
                policies.push(policy);
            }
        }
        before.once_more(&rules.limiter).peek(policies, &identity.subject()).await.map(Some)
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Rules { limiter, everywhere, routes, .. }) = self.0.as_deref() else {
            return formatter.write_str("RateLimit::off()");
        };
        let mut shown = formatter.debug_struct("RateLimit");
        shown.field("limiter", limiter).field("everywhere", everywhere).field("routes", routes);
        shown.finish_non_exhaustive()
    }
}

impl RateLimitBuilder {
    /// Lets a policy hold for every request that has what it counts by.
    pub fn everywhere(mut self, policy: Policy) -> Self {
        self.0.everywhere.push(policy);
        self
    }

    /// Declares what holds for a route. Where several match, the first does.
    pub fn route(mut self, route: RouteLimits) -> Self {
        self.0.routes.push(route);
        self
    }

    /// Believes these proxies about the client's address.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.0.proxies = proxies;
        self
    }

    /// Takes other parts of an address for one client.
    pub fn prefixes(mut self, prefixes: Prefixes) -> Self {
        self.0.prefixes = prefixes;
        self
    }

    /// Finds out more of a request than its address. It must not do anything expensive: requests that are refused
    /// come here too.
    pub fn identify(
        mut self,
        identify: impl Fn(&ServiceRequest, &mut Identity) + Send + Sync + 'static,
    ) -> Self {
        self.0.identify = Box::new(identify);
        self
    }

    /// Answers refusals in another way than by a problem of RFC 9457. The headers are added by the layer.
    pub fn refuse(
        mut self,
        refuse: impl Fn(&HttpRequest, &Refusal<'_>) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.0.refuse = Box::new(refuse);
        self
    }

    /// The layer.
    pub fn build(self) -> RateLimit {
        RateLimit(Some(Arc::new(self.0)))
    }
}

/// A problem as the IETF draft describes it.
fn problem(_request: &HttpRequest, refusal: &Refusal<'_>) -> HttpResponse {
    let (kind, title) = match refusal {
        Refusal::Exceeded(_) => ("quota-exceeded", "Too many requests"),
        Refusal::Undecided(_) => ("temporary-reduced-capacity", "Temporarily unavailable"),
    };
    let violated: Vec<String> = match refusal {
        Refusal::Exceeded(report) => {
            report.refusing().map(|state| format!("\"{}\"", state.policy())).collect()
        }
        Refusal::Undecided(_) => Vec::new(),
    };
    // Names of policies are plain: nothing in it needs escaping.
    let body = format!(
        r#"{{"type":"https://iana.org/assignments/http-problem-types#{kind}","title":"{title}","status":{},"violated-policies":[{}]}}"#,
        refusal.status().as_u16(),
        violated.join(","),
    );
    HttpResponse::build(refusal.status()).content_type("application/problem+json").body(body)
}

impl Rules {
    /// What is decided about a request, `None` when it is exempt. With it comes what its answer may give back.
    async fn decide(&self, request: &ServiceRequest) -> Option<(Result<Decision, CheckError>, Later)> {
        // A preflight: it cannot be told of limits, nor do anything.
        if request.method() == Method::OPTIONS
            && request.headers().contains_key("access-control-request-method")
        {
            return None;
        }
        let route = self.routes.iter().find(|route| route.matches(request));
        if route.is_some_and(|route| route.exempt) {
            return None;
        }
        let identity = self.identity(request, route);
        let policies = self.everywhere.iter().chain(route.into_iter().flat_map(|route| &route.policies));
        let costs = policies.map(|policy| (policy, route.map_or(1, |route| route.cost_of(policy.name()))));
        let decision = self.limiter.check_costs(costs, &identity.subject()).await;
        let later = route.map(|route| route.counted_by_answer.as_slice().into()).unwrap_or_default();
        Some((decision, later))
    }

    fn identity(&self, request: &ServiceRequest, route: Option<&RouteLimits>) -> Identity {
        let mut identity = Identity::default();
        if let Some(peer) = request.peer_addr() {
            let lines = request.headers().get_all("x-forwarded-for").map(HeaderValue::as_bytes);
            let client = self.proxies.client(peer.ip(), lines);
            identity.set(Dim::Ip, self.prefixes.network(client));
        }
        if let Some(route) = route {
            identity.set(Dim::Endpoint, route.name());
        }
        (self.identify)(request, &mut identity);
        identity
    }

    /// Gives back what the answer says was not to be counted. It goes on counting when the store fails just now.
    async fn settle(&self, later: &Later, receipt: Option<Receipt>, status: StatusCode) {
        let back: SmallVec<[PolicyName; 2]> =
            later.iter().filter(|(_, counts)| !counts(status)).map(|(name, _)| *name).collect();
        if !back.is_empty() {
            self.give_back(receipt.map(|receipt| receipt.only(&back))).await;
        }
    }

    async fn give_back(&self, receipt: Option<Receipt>) {
        if let Some(receipt) = receipt
            && let Err(error) = self.limiter.refund(receipt).await
        {
            tracing::warn!(%error, "a request stays counted that should not be");
        }
    }
}

/// Policies that count by the answer.
type Later = SmallVec<[CountedByAnswer; 2]>;

impl<S, B> Transform<S, ServiceRequest> for RateLimit
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RateLimitService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RateLimitService { service: Rc::new(service), rules: self.0.clone() }))
    }
}

/// The layer around a service.
pub struct RateLimitService<S> {
    service: Rc<S>,
    rules: Option<Arc<Rules>>,
}

impl<S> fmt::Debug for RateLimitService<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RateLimitService(..)")
    }
}

impl<S, B> Service<ServiceRequest> for RateLimitService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (service, rules) = (Rc::clone(&self.service), self.rules.clone());
        Box::pin(async move {
            let Some(rules) = rules else {
                return Ok(service.call(request).await?.map_into_left_body());
            };
            let Some((decision, later)) = rules.decide(&request).await else {
                return Ok(service.call(request).await?.map_into_left_body());
            };
            let decision = match decision {
                Ok(decision) if decision.is_admitted() => decision,
                Ok(decision) => {
                    let report = decision.into_report();
                    let mut answer = (rules.refuse)(request.request(), &Refusal::Exceeded(&report));
                    add_headers(answer.headers_mut(), [&report]);
                    return Ok(request.into_response(answer).map_into_right_body());
                }
                Err(error) => {
                    tracing::error!(%error, "a request could not be decided about");
                    let refusal = Refusal::Undecided(&error);
                    let mut answer = (rules.refuse)(request.request(), &refusal);
                    let wait = refusal.retry_after().map_or(1, seconds);
                    answer.headers_mut().insert(HeaderName::from_static("retry-after"), wait.into());
                    return Ok(request.into_response(answer).map_into_right_body());
                }
            };
            let (report, receipt) = decision.into_parts();
            request.extensions_mut().insert(Reports::of(report));
            let answered = service.call(request).await;
            let status = match &answered {
                Ok(response) => response.status(),
                Err(error) => error.as_response_error().status_code(),
            };
            let mut response = match answered {
                Ok(response) => response,
                Err(error) => {
                    rules.settle(&later, receipt, status).await;
                    return Err(error);
                }
            };
            let reports = response.request().extensions().get::<Reports>().cloned().unwrap_or_default();
            if reports.iter().all(Report::is_admitted) {
                rules.settle(&later, receipt, status).await;
            } else {
                // A handler decided once more, and refused: then the request counts nowhere.
                rules.give_back(receipt).await;
            }
            add_headers(response.headers_mut(), reports.iter());
            Ok(response.map_into_left_body())
        })
    }
}

fn add_headers<'r>(map: &mut HeaderMap, reports: impl IntoIterator<Item = &'r Report>) {
    for (name, value) in headers(reports) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            map.insert(HeaderName::from_static(name), value);
        }
    }
}
