//! What one request asks of several policies.

use smallvec::SmallVec;

use crate::{Algorithm, LimitKey, Mode, OnStoreError, Policy, PolicyName, Rule};

/// What one request asks of one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Under what it counts.
    pub(crate) key: LimitKey,
    /// What is allowed.
    pub(crate) rule: Rule,
    /// How much it counts for.
    pub(crate) cost: u32,
    pub(crate) shadow: bool,
    pub(crate) on_store_error: OnStoreError,
    pub(crate) advertised: bool,
}

impl Ask {
    /// Under what the request counts.
    pub fn key(&self) -> LimitKey {
        self.key
    }

    /// What is allowed.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// How much the request counts for.
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Whether the policy only watches.
    pub fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// What holds while the store cannot be asked.
    pub fn on_store_error(&self) -> OnStoreError {
        self.on_store_error
    }
}

/// Why a plan makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A cost above what one request may write into a log, which keeps an entry for each unit of it.
    #[error(
        "policy `{policy}`: a cost of {cost} is above {largest}, the most that one request writes into its log"
    )]
    CostTooLarge {
        /// The policy.
        policy: PolicyName,
        /// The cost asked.
        cost: u32,
        /// The largest that is possible.
        largest: u32,
    },
    /// A key that was made for another policy, or for a rule of another algorithm or window.
    #[error("policy `{policy}` is asked about a key that is not counted by its rule, but by one of `{of}`")]
    ForeignKey {
        /// The policy.
        policy: PolicyName,
        /// The policy that the key was made for.
        of: PolicyName,
    },
    /// One key under two rules.
    #[error("policy `{policy}` is asked twice, under different rules")]
    Conflict {
        /// The policy.
        policy: PolicyName,
    },
}

/// What one request asks of several policies: it is admitted by all or counted by none. Up to six policies take no
/// allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    asks: SmallVec<[Ask; 6]>,
    /// The store has been waited for enough: whoever can goes on without it.
    alone: bool,
}

impl Plan {
    /// The largest cost under [`Algorithm::SlidingLog`]: a store is not held up for longer by one request.
    pub const LARGEST_LOG_COST: u32 = 100;
    /// The same under [`Algorithm::CompactLog`].
    pub const LARGEST_COMPACT_COST: u32 = 10_000;

    /// A plan that asks nothing; it is always admitted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks one more policy. A cost of 0 only looks. A policy that is [`Mode::Off`] is left out; the same key asked
    /// twice counts with both costs.
    pub fn ask(&mut self, policy: &Policy, key: LimitKey, cost: u32) -> Result<(), PlanError> {
        self.ask_by(policy, policy.rule(), key, cost)
    }

    /// The same with another rule than the policy's own, for exceptions such as a tenant's larger limit.
    pub fn ask_by(&mut self, policy: &Policy, rule: Rule, key: LimitKey, cost: u32) -> Result<(), PlanError> {
        if key.policy() != policy.name() || !key.is_of(rule) {
            return Err(PlanError::ForeignKey { policy: policy.name(), of: key.policy() });
        }
        if policy.mode() == Mode::Off {
            return Ok(());
        }
        self.add(Ask {
            key,
            rule,
            cost,
            shadow: policy.mode() == Mode::Shadow,
            on_store_error: policy.on_store_error(),
            advertised: policy.is_advertised(),
        })
    }

    pub(crate) fn add(&mut self, ask: Ask) -> Result<(), PlanError> {
        let policy = ask.key.policy();
        let same = self.asks.iter_mut().find(|other| other.key == ask.key);
        let cost = match &same {
            Some(other) if (other.rule, other.shadow) != (ask.rule, ask.shadow) => {
                return Err(PlanError::Conflict { policy });
            }
            Some(other) => other.cost.saturating_add(ask.cost),
            None => ask.cost,
        };
        let largest = match ask.rule.algorithm() {
            Algorithm::SlidingLog => Self::LARGEST_LOG_COST,
            Algorithm::CompactLog => Self::LARGEST_COMPACT_COST,
            Algorithm::Gcra { .. } | Algorithm::FixedWindow => u32::MAX,
        };
        if cost > largest {
            return Err(PlanError::CostTooLarge { policy, cost, largest });
        }
        match same {
            Some(other) => other.cost = cost,
            None => self.asks.push(ask),
        }
        Ok(())
    }

