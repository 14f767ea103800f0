//! What is declared for routes.

use actix_web::dev::{ResourceDef, ServiceRequest};
use actix_web::http::{Method, StatusCode};

use crate::{Policy, PolicyName};

/// What holds for the requests of one route, beside what holds everywhere.
#[derive(Clone)]
pub struct RouteLimits {
    method: Option<Method>,
    pattern: ResourceDef,
    /// What [`Dim::Endpoint`](crate::Dim::Endpoint) is on this route.
    name: String,
    pub(super) exempt: bool,
    pub(super) policies: Vec<Policy>,
    costs: Vec<(PolicyName, u32)>,
    pub(super) counted_by_answer: Vec<CountedByAnswer>,
}

/// A policy, and which answers let a request count under it.
pub(super) type CountedByAnswer = (PolicyName, fn(StatusCode) -> bool);

impl RouteLimits {
    /// A route of one method; `pattern` is the whole path as actix writes it, such as `/users/{id}`. `GET` stands for
    /// `HEAD` too.
    ///
    /// # Panics
    ///
    /// On a malformed pattern, as actix's own routes do.
    pub fn new(method: Method, pattern: &str) -> Self {
        let name = format!("{method} {pattern}");
        Self { method: Some(method), name, ..Self::any_method(pattern) }
    }

    /// A route of all methods.
    ///
    /// # Panics
    ///
    /// On a malformed pattern, as actix's own routes do.
    pub fn any_method(pattern: &str) -> Self {
        Self {
            method: None,
            pattern: ResourceDef::new(pattern),
            name: pattern.to_owned(),
            exempt: false,
            policies: Vec::new(),
            costs: Vec::new(),
            counted_by_answer: Vec::new(),
        }
    }

    /// Nothing holds here: requests are neither counted nor refused, and told nothing.
    #[must_use]
    pub fn exempt(mut self) -> Self {
        self.exempt = true;
        self
    }

    /// Lets a policy hold here, beside those that hold everywhere.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// The same for a policy that counts by what the answer is, such as failures only: the request is counted while
    /// it is under way, so that many at once pass no limit, and given back when `counts` says no of its status.
    #[must_use]
    pub fn policy_counting(mut self, policy: Policy, counts: fn(StatusCode) -> bool) -> Self {
        self.counted_by_answer.push((policy.name(), counts));
        self.policy(policy)
    }

    /// How much a request of this route counts for under a policy, here or everywhere, instead of 1. With 0 it is
    /// neither counted nor refused by it, and told of it.
    #[must_use]
    pub fn cost(mut self, policy: PolicyName, cost: u32) -> Self {
        self.costs.push((policy, cost));
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn cost_of(&self, policy: PolicyName) -> u32 {
        self.costs.iter().find(|(name, _)| *name == policy).map_or(1, |(_, cost)| *cost)
    }

    pub(super) fn matches(&self, request: &ServiceRequest) -> bool {
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        // The path as actix routes it: decoded, so that nobody gets around a limit by writing it in another way.
        self.method.as_ref().is_none_or(|own| own == method)
            && self.pattern.is_match(request.match_info().as_str())
    }
}

impl std::fmt::Debug for RouteLimits {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RouteLimits")
            .field("name", &self.name)
            .field("exempt", &self.exempt)
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}
