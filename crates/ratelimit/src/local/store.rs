//! Counts within one process, exactly and all or nothing.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use smallvec::SmallVec;

use super::locked::{Asked, Locked, lock, shard_of};
use super::shard::Shard;
use super::share::{self, Part};
use crate::algorithm::Terms;
use crate::clock::{Clock, SystemClock};
use crate::report::{Counted, Source};
use crate::{Ask, LimitKey, Plan, PolicyState, Receipt, Report, Store, StoreError};

/// How a [`LocalStore`] is set up.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// About how many keys are kept at most, and at least [`LocalOptions::FEWEST_KEYS`]. When all are in use, one that
    /// was not asked for lately is forgotten, and with it what it counted: [`LocalStore::evictions`] tells how often.
    /// A key of a sliding log takes 8 bytes for each admission of its window beside about 200 for itself.
    pub max_keys: usize,
    /// How many processes count alone beside each other. Each admits an equal part of every limit, rounded up, so
    /// that together they admit no more than the limit and one for each process.
    pub processes: NonZeroU32,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl LocalOptions {
    /// The least that `max_keys` means: fewer would let the keys of one request push each other out.
    pub const FEWEST_KEYS: usize = 1_024;
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { max_keys: 100_000, processes: NonZeroU32::MIN, clock: Arc::new(SystemClock::new()) }
    }
}

/// Counts within one process. It never fails.
#[derive(Debug)]
pub struct LocalStore {
    shards: Box<[Mutex<Shard>]>,
    part: Part,
    clock: Arc<dyn Clock>,
    evictions: AtomicU64,
}

impl LocalStore {
    /// An empty store.
    pub fn new(options: LocalOptions) -> Self {
        let capacity = options.max_keys.max(LocalOptions::FEWEST_KEYS).div_ceil(Locked::SHARDS);
        let shards =
            std::iter::repeat_with(|| Mutex::new(Shard::new(capacity))).take(Locked::SHARDS).collect();
        let LocalOptions { processes, clock, .. } = options;
        Self { shards, part: Part::Of(processes), clock, evictions: AtomicU64::new(0) }
    }

    /// How many keys were forgotten while they still counted, because the store was full.
    pub fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    /// How many keys it holds, with those that no longer count.
    pub fn keys(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// [`Store::admit`], at once.
    pub fn admit_now(&self, plan: &Plan) -> Report {
        self.decide_now(plan, true)
    }

    /// [`Store::peek`], at once.
    pub fn peek_now(&self, plan: &Plan) -> Report {
        self.decide_now(plan, false)
    }

    pub(crate) fn decide_now(&self, plan: &Plan, commit: bool) -> Report {
        self.decide(plan, self.part, commit)
    }

    /// [`Store::reset`], at once.
    pub fn reset_now(&self, keys: &[LimitKey]) -> u64 {
        let known = |key: &&LimitKey| lock(&self.shards[shard_of(key.hash())]).remove(key.hash());
        keys.iter().filter(known).count() as u64
    }

    /// [`Store::refund`], at once.
    pub fn refund_now(&self, receipt: &Receipt) -> u32 {
        receipt
            .items
            .iter()
            .map(|item| self.give_back(item, share::terms(item.rule, self.part), item.until))
            .sum()
    }

    /// The time by its clock: microseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Notes what the store that all processes share has said, so that it is known when that store fails: what it
    /// admitted here, and what others use. With `counted`, the admission was counted here already.
    pub(crate) fn record(&self, plan: &Plan, report: &mut Report, counted: Option<&Report>) {
        let now = self.clock.now();
        for (place, (ask, state)) in plan.asks().iter().zip(&mut report.states).enumerate() {
            let cost = if state.is_counted() && counted.is_none() { ask.cost } else { 0 };
            let (until, evicted) =
                lock(&self.shards[shard_of(ask.key.hash())]).record(ask, cost, state.reading(), now);
            state.recorded(counted.map_or(until, |counted| counted.states[place].counted_until()));
            self.evictions.fetch_add(evicted.into(), Ordering::Relaxed);
        }
    }

    /// How much this process will have used by itself of each key in so many microseconds.
    pub(crate) fn own_use(&self, plan: &Plan, ahead: u64) -> SmallVec<[u32; 6]> {
        let at = self.clock.now() + ahead;
        let used = |ask: &Ask| {
            let mut shard = lock(&self.shards[shard_of(ask.key.hash())]);
            let place = shard.find(ask.key.hash());
            place.map_or(0, |place| shard.slot(place).state.used_at(ask.rule.terms(), at))
        };
        plan.asks().iter().map(used).collect()
    }

    /// Takes back what [`LocalStore::decide`] counted as [`Part::Whole`].
    pub(crate) fn take_back(&self, plan: &Plan, report: &Report) {
        for item in report.receipt(plan).iter().flat_map(|receipt| &receipt.items) {
            self.give_back(item, item.rule.terms(), item.until);
        }
    }

    /// Forgets what was noted of an admission that is given back.
    pub(crate) fn unrecord(&self, receipt: &Receipt) {
        for item in receipt.items.iter().filter(|item| item.recorded_until > 0) {
            self.give_back(item, item.rule.terms(), item.recorded_until);
        }
    }

    fn give_back(&self, item: &Counted, terms: Terms, until: u64) -> u32 {
        let Counted { key, cost, .. } = *item;
        let mut shard = lock(&self.shards[shard_of(key.hash())]);
        let place = shard.find(key.hash());
        place.map_or(0, |place| u32::from(shard.slot(place).state.give_back(terms, cost, until)))
    }

    /// Decides about a part of the limits, and counts the request if it is admitted and meant to be.
    pub(crate) fn decide(&self, plan: &Plan, part: Part, commit: bool) -> Report {
        let mut shards = Locked::new(&self.shards, plan);
        // Read under the locks: what is later in a shard has a later time.
        let now = self.clock.now();
        let mut asked: SmallVec<[Asked<'_>; 6]> =
            plan.asks().iter().map(|ask| shards.read(ask, part, now)).collect();
        let admitted = asked.iter().all(|asked| asked.ask.shadow || asked.fits());
        if admitted && commit {
            // Keys that are there first: a place holds only until a key is inserted.
            for known in [true, false] {
                for asked in asked.iter_mut().filter(|asked| asked.is_known() == known && asked.counts()) {
                    let evicted = shards.take(asked, part, now);
                    self.evictions.fetch_add(evicted.into(), Ordering::Relaxed);
                }
            }
        }
        let states =
            asked.iter().map(|asked| PolicyState::new(asked.ask, asked.reading).counted(asked.counted_until));
        Report { admitted, now, states: states.collect(), nonce: 0, source: Source::Store }
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn admit(&self, plan: &Plan) -> Result<Report, StoreError> {
        Ok(self.admit_now(plan))
    }

    async fn peek(&self, plan: &Plan) -> Result<Report, StoreError> {
        Ok(self.peek_now(plan))
    }

    async fn reset(&self, keys: &[LimitKey]) -> Result<u64, StoreError> {
        Ok(self.reset_now(keys))
    }

    async fn refund(&self, receipt: Receipt) -> Result<u32, StoreError> {
        Ok(self.refund_now(&receipt))
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn was_reset(&self, _keys: &[LimitKey]) -> Result<bool, StoreError> {
        Ok(false)
    }
}
