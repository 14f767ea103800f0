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
    WriteTx, accounts,
    syncs::{self, Advance, Fence, Step, StepState},
};

use tracing::Instrument as _;

use super::{Carried, JobContext, SyncEngine, ending, step::Stop};
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

    /// Carries the sync as far as it goes. While one phase waits, those that do not need it are read.
    pub(super) async fn carry(mut self) -> Result<Carried, Error> {
        loop {
            let mut later = None;
            let mut waits = Vec::new();
            for phase in Phase::ALL {
                let is_held_up = later.is_some() || !waits.is_empty();
                if self.is_done(phase) || (phase == Phase::Figures && is_held_up) {
                    continue;
                }
                // A part of the run's trace, where there is one.
                let span = tracing::info_span!(target: "traced", "phase", phase = phase.name());
                match self.phase(phase).instrument(span).await? {
                    Flow::On => {}
                    Flow::Wait(wait) => {
                        waits.push((wait, phase));
                        if is_foundation(phase) {
                            break;
                        }
                    }
                    // The other phases are read all the same: one side's trouble is not the other's.
                    Flow::Later(error) => later = later.or(Some((phase, error))),
                    Flow::End(how) => return ending::end(self, how).await,
                }
            }
            if let Some((phase, error)) = later {
                let after = self.job.pause;
                self.note_wait(phase, after).await?;
                let error = format!("{}: {}", error.code, error.message);
                let outcome = Outcome::Retry { after: Some(after), error };
                return Ok(Carried { outcome, report: None });
            }
            let Some((wait, phase)) = waits.into_iter().min() else {
                return ending::end(self, ending::How::ByItself).await;
            };
            self.note_wait(phase, wait).await?;
            if wait > LONGEST_WAIT {
                return Ok(Carried { outcome: Outcome::Park { after: wait }, report: None });
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Reads one phase as far as it goes now.
    async fn phase(&mut self, phase: Phase) -> Result<Flow, Error> {
        let Err(stop) = self.read(phase).await else { return Ok(Flow::On) };
        match stop {
            Stop::Wait(wait) => return Ok(Flow::Wait(wait)),
            Stop::Later(error) if self.job.out_of_tries() => {
                self.fail(phase, StepState::Failed, error).await?;
            }
            Stop::Later(error) => return Ok(Flow::Later(error)),
            Stop::NotGranted(capability, error) => self.lose(capability, phase, error).await?,
            Stop::Drifted(error) => {
                let tx = self.begin().await?;
                ending::note_drift(&tx, &self.account, phase, &error, self.now()).await?;
                tx.commit().await?;
                self.fail(phase, StepState::Failed, error).await?;
            }
            Stop::Failed(error) => self.fail(phase, StepState::Failed, error).await?,
            Stop::Refused(error) => {
                self.fail(phase, StepState::Failed, error.clone()).await?;
                return Ok(Flow::End(ending::How::Refused(error)));
            }
            Stop::Cancelled => return Ok(Flow::End(ending::How::Cancelled)),
            Stop::Ours(error) => return Err(error),
        }
        Ok(Flow::On)
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

    /// The credential has turned out not to grant a capability: the account is limited from here on, and what is left is
    /// read by other calls, where there are any.
    async fn lose(&mut self, lost: Capability, phase: Phase, error: SyncError) -> Result<(), Error> {
        self.account.capabilities.remove(&lost);
        let tx = self.begin().await?;
        accounts::set_capabilities(&tx, self.account.id, &self.account.capabilities).await?;
        forget_lost(&tx, self.account.id, [&lost], self.now()).await?;
        let limited = accounts::get(&tx, self.account.id).await?.ok_or(Error::Overtaken)?;
        tx.commit().await?;
        self.connector = SyncEngine(self.parts).connect(self.job, &limited)?;
        self.fail(phase, StepState::NotGranted, error).await
    }

    async fn note_wait(&self, phase: Phase, wait: Duration) -> Result<(), Error> {
        let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let until = self.now().checked_add_signed(wait).unwrap_or(Timestamp::MAX_UTC);
        let tx = self.begin().await?;
        syncs::wait(&tx, self.fence, phase, until).await?;
        Ok(tx.commit().await?)
    }
}

/// What a phase leads to.
enum Flow {
    /// It is over, however it ended.
    On,
    /// There is nothing to do for it before this has passed.
    Wait(Duration),
    Later(SyncError),
    End(ending::How),
}

#[derive(Debug, thiserror::Error)]
#[error("a page could not be kept: {0}")]
struct Unexpected(String);

/// Whether others go by what the phase reads, so that they cannot begin while it waits.
const fn is_foundation(phase: Phase) -> bool {
    matches!(phase, Phase::Products | Phase::Locations)
}

/// The capabilities a phase reads with.
const fn needed(phase: Phase) -> &'static [Capability] {
    match phase {
        Phase::Products => &[Capability::Products],
        Phase::Locations => &[Capability::Locations],
        Phase::StockSeller => &[Capability::StockSeller],
        Phase::StockMarketplace => &[Capability::StockMarketplace],
        Phase::Orders => &[Capability::Orders],
        Phase::Figures => &[],
    }
}
