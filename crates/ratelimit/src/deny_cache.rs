//! Answers again what was refused a moment ago, without asking the store.
//!
//! A policy that had no room tells until when that stays so: whatever else is admitted can only make it longer. Until
//! then no request of that cost under that key is admitted, by whatever other policies it is checked. So a flood of
//! refused requests need not reach the store, and nobody is refused whom the store would admit. Only what makes room
//! otherwise could prove it wrong: a reset or a refund. In this process these are seen at once; those of another
//! process after [`DenyCache::LONGEST`] at the latest, for so long is a refusal believed at most.
//!
//! The figures of such a refusal are of when the store was asked, and its waits are less by the time since then. It tells
//! of all policies that the earlier request was checked by and this one is too, under the same keys; of others it knows
//! nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::{Clock, SystemClock};
use crate::report::Source;
use crate::{Ask, LimitKey, Plan, PolicyState, Receipt, Report, Rule, Store, StoreError};

/// How many refusals are kept at most.
const PLACES: usize = 4_096;
/// Keys share counters of what made room under them; one too many that sees a change asks the store, no more.
const COUNTERS: usize = 1_024;

/// A store that remembers refusals of another.
#[derive(Debug)]
pub struct DenyCache {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    places: Box<[Place]>,
    /// Raised when something made room under a key.
    changes: Box<[AtomicU64]>,
    hits: AtomicU64,
}

#[derive(Debug, Default)]
struct Place {
    /// When the refusal in it ends; mostly long ago, which is seen without a lock.
    until: AtomicU64,
    refusal: Mutex<Option<Refusal>>,
}

/// One policy that had no room.
#[derive(Clone, Debug)]
struct Refusal {
    key: LimitKey,
    rule: Rule,
    cost: u32,
    /// What was asked with it, and what the store said.
    whole: Arc<(Plan, Report)>,
    /// What `changes` counted for the key before the store was asked.
    changes: u64,
    /// When the answer came: the store's figures are from then or before.
    came: u64,
    /// Until when it is surely true: counted from before the store was asked.
    until: u64,
}

impl DenyCache {
    /// For how long a refusal is believed at most.
    pub const LONGEST: Duration = Duration::from_secs(1);

    /// Remembers refusals of `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self::with_clock(store, Arc::new(SystemClock::new()))
    }

    /// The same by another clock. It has to run as fast as the store's; it need not show the same time.
    pub fn with_clock(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            places: std::iter::repeat_with(Place::default).take(PLACES).collect(),
            changes: std::iter::repeat_with(AtomicU64::default).take(COUNTERS).collect(),
            hits: AtomicU64::new(0),
        }
    }

    /// How many requests were refused without asking the store.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// The refusal of a request, if one of its policies is known to have no room.
    pub fn recall(&self, plan: &Plan) -> Option<Report> {
        if plan.asks().iter().any(|ask| ask.cost > ask.rule.capacity()) {
            // It never fits, which must be told before any wait.
            return None;
        }
        let now = self.clock.now();
        let refusing = plan.asks().iter().filter(|ask| !ask.shadow && ask.cost > 0);
        let refusals: smallvec::SmallVec<[Refusal; 2]> =
            refusing.filter_map(|ask| self.remembered(ask, now)).collect();
        let first = refusals.first()?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        let mut report = Report {
            admitted: false,
            now: first.whole.1.now + now.saturating_sub(first.came),
            states: smallvec::SmallVec::new(),
            nonce: 0,
            source: Source::DenyCache,
        };
        for ask in plan.asks() {
            let own = refusals.iter().find(|refusal| refusal.is_of(ask));
            if let Some(state) = own.and_then(|own| own.state(ask, now)) {
                report.states.push(state);
            } else if let Some(mut state) = refusals.iter().find_map(|refusal| refusal.state(ask, now)) {
                // It may have had no room then; that it has none now is not known.
                state.has_room();
                report.states.push(state);
            }
        }
        Some(report)
    }

    fn remembered(&self, ask: &Ask, now: u64) -> Option<Refusal> {
        let place = self.place(ask);
        if place.until.load(Ordering::Acquire) <= now {
            return None;
        }
        let refusal = place.lock();
        let same = |refusal: &&Refusal| refusal.is_of(ask);
        let holds = |refusal: &&Refusal| refusal.until > now && refusal.changes == self.changes(ask.key);
        refusal.as_ref().filter(same).filter(holds).cloned()
    }

    /// Remembers which policies refused. `changes` is what was counted of each key before the store was asked.
    fn remember(&self, plan: &Plan, report: &Report, changes: &[u64], asked: u64) {
        let came = self.clock.now();
        let longest = self.store.refusals_hold().min(Self::LONGEST);
        let whole = Arc::new((plan.clone(), report.clone()));
        for ((ask, state), &changes) in plan.asks().iter().zip(report.states()).zip(changes) {
            if ask.shadow || !state.is_exceeded() {
                continue;
            }
            // What costs more than the limit never fits: a store knows that without being asked for it.
            let Some(wait) = state.retry_after() else { continue };
            let believed = wait.min(longest);
            let until = asked + u64::try_from(believed.as_micros()).unwrap_or(u64::MAX);
            let Ask { key, rule, cost, .. } = *ask;
            let whole = Arc::clone(&whole);
            let refusal = Refusal { key, rule, cost, whole, changes, came, until };
            self.place(ask).keep(refusal, came);
        }
    }

    fn place(&self, ask: &Ask) -> &Place {
        // A key is a hash already.
        &self.places[index(half(ask.key.hash()).wrapping_add(ask.cost.into()), PLACES)]
    }

    fn changes(&self, key: LimitKey) -> u64 {
        self.counter(key).load(Ordering::Acquire)
    }

    fn counter(&self, key: LimitKey) -> &AtomicU64 {
        &self.changes[index(half(key.hash()), COUNTERS)]
    }
}

