//! What a store says of a plan.

use std::time::Duration;

use smallvec::SmallVec;

use crate::algorithm::{Reading, Wait};
use crate::{Ask, LimitKey, OnStoreError, Plan, PolicyName, Rule};

/// How one policy stands, after the request was counted if it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyState {
    policy: PolicyName,
    rule: Rule,
    shadow: bool,
    advertised: bool,
    on_store_error: OnStoreError,
    reading: Reading,
    /// When the newest unit of this admission stops counting, by the clock of the store that counted it; 0 when
    /// nothing was counted.
    counted_until: u64,
    /// The same by the clock of the store that is kept warm, if it was told.
    recorded_until: u64,
}

impl PolicyState {
    /// The same some microseconds later, if nothing happened in between. How much is used then is not known: it may
    /// be less.
    pub(crate) fn age(&mut self, micros: u64) {
        let Reading { next_free, full, wait, .. } = &mut self.reading;
        *next_free = next_free.saturating_sub(micros);
        *full = full.saturating_sub(micros);
        *wait = match *wait {
            Wait::Micros(left) if left > micros => Wait::Micros(left - micros),
            Wait::Micros(_) => Wait::None,
            other => other,
        };
    }

    pub(crate) fn new(ask: &Ask, reading: Reading) -> Self {
        let Ask { key, rule, shadow, advertised, on_store_error, .. } = *ask;
        let policy = key.policy();
        Self {
            policy,
            rule,
            shadow,
            advertised,
            on_store_error,
            reading,
            counted_until: 0,
            recorded_until: 0,
        }
    }

    /// Notes that the request was counted.
    pub(crate) fn counted(mut self, until: u64) -> Self {
        self.counted_until = until;
        self
    }

    /// Notes that the store that is kept warm was told.
    pub(crate) fn recorded(&mut self, until: u64) {
        self.recorded_until = until;
    }

    pub(crate) fn reading(&self) -> Reading {
        self.reading
    }

    /// Whether the request was counted under it.
    pub fn is_counted(&self) -> bool {
        self.counted_until > 0
    }

    pub(crate) fn counted_until(&self) -> u64 {
        self.counted_until
    }

    /// Says nothing of a wait any more.
    pub(crate) fn has_room(&mut self) {
        self.reading.wait = Wait::None;
    }

    /// Lets the policy watch only, as one that is open while the store fails.
    pub(crate) fn open(&mut self) {
        self.shadow = false;
        self.has_room();
    }

    /// Lets the policy refuse whatever is left, as one that is closed while the store fails.
    pub(crate) fn close(&mut self, micros: u64) {
        if self.reading.wait == Wait::None {
            self.reading =
                Reading { used: self.limit(), next_free: micros, full: micros, wait: Wait::Micros(micros) };
        }
    }

    /// What holds for it while the store cannot be asked.
    pub fn on_store_error(&self) -> OnStoreError {
        self.on_store_error
    }

    /// The policy.
    pub fn policy(&self) -> PolicyName {
        self.policy
    }

    /// The rule it was asked by.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Whether the policy only watches.
    pub fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// Whether clients are told of it.
    pub fn is_advertised(&self) -> bool {
        self.advertised
    }

    /// The most that can be used at one moment.
    pub fn limit(&self) -> u32 {
        self.rule.capacity()
    }

    /// How much is used. Above the limit only after the limit was lowered.
    pub fn used(&self) -> u32 {
        self.reading.used
    }

    /// How much is left.
    pub fn remaining(&self) -> u32 {
        self.limit().saturating_sub(self.used())
    }

    /// How long until more is left than now; zero when nothing is used.
    pub fn next_free(&self) -> Duration {
        Duration::from_micros(self.reading.next_free)
    }

    /// How long until nothing is used, if nothing more is admitted.
    pub fn full_reset(&self) -> Duration {
        Duration::from_micros(self.reading.full)
    }