    /// The same with policies that are open while the store fails watching only.
    pub(crate) fn opened(&self) -> Self {
        let mut plan = self.clone();
        for ask in &mut plan.asks {
            ask.shadow |= ask.on_store_error == OnStoreError::Open;
        }
        plan
    }

    /// Asks that are those of another plan.
    pub(crate) fn of(asks: Vec<Ask>) -> Self {
        Self { asks: asks.into(), alone: false }
    }

    pub(crate) fn without_the_store(&mut self) {
        self.alone = true;
    }

    pub(crate) fn is_without_the_store(&self) -> bool {
        self.alone
    }

    /// What it asks, in the order in which it was asked.
    pub fn asks(&self) -> &[Ask] {
        &self.asks
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Keys, Subject};

    fn policy(mode: Mode) -> (Policy, LimitKey) {
        let policy = Policy::builder("p", 5_000, Duration::from_mins(1)).mode(mode).build().unwrap();
        let key = Keys::new([0; 16]).key(&policy, &Subject::new()).unwrap();
        (policy, key)
    }

    #[test]
    fn the_same_key_twice_is_asked_once_for_both_costs() {
        let (policy, key) = policy(Mode::Enforce);
        let mut plan = Plan::new();
        plan.ask(&policy, key, 2).unwrap();
        plan.ask(&policy, key, 3).unwrap();
        assert_eq!(plan.asks().len(), 1);
        assert_eq!(plan.asks()[0].cost(), 5);

        let other = Rule::new(Algorithm::SlidingLog, 7_000, Duration::from_mins(1)).unwrap();
        assert_eq!(plan.ask_by(&policy, other, key, 1), Err(PlanError::Conflict { policy: policy.name() }));
        let too_large = PlanError::CostTooLarge { policy: policy.name(), cost: 101, largest: 100 };
        assert_eq!(plan.ask(&policy, key, 96), Err(too_large));
        assert_eq!(plan.asks()[0].cost(), 5, "a refused ask changes nothing");
    }

    #[test]
    fn a_key_of_something_else_is_refused() {
        let (one, key) = policy(Mode::Enforce);
        let minute = Duration::from_mins(1);
        for other in [
            Policy::builder("q", 5_000, minute).build().unwrap(),
            Policy::builder("p", 5_000, 2 * minute).build().unwrap(),
            Policy::builder("p", 5_000, minute).algorithm(Algorithm::FixedWindow).build().unwrap(),
        ] {
            let refused = Plan::new().ask(&other, key, 1);
            assert_eq!(refused, Err(PlanError::ForeignKey { policy: other.name(), of: one.name() }));
        }
        let raised = Rule::new(Algorithm::SlidingLog, 9_000, minute).unwrap();
        assert_eq!(Plan::new().ask_by(&one, raised, key, 1), Ok(()));
    }

    #[test]
    fn a_policy_that_is_off_is_not_asked() {
        let (policy, key) = policy(Mode::Off);
        let mut plan = Plan::new();
        plan.ask(&policy, key, 1).unwrap();
        assert!(plan.asks().is_empty());
    }

    #[test]
    fn six_policies_take_no_allocation() {
        let keys = Keys::new([0; 16]);
        let mut plan = Plan::new();
        for name in ["a", "b", "c", "d", "e", "f"] {
            let named = Policy::builder(name, 1, Duration::from_mins(1)).build().unwrap();
            plan.ask(&named, keys.key(&named, &Subject::new()).unwrap(), 1).unwrap();
        }
        assert_eq!(plan.asks().len(), 6);
        assert!(!plan.asks.spilled());
    }
}
