//! Goes on without the store when it fails.
//!
//! Every request gets its answer: from the store if that answers in time, else by what each policy says of this case
//! ([`OnStoreError`]). The process counts by itself then, and it does not begin at nothing: while the store answers,
//! what it says is noted, so that a spent budget stays spent.
//!
//! After a few failures in a row the store is left alone and nobody waits for it. One task tries it meanwhile.
//!
//! When the store is back, it does not know what was admitted without it, and it may have lost what it knew. For as
//! long as any of that counts, this process checks its own counts as well: it never admits more than the limit by
//! itself, whatever the store says. Somebody else's reset is heard of that much later then. The same goes for a store
//! that counts less than this process has counted in it, unless that was reset.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::local::Part;
use crate::observer::{Observer, StoreOperation, Unobserved};
use crate::report::Source;
use crate::{Algorithm, Ask, LimitKey, LocalStore, OnStoreError, Plan, Receipt, Report, Store, StoreError};

/// Microseconds by which the clocks of the store and of this process may differ over a window, with the time that a
/// request is under way: what ends within them is not missed.
const SLACK: u64 = 100_000;

mod breaker;
mod recovery;

use breaker::Breaker;
use recovery::Recovery;

/// Microseconds for which a request is asked to wait that a closed policy refuses: by then the store may be back.
const TRY_AGAIN: u64 = 1_000_000;

/// How a [`FailoverStore`] is set up.
#[derive(Clone, Debug)]
pub struct FailoverOptions {
    /// After how many failures in a row the store is left alone.
    pub failures: u32,
    /// How long between two tries of a store that is left alone.
    pub probe_every: Duration,
    /// Hears of the store's health.
    pub observer: Arc<dyn Observer>,
}

impl Default for FailoverOptions {
    fn default() -> Self {
        Self { failures: 5, probe_every: Duration::from_millis(200), observer: Arc::new(Unobserved) }
    }
}

/// A store that does not fail: it goes on by itself while another does.
#[derive(Debug)]
pub struct FailoverStore {
    shared: Arc<Shared>,
    local: LocalStore,
    recovery: Recovery,
}

/// What the task that tries the store needs.
#[derive(Debug)]
struct Shared {
    store: Arc<dyn Store>,
    breaker: Breaker,
    probe_every: Duration,
    observer: Arc<dyn Observer>,
}

impl FailoverStore {
    /// Asks `store`, and counts in `local` while that fails. Nothing else may use `local`. Where several processes
    /// share the store, [`LocalOptions::processes`](crate::LocalOptions::processes) of `local` says how many.
    pub fn new(store: Arc<dyn Store>, local: LocalStore, options: FailoverOptions) -> Self {
        let FailoverOptions { failures, probe_every, observer } = options;
        observer.degraded(false);
        let shared = Shared { store, breaker: Breaker::new(failures), probe_every, observer };
        Self { shared: Arc::new(shared), local, recovery: Recovery::default() }
    }

    /// Whether the store is left alone at the moment.
    pub fn is_degraded(&self) -> bool {
        self.shared.breaker.is_open()
    }

    /// Asks the store, unless it is left alone.
    async fn ask<T>(
        &self,
        operation: StoreOperation,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Option<T> {
        if self.is_degraded() {
            return None;
        }
        let answer = self.shared.ask(operation, asked).await.ok()?;
        self.shared.breaker.succeeded();
        Some(answer)
    }
}

impl Shared {
    /// Asks the store, and tells how that went.
    async fn ask<T>(
        self: &Arc<Self>,
        operation: StoreOperation,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = self.observed(operation, asked).await;
        if let Err(error) = &answer
            && self.breaker.failed()
        {
            self.observer.degraded(true);
            tracing::warn!(%error, "rate limits are counted in this process: their store fails");
            self.probe();
        }
        answer
    }

