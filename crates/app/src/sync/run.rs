//! One run of a sync: phase after phase, waiting where a limit wants it.

use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    job::Outcome,
    marketplace::{Account, Capability},
    reading::Position,
    sync::{Phase, SyncError},
};
use marketplaces::Marketplace;
use storage::{
    WriteTx,
    syncs::{self, Advance, Fence, Step, StepState},
};

use super::{Carried, JobContext, ending, step::Stop};
use crate::{Parts, error::Error, figures::forget_lost};

/// A wait longer than this gives the worker back: the job is parked until it is over.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Everything a run works with.
pub(super) struct Run<'a> {
    pub(super) parts: &'a Parts,
    pub(super) job: &'a JobContext,
    pub(super) fence: Fence,
    pub(super) account: Account,
    pub(super) connector: Box<dyn Marketplace>,
    pub(super) steps: HashMap<Phase, Step>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        parts: &'a Parts,
        job: &'a JobContext,
        fence: Fence,
        account: Account,
        connector: Box<dyn Marketplace>,
        steps: Vec<Step>,
    ) -> Self {
        let steps = steps.into_iter().map(|step| (step.phase, step)).collect();
        Self { parts, job, fence, account, connector, steps }
    }

    /// Carries the sync as far as it goes.
    pub(super) async fn carry(mut self) -> Result<Carried, Error> {
        let mut later = None;
        for phase in Phase::ALL {
            if self.is_done(phase) || (phase == Phase::Figures && later.is_some()) {
                continue;
            }
            match self.phase(phase).await? {
                Flow::On => {}
                Flow::Park(after) => return Ok(Carried { outcome: Outcome::Park { after }, report: None }),
                // The other phases are read all the same: one side's trouble is not the other's.
                Flow::Later(error) => later = later.or(Some(error)),
                Flow::End(how) => return ending::end(self, how).await,
            }
        }
        match later {
            Some(error) => {
                let error = format!("{}: {}", error.code, error.message);
                Ok(Carried { outcome: Outcome::Retry { after: None, error }, report: None })
            }
            None => ending::end(self, ending::How::ByItself).await,
        }
    }

    /// Reads one phase, waiting for limits.
    async fn phase(&mut self, phase: Phase) -> Result<Flow, Error> {
        loop {
            let stop = match self.read(phase).await {
                Ok(()) => return Ok(Flow::On),
                Err(stop) => stop,
            };
            match stop {
                Stop::Wait(wait) => {
                    self.note_wait(wait).await?;
                    if wait > LONGEST_WAIT {
                        return Ok(Flow::Park(wait));
                    }
                    tokio::time::sleep(wait).await;
                }
                Stop::Later(error) if self.job.out_of_tries() => {
                    self.fail(phase, StepState::Failed, error).await?;
                    return Ok(Flow::On);
                }
                Stop::Later(error) => return Ok(Flow::Later(error)),
                Stop::NotGranted(capability, error) => {
                    self.lose(capability, phase, error).await?;
                    return Ok(Flow::On);
                }
                Stop::Drifted(error) => {
                    let tx = self.begin().await?;
                    ending::note_drift(&tx, &self.account, &error, self.now()).await?;
                    tx.commit().await?;
                    self.fail(phase, StepState::Failed, error).await?;
                    return Ok(Flow::On);
                }
                Stop::Failed(error) => {
                    self.fail(phase, StepState::Failed, error).await?;
                    return Ok(Flow::On);
                }
                Stop::Refused(error) => {
                    self.fail(phase, StepState::Failed, error.clone()).await?;
                    return Ok(Flow::End(ending::How::Refused(error)));
                }
                Stop::Cancelled => return Ok(Flow::End(ending::How::Cancelled)),
                Stop::Ours(error) => return Err(error),
            }
        }
    }

    async fn read(&mut self, phase: Phase) -> Result<(), Stop> {
        if !needed(phase).iter().all(|needed| self.account.capabilities.contains(needed)) {
            let step = Step { state: StepState::NotGranted, ..Step::beginning(phase, None, self.now()) };
            return Ok(self.save(step, Advance::default()).await?);
        }
        match phase {
            Phase::Products => self.read_products().await,
            Phase::Locations => self.read_locations().await,
            Phase::StockSeller => self.read_stock(domain::marketplace::Side::Fbs).await,
            Phase::StockMarketplace => self.read_stock(domain::marketplace::Side::Fbo).await,
            Phase::Orders => self.read_orders().await,
            Phase::Figures => self.write_figures().await,
        }
    }

    /// How a phase stands; none before it begins.
    pub(super) fn state_of(&self, phase: Phase) -> Option<StepState> {
        self.steps.get(&phase).map(|step| step.state)
    }

    fn is_done(&self, phase: Phase) -> bool {
        self.state_of(phase).is_some_and(|state| state != StepState::Running)
    }

    /// The phase as it was left, or a new beginning.
    pub(super) async fn resume(&mut self, phase: Phase, since: Option<Position>) -> Result<Step, Stop> {
        if let Some(step) = self.steps.get(&phase) {
            return Ok(step.clone());
        }
        let step = Step::beginning(phase, since, self.now());
        self.save(step.clone(), Advance::default()).await?;
        Ok(step)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(super) async fn begin(&self) -> Result<WriteTx, Error> {
        Ok(self.parts.db.write(&self.job.scope).await?)
    }

    /// Commits a page: what it brought, and where the reading goes on, stand or fall together.
    pub(super) async fn commit(&mut self, tx: WriteTx, step: Step, advance: Advance) -> Result<(), Stop> {
        let advance = Advance { phase: Some(step.phase), ..advance };
        syncs::advance(&tx, self.fence, advance).await?;
        syncs::save_step(&tx, self.fence.sync, &step).await?;
        let cancelled = syncs::get(&tx, self.fence.sync).await?.is_some_and(|sync| sync.cancel_requested);
        tx.commit().await?;
        self.steps.insert(step.phase, step);
        if cancelled { Err(Stop::Cancelled) } else { Ok(()) }
    }

    async fn save(&mut self, step: Step, advance: Advance) -> Result<(), Error> {
        let tx = self.begin().await?;
        match self.commit(tx, step, advance).await {
            Ok(()) | Err(Stop::Cancelled) => Ok(()),
            Err(Stop::Ours(error)) => Err(error),
            Err(stop) => Err(Error::internal(Unexpected(format!("{stop:?}")))),
        }
    }

    async fn fail(&mut self, phase: Phase, state: StepState, error: SyncError) -> Result<(), Error> {
        let begun = self.steps.get(&phase).cloned();
        let step = begun.unwrap_or_else(|| Step::beginning(phase, None, self.now()));
        self.save(Step { state, error: Some(error), ..step }, Advance::default()).await
    }

    /// The credential has turned out not to grant a capability: the account is limited from here on.
    async fn lose(&mut self, lost: Capability, phase: Phase, error: SyncError) -> Result<(), Error> {
        self.account.capabilities.remove(&lost);
        let tx = self.begin().await?;
        storage::accounts::set_capabilities(&tx, self.account.id, &self.account.capabilities).await?;
        forget_lost(&tx, self.account.id, [&lost], self.now()).await?;
        tx.commit().await?;
        self.fail(phase, StepState::NotGranted, error).await
    }

    async fn note_wait(&self, wait: Duration) -> Result<(), Error> {
        let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let until = self.now().checked_add_signed(wait).unwrap_or(Timestamp::MAX_UTC);
        let tx = self.begin().await?;
        syncs::wait(&tx, self.fence, until).await?;
        Ok(tx.commit().await?)
    }
}

/// What a phase leads to.
enum Flow {
    On,
    Park(Duration),
    Later(SyncError),
    End(ending::How),
}

#[derive(Debug, thiserror::Error)]
#[error("a page could not be kept: {0}")]
struct Unexpected(String);

/// The capabilities a phase reads with.
const fn needed(phase: Phase) -> &'static [Capability] {
    match phase {
        Phase::Products => &[Capability::Products],
        Phase::Locations => &[Capability::Locations],
        // Asked for warehouse by warehouse.
        Phase::StockSeller => &[Capability::StockSeller, Capability::Locations],
        Phase::StockMarketplace => &[Capability::StockMarketplace],
        Phase::Orders => &[Capability::Orders],
        Phase::Figures => &[],
    }
}
