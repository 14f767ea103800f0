//! Reading order lines, and counting them into the figures.

use chrono::TimeDelta;
use domain::{
    calendar::WINDOW_DAYS,
    marketplace::Capability,
    sync::{Phase, SyncCounts, is_contract_drift},
};
use storage::{
    orders::{self, Book},
    readings::{self, Complete, Subject},
    syncs::{Advance, Step, StepState},
    warehouses,
};

use super::{
    run::Run,
    step::{Stop, count, drift, unreadable_rows},
};
use crate::{
    error::Error,
    figures::{can_count, count_window, with_orders},
};

/// Assembly orders that are written down together: each time, every day they are of is counted anew.
const ASSEMBLIES_AT_ONCE: usize = 20_000;

impl Run<'_> {
    pub(super) async fn read_orders(&mut self) -> Result<(), Stop> {
        let tx = self.parts.db.read(&self.job.scope).await?;
        let last = readings::last(&tx, self.account.id, Subject::Orders).await?;
        tx.commit().await?;
        let mut step = self.resume(Phase::Orders, last.watermark).await?;
        loop {
            let page = self.connector.orders(step.since.as_ref(), step.position.as_ref()).await?;
            step.rows += page.rows.len() as u64;
            step.failed += page.failed;
            step.watermark = page.watermark.or(step.watermark);
            let more = page.next.is_some();
            // The position of the last page stays: whoever resumes after it reads that page again, not all of them.
            step.position = page.next.or(step.position);
            let tx = self.begin().await?;
            // Asked on every page, since the tenant may change its zone at any time.
            let book = Book::open(&tx, self.account.id).await?.ok_or(Error::Overtaken)?;
            let locations = page.rows.iter().filter_map(|row| row.location.as_ref());
            let places = warehouses::ensure(&tx, self.account.id, locations, self.now()).await?;
            orders::write(&tx, book, &page.rows, &places).await?;
            let counts = SyncCounts {
                order_lines: count(page.rows.iter().filter(|row| row.quantity != 0).count()),
                failed: count(page.failed),
                ..SyncCounts::default()
            };
            let advance = Advance { rows: counts.order_lines, counts, ..Advance::default() };
            self.commit(tx, step.clone(), advance).await?;
            if !more {
                break;
            }
        }
        if is_contract_drift(step.rows, step.failed) {
            return Err(Stop::Drifted(drift()));
        }
        self.tell_warehouses_apart().await?;
        self.close_orders(step).await
    }

    /// Asks which of several warehouses of one name sends an order line, for the lines that figures count.
    async fn tell_warehouses_apart(&self) -> Result<(), Stop> {
        let tx = self.parts.db.read(&self.job.scope).await?;
        let shared = warehouses::shared_seller_names(&tx, self.account.id).await?;
        tx.commit().await?;
        if shared.is_empty() || !self.account.capabilities.contains(&Capability::Locations) {
            return Ok(());
        }
        let from = self.now() - TimeDelta::days(i64::from(WINDOW_DAYS) + 1);
        let mut position = None;
        let mut told = Vec::new();
        loop {
            let page = match self.connector.assemblies(from, position.as_ref()).await.map_err(Stop::from) {
                // What is lost by that, the phase that reads the warehouses finds out.
                Err(Stop::NotGranted(..)) => return Ok(()),
                page => page?,
            };
            told.extend(page.rows);
            position = page.next;
            if told.len() < ASSEMBLIES_AT_ONCE && position.is_some() {
                continue;
            }
            let tx = self.begin().await?;
            Book::open(&tx, self.account.id).await?.ok_or(Error::Overtaken)?;
            orders::assign_warehouses(&tx, self.account.id, &told).await?;
            tx.commit().await.map_err(crate::error::Error::from)?;
            told.clear();
            if position.is_none() {
                return Ok(());
            }
        }
    }

    async fn close_orders(&mut self, mut step: Step) -> Result<(), Stop> {
        let complete = step.failed == 0;
        let tx = self.begin().await?;
        if complete {
            let watermark = step.watermark.as_ref();
            let full = step.since.is_none();
            let source = self.connector.source(Capability::Orders);
            let reading = Complete { began_at: step.started_at, full, watermark, source };
            readings::complete(&tx, self.account.id, Subject::Orders, reading).await?;
        }
        step.state = if complete { StepState::Complete } else { StepState::Partial };
        step.error = (!complete).then(unreadable_rows);
        self.commit(tx, step, Advance::default()).await
    }

    /// Counts the window into every order figure, if orders have been read lately; the catalogue may have grown since.
    pub(super) async fn write_figures(&mut self) -> Result<(), Stop> {
        let mut step = self.resume(Phase::Figures, None).await?;
        let now = self.now();
        let tx = self.begin().await?;
        let account = with_orders(&tx, self.account.id).await?.ok_or(Error::Overtaken)?;
        let orders_known = can_count(&tx, &account, now).await?;
        let mut counts = SyncCounts::default();
        if orders_known || self.state_of(Phase::Orders) == Some(StepState::Partial) {
            orders::match_again(&tx, self.account.id).await?;
            counts.unmatched_units = count_window(&tx, &account, now).await?;
        }
        step.state = StepState::Complete;
        self.commit(tx, step, Advance { counts, ..Advance::default() }).await
    }
}
