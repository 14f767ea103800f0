//! A policy: a rule with its name, whom it counts, and how strictly it is meant.

use std::time::Duration;

use crate::{Algorithm, Dim, NameError, PolicyName, Rule, RuleError, Scope, ScopeError, Subject};

/// How strictly a policy is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// It refuses what is above its limit.
    #[default]
    Enforce,
    /// It counts as if it were enforced and tells what it would refuse, and refuses nothing.
    Shadow,
    /// It is not asked.
    Off,
}

/// What holds while the store cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum OnStoreError {
    /// Everything is admitted.
    Open,
    /// Nothing is admitted.
    Closed,
    /// This process counts by itself.
    #[default]
    Local,
}

/// Why a policy makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its rule.
    #[error("policy `{policy}`: {source}")]
    Rule {
        /// Name of the policy.
        policy: PolicyName,
        /// What is wrong with the rule.
        source: RuleError,
    },
    /// Its scope.
    #[error("policy `{policy}`: {source}")]
    Scope {
        /// Name of the policy.
        policy: PolicyName,
        /// What is wrong with the scope.
        source: ScopeError,
    },
}

/// How much of what may happen in which time. Made by [`Policy::builder`], checked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    name: PolicyName,
    scope: Scope,
    rule: Rule,
    mode: Mode,
    on_store_error: OnStoreError,
    advertised: bool,
    only: Vec<Dim>,
    unless: Vec<Dim>,
    unknown_by_address: bool,
}

impl Policy {
    /// Begins a policy of `limit` per `window`: an exact sliding window over all requests, enforced, counted locally
    /// while the store fails.
    pub fn builder(name: &str, limit: u32, window: Duration) -> PolicyBuilder {
        PolicyBuilder {
            name: PolicyName::new(name),
            dims: Vec::new(),
            limit,
            window,
            algorithm: Algorithm::default(),
            mode: Mode::default(),
            on_store_error: OnStoreError::default(),
            advertised: None,
            only: Vec::new(),
            unless: Vec::new(),
            unknown_by_address: false,
        }
    }

    /// Whether it holds for a request at all.
    pub fn holds_for(&self, subject: &Subject<'_>) -> bool {
        let known = |&dim: &Dim| subject.get(dim).is_ok();
        self.only.iter().all(known) && !self.unless.iter().any(known)
    }

    /// Whether a request that lacks what it counts by is counted by its address instead.
    pub fn counts_unknown_by_address(&self) -> bool {
        self.unknown_by_address
    }

    /// Its name.
    pub fn name(&self) -> PolicyName {
        self.name
    }

    /// Which requests count together.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What is allowed.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// How strictly it is meant.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What holds while the store cannot be asked.
    pub fn on_store_error(&self) -> OnStoreError {
        self.on_store_error
    }

    /// Whether clients are told of it. A shadow policy never is.
    pub fn is_advertised(&self) -> bool {
        self.advertised && self.mode == Mode::Enforce
    }
}

/// A policy that is not checked yet.
#[derive(Clone, Debug)]
#[must_use = "a policy is made by `build`"]
pub struct PolicyBuilder {
    name: Result<PolicyName, NameError>,
    dims: Vec<Dim>,
    limit: u32,
    window: Duration,
    algorithm: Algorithm,
    mode: Mode,
    on_store_error: OnStoreError,
    advertised: Option<bool>,
    only: Vec<Dim>,
    unless: Vec<Dim>,
    unknown_by_address: bool,
}

impl PolicyBuilder {
    /// Counts requests by these dimensions instead of all together. It does not hold for requests that lack one of
    /// them: these never count together as "unknown".
    pub fn scope(mut self, dims: impl IntoIterator<Item = Dim>) -> Self {
        self.dims = dims.into_iter().collect();
        self
    }

    /// Leaves out requests of which one of these is not known, whatever it counts by.
    pub fn only(mut self, dims: impl IntoIterator<Item = Dim>) -> Self {
        self.only = dims.into_iter().collect();
        self
    }

    /// Leaves out requests of which one of these is known, such as those of a tenant from a limit for strangers.
    pub fn unless(mut self, dims: impl IntoIterator<Item = Dim>) -> Self {
        self.unless = dims.into_iter().collect();
        self
    }

    /// Counts requests that lack what it counts by under the client's address instead of leaving them out.
    pub fn unknown_by_address(mut self) -> Self {
        self.unknown_by_address = true;
        self
    }

    /// Counts by another algorithm than [`Algorithm::SlidingLog`].
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Sets how strictly it is meant.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets what holds while the store cannot be asked.
    pub fn on_store_error(mut self, then: OnStoreError) -> Self {
        self.on_store_error = then;
        self
    }

    /// Sets whether clients are told of it. Without this they are, unless it counts all requests together: that
    /// would tell strangers how busy the service is.
    pub fn advertised(mut self, advertised: bool) -> Self {
        self.advertised = Some(advertised);
        self
    }

    /// Checks everything.
    pub fn build(self) -> Result<Policy, PolicyError> {
        let policy = self.name?;
        let scope = Scope::new(self.dims).map_err(|source| PolicyError::Scope { policy, source })?;
        let rule = Rule::new(self.algorithm, self.limit, self.window);
        let rule = rule.map_err(|source| PolicyError::Rule { policy, source })?;
        let advertised = self.advertised.unwrap_or(!scope.is_global());
        let Self { mode, on_store_error, only, unless, unknown_by_address, .. } = self;
        let name = policy;
        Ok(Policy { name, scope, rule, mode, on_store_error, advertised, only, unless, unknown_by_address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_policy() {
        let build = |name: &str, limit, dims: &[Dim]| {
            let builder = Policy::builder(name, limit, Duration::from_mins(1)).scope(dims.iter().copied());
            builder.build().unwrap_err().to_string()
        };
        assert_eq!(build("api", 0, &[]), "policy `api`: the limit must be at least 1");
        assert_eq!(build("api", 1, &[Dim::Ip, Dim::Ip]), "policy `api`: the scope names `ip` twice");
        assert!(build("Api", 1, &[]).contains("\"Api\""));
    }

    #[test]
    fn clients_are_told_of_what_is_theirs_and_enforced() {
        let minute = Duration::from_mins(1);
        let told = |builder: PolicyBuilder| builder.build().unwrap().is_advertised();
        assert!(!told(Policy::builder("all", 1, minute)));
        assert!(told(Policy::builder("all", 1, minute).advertised(true)));
        assert!(told(Policy::builder("mine", 1, minute).scope([Dim::User])));
        assert!(!told(Policy::builder("mine", 1, minute).scope([Dim::User]).mode(Mode::Shadow)));
    }
}