    async fn observed<T>(
        &self,
        operation: StoreOperation,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let answer = asked.await;
        match &answer {
            Ok(_) => self.observer.answered(operation, began.elapsed()),
            Err(error) => self.observer.failed(operation, error.kind()),
        }
        answer
    }

    /// Tries the store until it answers, if nobody does.
    fn probe(self: &Arc<Self>) {
        if !self.breaker.begin_probing() {
            return;
        }
        let probing = Probing(Arc::clone(self));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(probing.0.probe_every).await;
                let tried = probing.0.store.probe();
                if probing.0.observed(StoreOperation::Probe, tried).await.is_ok() {
                    break;
                }
            }
            if probing.0.breaker.close() {
                probing.0.observer.degraded(false);
                tracing::info!("rate limits are counted in their store again");
            }
        });
    }
}

/// The right to try; given back also when the runtime ends.
struct Probing(Arc<Shared>);

impl Drop for Probing {
    fn drop(&mut self) {
        self.0.breaker.end_probing();
    }
}

#[async_trait]
impl Store for FailoverStore {
    async fn admit(&self, plan: &Plan) -> Result<Report, StoreError> {
        if self.is_degraded() {
            // Also here: the runtime of the task that tried may have ended.
            self.shared.probe();
        }
        if self.is_degraded() || plan.is_without_the_store() {
            return Ok(self.stand_in(plan, true));
        }
        let own = self.is_recovering(plan).then(|| self.count_alone(plan));
        if let Some(own) = own.as_ref().filter(|own| !own.is_admitted()) {
            return Ok(Report { source: Source::Fallback, ..own.clone() });
        }
        let known = self.local.own_use(plan, SLACK);
        let asked = self.ask(StoreOperation::Admit, self.shared.store.admit(plan)).await;
        if let Some(own) = own.as_ref().filter(|_| !asked.as_ref().is_some_and(Report::is_admitted)) {
            self.local.take_back(plan, own);
        }
        let Some(mut report) = asked else {
            return Ok(self.stand_in(plan, true));
        };
        if own.is_none() {
            self.look_for_losses(plan, &report, &known).await;
        }
        let counted = own.filter(|_| report.is_admitted());
        self.local.record(plan, &mut report, counted.as_ref());
        // Looked at once more after it was counted: whoever goes on without the store does it the other way round, so
        // one of the two sees the other.
        if report.is_admitted() && counted.is_none() && self.is_recovering(plan) && self.is_over(plan) {
            return Ok(self.take_back(plan, &report));
        }
        Ok(report)
    }

    async fn peek(&self, plan: &Plan) -> Result<Report, StoreError> {
        if plan.is_without_the_store() {
            return Ok(self.stand_in(plan, false));
        }
        match self.ask(StoreOperation::Peek, self.shared.store.peek(plan)).await {
            Some(report) => Ok(report),
            None => Ok(self.stand_in(plan, false)),
        }
    }

    /// Fails when the store does: what it counted would be back with it.
    async fn reset(&self, keys: &[LimitKey]) -> Result<u64, StoreError> {
        self.local.reset_now(keys);
        self.shared.ask(StoreOperation::Reset, self.shared.store.reset(keys)).await
    }

    /// Gives back in this process what the store cannot be told of: there it counts until its window is over.
    async fn refund(&self, receipt: Receipt) -> Result<u32, StoreError> {
        if receipt.source == Source::Fallback {
            return Ok(self.local.refund_now(&receipt));
        }
        self.local.unrecord(&receipt);
        Ok(self.ask(StoreOperation::Refund, self.shared.store.refund(receipt)).await.unwrap_or(0))
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.shared.store.probe().await
    }

    async fn was_reset(&self, keys: &[LimitKey]) -> Result<bool, StoreError> {
        self.shared.store.was_reset(keys).await
    }

    fn interruptions(&self) -> u64 {
        self.shared.store.interruptions()
    }

    fn refusals_hold(&self) -> Duration {
        self.shared.store.refusals_hold()
    }
}

