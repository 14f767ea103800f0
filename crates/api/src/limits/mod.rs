//! How many requests are answered: which limits hold where, and what callers are told.
//!
//! The counting is [`ratelimit`]'s. Here are the product's policies, by whom they count, and for which routes.

mod attempt;
mod policies;
mod settings;

use std::{sync::Arc, time::Duration};

use actix_web::{HttpMessage as _, HttpRequest, http::Method, web::Data};
use ratelimit::{
    Dim, Keys, Limiter, Observer, Policy, PolicyName, Prefixes, Proxies, Report, Store, Subject,
    actix::{Identity, RateLimit, Refusal, Reports, RouteLimits},
};

pub(crate) use self::attempt::Attempt;
use self::policies::Policies;
pub use self::settings::{InvalidLimit, LimitSettings, Quota};
use crate::{
    context::Identity as Caller,
    problem::{Problem, ProblemCode},
    service::Shared,
    settings::Settings,
};

/// Where requests are counted, and by which secret clients are told apart without being named.
#[derive(Debug, Clone)]
pub struct Counting {
    /// What keeps the counts; it should go on by itself when it has to, as a [`ratelimit::FailoverStore`] does.
    pub store: Arc<dyn Store>,
    /// Hashes what identifies a client. The same for all processes that share the store.
    pub keys: Keys,
    /// Hears of decisions.
    pub observer: Arc<dyn Observer>,
}

/// The limits of a deployment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Limits {
    layer: RateLimit,
    /// `None` where limits are off.
    failed_logins: Option<Arc<(Limiter, Policy)>>,
}

/// Under `/api/v1`: signing in, by any way that guesses at secrets.
const GUESSED_AT: [&str; 3] = ["/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/register"];
/// Syncs that people ask for.
const SYNCS: [&str; 2] = ["/api/v1/marketplace-accounts/{id}/sync", "/api/v1/products/sync"];
/// What machines of the operator's ask.
const EXEMPT: [&str; 6] = [
    "/health",
    "/health/detailed",
    "/api/v1/health/",
    "/api/v1/health/ready",
    "/api/v1/health/live",
    "/metrics",
];
/// What describes the service.
const DOCUMENTATION: [&str; 5] = ["/openapi.json", "/docs", "/docs/{file}*", "/redoc", "/redoc/{file}*"];
/// Where a caller reads how he stands.
pub(crate) const STANDING: &str = "/api/v1/rate-limits";

impl Limits {
    /// No limits at all.
    pub fn off() -> Self {
        Self { layer: RateLimit::off(), failed_logins: None }
    }

    /// Limits that hold for every request.
    pub fn new(
        limits: &LimitSettings,
        settings: &Settings,
        counting: Counting,
    ) -> Result<Self, InvalidLimit> {
        let Policies { everywhere, guesses, failed_logins, syncs, looks } = Policies::new(limits)?;
        let Counting { store, keys, observer } = counting;
        let limiter = Limiter::new(store, keys).with_observer(observer);
        let mut layer = RateLimit::builder(limiter.clone())
            .proxies(Proxies::networks(settings.trusted_proxies.iter().copied()))
            .prefixes(Prefixes::default())
            .identify(|request, identity| know(request.request(), identity))
            .refuse(refuse);
        let documentation = DOCUMENTATION.iter().filter(|_| settings.docs_enabled);
        for path in EXEMPT.iter().chain(documentation) {
            layer = layer.route(RouteLimits::any_method(path).exempt());
        }
        for path in GUESSED_AT {
            layer = layer.route(RouteLimits::new(Method::POST, path).policy(guesses.clone()));
        }
        for path in SYNCS {
            layer = layer.route(RouteLimits::new(Method::POST, path).policy(syncs.clone()));
        }
        // Reading costs the caller nothing; strangers are counted here as everywhere.
        let somebody = Subject::new().with(Dim::Tenant, "").with(Dim::User, "");
        let of_callers = everywhere.iter().filter(|policy| policy.holds_for(&somebody));
        let free = RouteLimits::new(Method::GET, STANDING).policy(looks);
        layer = layer.route(of_callers.fold(free, |route, policy| route.cost(policy.name(), 0)));
        for policy in everywhere {
            layer = layer.everywhere(policy);
        }
        Ok(Self { layer: layer.build(), failed_logins: Some(Arc::new((limiter, failed_logins))) })
    }

    /// The layer around the application.
    pub(crate) fn layer(&self) -> RateLimit {
        self.layer.clone()
    }

    /// How the caller stands under every policy that holds for him. `None` without limits.
    pub(crate) async fn standing(
        &self,
        request: &HttpRequest,
        caller: Caller,
    ) -> Result<Option<Report>, Problem> {
        let mut identity = Identity::default();
        know_caller(caller, &mut identity);
        let before = request.extensions().get::<Reports>().cloned().unwrap_or_default();
        self.layer.standing(&identity, &before).await.map_err(Problem::internal)
    }

    /// Counts an attempt to sign in to an account as a failed one, until it is known to have succeeded.
    pub(crate) async fn attempt(&self, request: &HttpRequest, account: &str) -> Result<Attempt, Problem> {
        match self.failed_logins.as_deref() {
            Some((limiter, policy)) => Attempt::begin(limiter, policy, request, account).await,
            None => Ok(Attempt::uncounted()),
        }
    }
}

/// Whether nothing is counted on a path, which is a template of ours.
pub(crate) fn is_exempt(path: &str) -> bool {
    EXEMPT.iter().chain(&DOCUMENTATION).any(|exempt| exempt.trim_end_matches('*') == path)
}

/// What a verified token says of a request.
fn know(request: &HttpRequest, identity: &mut Identity) {
    if let Some(caller) = request.extensions().get::<Caller>() {
        know_caller(*caller, identity);
    }
}

fn know_caller(caller: Caller, identity: &mut Identity) {
    identity.set(Dim::Tenant, caller.tenant_id.as_uuid().as_bytes());
    identity.set(Dim::User, caller.user_id.as_uuid().as_bytes());
}

/// The answer to a request that was refused.
fn refuse(request: &HttpRequest, refusal: &Refusal<'_>) -> actix_web::HttpResponse {
    let problem = match refusal {
        Refusal::Exceeded(report) => Problem::rate_limited(report),
        other => Problem::new(ProblemCode::Unavailable, "The service cannot answer now; try again shortly.")
            .retry_after(Duration::from_secs(1))
            .because(format!("{other:?}")),
    };
    let shared = request.app_data::<Data<Shared>>().expect("every application has it");
    problem.respond(shared, request)
}

/// The names of policies, for metrics that begin at 0.
pub fn policy_names() -> Vec<PolicyName> {
    policies::NAMES.iter().filter_map(|name| PolicyName::new(name).ok()).collect()
}
