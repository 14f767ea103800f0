//! An admission by policies in several slots of a cluster: by all or counted by none.
//!
//! The slots are asked one after the other, in a task of its own that goes on when whoever asked has given up. What is
//! counted for a request that is refused, that failed, or that nobody waited for is given back, which logs can do
//! exactly. What remains of other algorithms goes by itself, and refuses somebody at worst.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{FutureExt, join, join_all};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::time::{Instant, timeout, timeout_at};

use super::asker::{Asker, leaves_nonce};
use super::failure::Failure;
use super::lane::Lane;
use super::parts::{self, Part};
use super::store::late;
use crate::algorithm::Reading;
use crate::report::{Counted, Source};
use crate::{Ask, PolicyState, Receipt, Report, StoreError};

/// What the task tells.
#[derive(Debug)]
enum Told {
    /// It is refused; how the other slots stand is not heard yet.
    Refused(Report),
    Decided(Decided),
    Failed(StoreError),
}

/// Asks all parts of a plan, and waits no longer than `within`.
pub(super) async fn admit(
    asker: &Arc<Asker>,
    parts: Vec<Part>,
    nonce: u64,
    within: Duration,
) -> Result<Report, StoreError> {
    let deadline = Instant::now() + within;
    let (tell, mut told) = mpsc::unbounded_channel();
    let lane = Arc::clone(asker.sender.lane());
    let admission = Admission { asker: Arc::clone(asker), lane, parts, nonce, within };
    tokio::spawn(admission.run(tell));
    let mut refused = None;
    loop {
        match timeout_at(deadline, told.recv()).await {
            Ok(Some(Told::Refused(report))) => refused = Some(report),
            Ok(Some(Told::Decided(decided))) => return Ok(decided.hear()),
            Ok(Some(Told::Failed(error))) => return Err(error),
            Ok(None) | Err(_) => return refused.ok_or_else(|| late(within)),
        }
    }
}

#[derive(Debug)]
struct Admission {
    asker: Arc<Asker>,
    /// All goes over one connection, so that a node gets nothing back before it is asked for it.
    lane: Arc<Lane>,
    parts: Vec<Part>,
    nonce: u64,
    within: Duration,
}

impl Admission {
    async fn run(self, tell: UnboundedSender<Told>) {
        let mut reports = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            if tell.is_closed() {
                return self.give_back(&reports, None).await;
            }
            match self.in_time(self.asker.admit(&self.lane, &part.plan, self.nonce)).await {
                Ok(report) if report.is_admitted() => reports.push(report),
                Ok(report) => return self.refuse(&reports, report, &tell).await,
                Err(Failure { error, may_have_run, .. }) => {
                    let failed = may_have_run.then_some(part);
                    // Nobody may be there any more to hear of it.
                    let _ = tell.send(Told::Failed(error));
                    return self.give_back(&reports, failed).await;
                }
            }
        }
        let report = parts::join(&self.parts, reports.clone());
        let unheard = Unheard(Some((self, reports, Handle::current())));
        // When nobody hears of it, it is given back.
        let _ = tell.send(Told::Decided(Decided { report, unheard: Some(unheard) }));
    }

    /// Tells a refusal at once, and again when all slots are heard. What refuses is what said so: by the time that the
    /// others are asked it may have room.
    async fn refuse(&self, counted: &[Report], refused: Report, tell: &UnboundedSender<Told>) {
        let given_back = counted.iter().zip(&self.parts).map(|(report, part)| without(report, part));
        let mut reports: Vec<Report> = given_back.chain([refused]).collect();
        let rest = &self.parts[reports.len()..];
        let known = reports.iter().cloned().chain(rest.iter().map(unknown)).collect();
        let _ = tell.send(Told::Refused(parts::join(&self.parts, known)));
        let looks = rest.iter().map(|part| self.in_time(self.asker.peek(&self.lane, &part.plan)));
        let (looks, ()) = join(join_all(looks), self.give_back(counted, None)).await;
        let looks = looks.into_iter().zip(rest);
        reports.extend(looks.map(|(look, part)| look.unwrap_or_else(|_| unknown(part))));
        let report = parts::join(&self.parts, reports);
        let _ = tell.send(Told::Decided(Decided { report, unheard: None }));
    }

    /// Gives back what the first parts counted, and what another may have counted that did not answer.
    async fn give_back(&self, counted: &[Report], failed: Option<&Part>) {
        let receipts =
            counted.iter().zip(&self.parts).filter_map(|(report, part)| report.receipt(&part.plan));
        let receipts: Vec<_> = receipts.filter(|receipt| !receipt.is_empty()).collect();
        let supposed = failed.map(|part| self.supposed(part)).filter(|receipt| !receipt.is_empty());
        let refund = |receipt| self.in_time(self.asker.refund(&self.lane, receipt)).left_future();
        let refund_supposed =
            |receipt| self.in_time(self.asker.refund_supposed(&self.lane, receipt)).right_future();
        let refunds = receipts.iter().map(refund).chain(supposed.iter().map(refund_supposed));
        for failure in join_all(refunds).await.into_iter().filter_map(Result::err) {
            let error = failure.error;
            tracing::warn!(%error, "a request that was not admitted may stay counted under some policies");
        }
    }

    /// What gives back an admission by a part if there was one: only logs know whether there was.
    fn supposed(&self, part: &Part) -> Receipt {
        let logs = part.plan.asks().iter().filter(|ask| leaves_nonce(ask));
        let items = logs.map(|ask| Counted {
            key: ask.key,
            rule: ask.rule,
            cost: ask.cost,
            until: 0,
            recorded_until: 0,
        });
        Receipt { nonce: self.nonce, source: Source::Store, items: items.collect() }
    }

    /// Longer than anybody waits for it: an answer that comes late still tells what is counted.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let patience = 3 * self.within;
        timeout(patience, asked).await.unwrap_or_else(|_| Err(Failure::late(late(patience))))
    }
}

/// An answer on its way.
#[derive(Debug)]
struct Decided {
    report: Report,
    /// Of an admission.
    unheard: Option<Unheard>,
}

impl Decided {
    fn hear(self) -> Report {
        if let Some(unheard) = self.unheard {
            unheard.heard();
        }
        self.report
    }
}

/// An admission that nobody has heard of yet; when that stays so, it is given back.
#[derive(Debug)]
struct Unheard(Option<(Admission, Vec<Report>, Handle)>);

impl Unheard {
    fn heard(mut self) {
        self.0 = None;
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        if let Some((admission, reports, runtime)) = self.0.take() {
            runtime.spawn(async move { admission.give_back(&reports, None).await });
        }
    }
}

/// How a part stands after what it counted was given back.
fn without(report: &Report, part: &Part) -> Report {
    let states = report.states.iter().zip(part.plan.asks()).map(|(state, ask)| {
        let mut reading = state.reading();
        if state.is_counted() {
            reading.used = reading.used.saturating_sub(ask.cost);
        }
        if reading.used == 0 {
            (reading.next_free, reading.full) = (0, 0);
        }
        PolicyState::new(ask, reading)
    });
    Report { states: states.collect(), ..report.clone() }
}

/// How a part stands that nobody has heard of: as if nothing were used.
fn unknown(part: &Part) -> Report {
    let unused = |ask: &Ask| PolicyState::new(ask, Reading::unused(ask.rule.terms(), ask.cost));
    let states = part.plan.asks().iter().map(unused).collect();
    Report { admitted: true, now: 0, states, nonce: 0, source: Source::Store }
}
