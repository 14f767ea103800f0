//! From policies and what is known of a request to a decision.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::observer::{Observer, Unobserved};
use crate::{Keys, LimitKey, Plan, PlanError, Policy, Receipt, Report, Rule, Store, StoreError, Subject};

/// Decides about requests: which policies hold for a request, under which keys it counts, and what the store says.
#[derive(Clone, Debug)]
pub struct Limiter {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Keys,
    exceptions: Arc<dyn Exceptions>,
    observer: Arc<dyn Observer>,
    alone: bool,
}

/// Who has another limit than a policy says. Asked on the way of a request: it must know the answer already.
pub trait Exceptions: Send + Sync + fmt::Debug {
    /// What holds for this request under this policy.
    fn of(&self, policy: &Policy, subject: &Subject<'_>) -> Exception;
}

/// What holds instead of a policy's own rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Exception {
    /// Nothing else.
    #[default]
    None,
    /// Another rule. A limit that was raised is usable at once, and what was counted before still counts, as long as
    /// the algorithm and the window are the policy's own; with others the request counts anew.
    Rule(Rule),
    /// No limit at all.
    Unlimited,
}

/// Nobody has another limit.
#[derive(Clone, Copy, Debug, Default)]
struct Nobody;

impl Exceptions for Nobody {
    fn of(&self, _policy: &Policy, _subject: &Subject<'_>) -> Exception {
        Exception::None
    }
}

/// Why a request could not be decided.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// What was asked makes no sense.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The store gave no answer. A [`FailoverStore`](crate::FailoverStore) always gives one.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was asked about a request, and the answer.
#[derive(Clone, Debug)]
pub struct Decision {
    plan: Plan,
    report: Report,
}

impl Decision {
    /// The answer alone.
    pub fn into_report(self) -> Report {
        self.report
    }

    /// The answer, and what gives the admission back if there was one.
    pub fn into_parts(self) -> (Report, Option<Receipt>) {
        let receipt = self.report.receipt(&self.plan);
        (self.report, receipt)
    }
}

impl Deref for Decision {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.report
    }
}

impl Limiter {
    /// Decides by what `store` counts. All processes that share it need the same secret in `keys`.
    pub fn new(store: Arc<dyn Store>, keys: Keys) -> Self {
        Self { store, keys, exceptions: Arc::new(Nobody), observer: Arc::new(Unobserved), alone: false }
    }

    /// Gives some other limits than the policies say.
    #[must_use]
    pub fn with_exceptions(mut self, exceptions: Arc<dyn Exceptions>) -> Self {
        self.exceptions = exceptions;
        self
    }

    /// Tells of every decision.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// The same for a request that has waited for the store in vain before: a [`FailoverStore`](crate::FailoverStore)
    /// does not ask it again.
    #[must_use]
    pub fn without_the_store(&self) -> Self {
        Self { alone: true, ..self.clone() }
    }

    /// Admits a request by every policy that holds for it, or counts it by none.
    pub async fn check<'p>(
        &self,
        policies: impl IntoIterator<Item = &'p Policy>,
        subject: &Subject<'_>,
    ) -> Result<Decision, CheckError> {
        self.check_costs(policies.into_iter().map(|policy| (policy, 1)), subject).await
    }

    /// The same with a cost for each policy. A cost of 0 only looks, and is refused by none.
    pub async fn check_costs<'p>(
        &self,
        costs: impl IntoIterator<Item = (&'p Policy, u32)>,
        subject: &Subject<'_>,
    ) -> Result<Decision, CheckError> {
        let plan = self.plan(costs, subject)?;
        let report = self.store.admit(&plan).await?;
        self.observer.decided(subject, &report);
        Ok(Decision { plan, report })
    }

    /// How a request would stand, without counting it. Policies that only watch are told too.
    pub async fn peek<'p>(
        &self,
        policies: impl IntoIterator<Item = &'p Policy>,
        subject: &Subject<'_>,
    ) -> Result<Report, CheckError> {
        let plan = self.plan(policies.into_iter().map(|policy| (policy, 1)), subject)?;
        Ok(self.store.peek(&plan).await?)
    }

    /// Forgets what was counted for a request under the policies that hold for it. Returns under how many of them
    /// anything was.
    pub async fn reset<'p>(
        &self,
        policies: impl IntoIterator<Item = &'p Policy>,
        subject: &Subject<'_>,
    ) -> Result<u64, CheckError> {
        let plan = self.plan(policies.into_iter().map(|policy| (policy, 1)), subject)?;
        let keys: Vec<LimitKey> = plan.asks().iter().map(crate::Ask::key).collect();
        Ok(self.store.reset(&keys).await?)
    }

    /// Gives an admission back, as if it had not been.
    pub async fn refund(&self, receipt: Receipt) -> Result<u32, StoreError> {
        if receipt.is_empty() {
            return Ok(0);
        }
        self.store.refund(receipt).await
    }

    /// What a request asks of the policies that hold for it.
    fn plan<'p>(
        &self,
        costs: impl IntoIterator<Item = (&'p Policy, u32)>,
        subject: &Subject<'_>,
    ) -> Result<Plan, PlanError> {
        let mut plan = Plan::new();
        if self.alone {
            plan.without_the_store();
        }
        for (policy, cost) in costs {
            if !policy.holds_for(subject) {
                continue;
            }
            let rule = match self.exceptions.of(policy, subject) {
                Exception::None => policy.rule(),
                Exception::Rule(rule) => rule,
                Exception::Unlimited => continue,
            };
            // It does not hold for a request without what it counts by.
            if let Ok(key) = self.keys.key_by(policy, rule, subject) {
                plan.ask_by(policy, rule, key, cost)?;
            }
        }
        Ok(plan)
    }
}