impl Refusal {
    /// Whether it is what was said to this.
    fn is_of(&self, ask: &Ask) -> bool {
        (self.key, self.rule, self.cost) == (ask.key, ask.rule, ask.cost)
    }

    /// How something stands that was asked with it.
    fn state(&self, ask: &Ask, now: u64) -> Option<PolicyState> {
        let (plan, report) = &*self.whole;
        let same = |asked: &Ask| (asked.key, asked.rule, asked.cost) == (ask.key, ask.rule, ask.cost);
        let mut state = report.states[plan.asks().iter().position(same)?];
        state.age(now.saturating_sub(self.came));
        Some(state)
    }
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, Option<Refusal>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a refusal, unless one of something else is there that holds longer.
    fn keep(&self, refusal: Refusal, now: u64) {
        let mut kept = self.lock();
        let longer = kept
            .as_ref()
            .is_some_and(|kept| kept.key != refusal.key && kept.until > now && kept.until > refusal.until);
        if !longer {
            self.until.store(refusal.until, Ordering::Release);
            *kept = Some(refusal);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
fn half(hash: u128) -> u64 {
    hash as u64
}

#[expect(clippy::cast_possible_truncation, reason = "it is below `places`")]
fn index(hash: u64, places: usize) -> usize {
    (hash % places as u64) as usize
}

/// Lets refusals under some keys be forgotten when it is dropped: also when whoever asked for the change did not wait
/// for its end, since it may have happened all the same.
struct Change<'a, K: AsRef<[LimitKey]>> {
    cache: &'a DenyCache,
    keys: K,
}

impl<K: AsRef<[LimitKey]>> Drop for Change<'_, K> {
    fn drop(&mut self) {
        for &key in self.keys.as_ref() {
            self.cache.counter(key).fetch_add(1, Ordering::Release);
        }
    }
}

#[async_trait]
impl Store for DenyCache {
    async fn admit(&self, plan: &Plan) -> Result<Report, StoreError> {
        if let Some(report) = self.recall(plan) {
            return Ok(report);
        }
        let changes: smallvec::SmallVec<[u64; 6]> =
            plan.asks().iter().map(|ask| self.changes(ask.key)).collect();
        let asked = self.clock.now();
        let report = self.store.admit(plan).await?;
        // What a process decides by itself holds only as long as the store is away.
        if !report.is_admitted() && report.source() == Source::Store {
            self.remember(plan, &report, &changes, asked);
        }
        Ok(report)
    }

    async fn peek(&self, plan: &Plan) -> Result<Report, StoreError> {
        self.store.peek(plan).await
    }

    async fn reset(&self, keys: &[LimitKey]) -> Result<u64, StoreError> {
        let _change = Change { cache: self, keys };
        self.store.reset(keys).await
    }

    async fn refund(&self, receipt: Receipt) -> Result<u32, StoreError> {
        let keys: Vec<LimitKey> = receipt.items.iter().map(|item| item.key).collect();
        let _change = Change { cache: self, keys };
        self.store.refund(receipt).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.store.probe().await
    }

    async fn was_reset(&self, keys: &[LimitKey]) -> Result<bool, StoreError> {
        self.store.was_reset(keys).await
    }

    fn interruptions(&self) -> u64 {
        self.store.interruptions()
    }

    fn refusals_hold(&self) -> Duration {
        self.store.refusals_hold()
    }
}