impl FailoverStore {
    /// Decides in place of the store, each policy by what it says of this case. Policies that are open or closed are
    /// counted too, so that figures are right.
    fn stand_in(&self, plan: &Plan, commit: bool) -> Report {
        if commit {
            // Before anything is decided: see `admit`.
            self.recovery.begin(self.local.now());
        }
        let says = |what| move |ask: &Ask| ask.on_store_error == what && !ask.shadow && ask.cost > 0;
        let mut report = if plan.asks().iter().any(says(OnStoreError::Closed)) {
            self.local.peek_now(plan)
        } else if plan.asks().iter().any(says(OnStoreError::Open)) {
            self.local.decide_now(&plan.opened(), commit)
        } else {
            self.local.decide_now(plan, commit)
        };
        report.source = Source::Fallback;
        for (ask, state) in plan.asks().iter().zip(&mut report.states) {
            if says(OnStoreError::Closed)(ask) {
                state.close(TRY_AGAIN);
                report.admitted = false;
            } else if says(OnStoreError::Open)(ask) {
                state.open();
            }
        }
        report
    }

    /// Finds out whether the store counts less than this process alone has counted in it, as after a `FLUSHALL`.
    async fn look_for_losses(&self, plan: &Plan, report: &Report, known: &[u32]) {
        // A window of all processes begins before one of this process, and ends before it.
        let comparable = |ask: &Ask| ask.rule.algorithm() != Algorithm::FixedWindow;
        let asks = plan.asks().iter().zip(report.states()).zip(known);
        let fewer = asks.filter(|((ask, state), known)| comparable(ask) && state.used() < **known);
        if fewer.count() == 0 {
            return;
        }
        // Something may have been given back in the meantime.
        let left = self.local.own_use(plan, SLACK);
        let asks = plan.asks().iter().zip(report.states()).zip(known.iter().zip(&left));
        let missing =
            asks.filter(|((ask, state), (known, left))| comparable(ask) && state.used() < **known.min(left));
        let missing: Vec<LimitKey> = missing.map(|((ask, _), _)| ask.key).collect();
        if missing.is_empty() {
            return;
        }
        // Where nobody can say, it is a loss.
        if self.ask(StoreOperation::WasReset, self.shared.store.was_reset(&missing)).await == Some(true) {
            self.local.reset_now(&missing);
        } else {
            tracing::warn!(
                keys = missing.len(),
                "the store of rate limits has lost counts: this process goes by its own"
            );
            self.recovery.begin(self.local.now());
        }
    }

    /// Whether this process alone has admitted more than a limit.
    fn is_over(&self, plan: &Plan) -> bool {
        let enforced = |ask: &Ask| !ask.shadow && ask.cost > 0 && ask.on_store_error != OnStoreError::Open;
        let used = self.local.own_use(plan, 0);
        plan.asks().iter().zip(used).any(|(ask, used)| enforced(ask) && used > ask.rule.capacity())
    }

    /// Takes an admission back that the store gave without knowing of all that counts.
    fn take_back(&self, plan: &Plan, report: &Report) -> Report {
        if let Some(receipt) = report.receipt(plan) {
            self.local.unrecord(&receipt);
            let shared = Arc::clone(&self.shared);
            // Nobody waits for this: what stays counted there refuses somebody at worst.
            tokio::spawn(async move {
                let _ = shared.ask(StoreOperation::Refund, shared.store.refund(receipt)).await;
            });
        }
        Report { source: Source::Fallback, ..self.count_alone(plan) }
    }

    /// Counts what this process admits, against the whole limits.
    fn count_alone(&self, plan: &Plan) -> Report {
        if plan.asks().iter().any(|ask| ask.on_store_error == OnStoreError::Open) {
            self.local.decide(&plan.opened(), Part::Whole, true)
        } else {
            self.local.decide(plan, Part::Whole, true)
        }
    }

    fn is_recovering(&self, plan: &Plan) -> bool {
        self.recovery.is_on(plan, self.shared.store.interruptions(), self.local.now())
    }
}