    /// Whether this policy had no room for the request. A shadow policy says so too, and refuses nothing.
    pub fn is_exceeded(&self) -> bool {
        self.reading.wait != Wait::None
    }

    /// How long to wait until there is room, if nothing more is admitted; `None` when there is room, and when there
    /// never will be.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.reading.wait {
            Wait::Micros(wait) => Some(Duration::from_micros(wait)),
            Wait::None | Wait::Never => None,
        }
    }

    /// Whether the request costs more than the limit, so that waiting does not help.
    pub fn is_unsatisfiable(&self) -> bool {
        self.reading.wait == Wait::Never
    }
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Source {
    /// The store was asked.
    #[default]
    Store,
    /// An earlier refusal still holds. The time and the waits are of now; how much is used is of then.
    DenyCache,
    /// The store could not be asked: each policy by its own [`OnStoreError`].
    Fallback,
}

/// What a store says of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub(crate) admitted: bool,
    /// Microseconds since 1970 by the store's clock.
    pub(crate) now: u64,
    pub(crate) states: SmallVec<[PolicyState; 6]>,
    pub(crate) nonce: u64,
    pub(crate) source: Source,
}

impl Report {
    /// Whether the request is admitted; of a peek, whether it would be.
    pub fn is_admitted(&self) -> bool {
        self.admitted
    }

    /// Who decided.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The store's time since 1970.
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.now)
    }

    /// Every policy that was asked, in the order of the plan.
    pub fn states(&self) -> &[PolicyState] {
        &self.states
    }

    /// The policies that refuse the request.
    pub fn refusing(&self) -> impl Iterator<Item = &PolicyState> {
        self.states.iter().filter(|state| !state.is_shadow() && state.is_exceeded() && !self.admitted)
    }

    /// The policies that would refuse the request if they were enforced.
    pub fn shadow_refusing(&self) -> impl Iterator<Item = &PolicyState> {
        self.states.iter().filter(|state| state.is_shadow() && state.is_exceeded())
    }

    /// How long to wait until all policies have room, if nothing more is admitted. `None` when the request is
    /// admitted, and when it never can be.
    pub fn retry_after(&self) -> Option<Duration> {
        if self.refusing().any(PolicyState::is_unsatisfiable) {
            return None;
        }
        self.refusing().filter_map(PolicyState::retry_after).max()
    }

    /// What gives the admission back later, once; `None` when there was none. `plan` is the one that was admitted.
    pub fn receipt(&self, plan: &Plan) -> Option<Receipt> {
        if !self.admitted {
            return None;
        }
        let items = plan.asks().iter().zip(&self.states).filter(|(_, state)| state.is_counted());
        let items = items.map(|(ask, state)| Counted {
            key: ask.key,
            rule: ask.rule,
            cost: ask.cost,
            until: state.counted_until,
            recorded_until: state.recorded_until,
        });
        Some(Receipt { nonce: self.nonce, source: self.source, items: items.collect() })
    }
}

/// One key under which a request was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) key: LimitKey,
    pub(crate) rule: Rule,
    pub(crate) cost: u32,
    /// When it stops counting, by the store's clock: this tells the admission from others.
    pub(crate) until: u64,
    /// The same by the clock of the store that is kept warm; 0 when that was not told.
    pub(crate) recorded_until: u64,
}

/// Proof of an admission, to give it back once with [`Store::refund`](crate::Store::refund).
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    pub(crate) nonce: u64,
    /// Who counted it.
    pub(crate) source: Source,
    pub(crate) items: SmallVec<[Counted; 6]>,
}

impl Receipt {
    /// The part of it that belongs to some policies, to give back that part alone.
    #[must_use]
    pub fn only(mut self, policies: &[PolicyName]) -> Self {
        self.items.retain(|item| policies.contains(&item.key.policy()));
        self
    }

    /// Whether there is nothing to give back.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
