//! Reading order lines, and counting them into the figures.

use chrono::TimeDelta;
use domain::{
    calendar::WINDOW_DAYS,
    sync::{Phase, SyncCounts, is_contract_drift},
};
use storage::{
    orders::{self, Book},
    readings::{self, Subject},
    syncs::{Advance, Step, StepState},
    warehouses,
};

use super::{
    run::Run,
    step::{Stop, count, drift, unreadable_rows},
};
use crate::figures::{can_count, count_window};

impl Run<'_> {
    pub(super) async fn read_orders(&mut self) -> Result<(), Stop> {
        let tx = self.parts.db.read(&self.job.scope).await?;
        let last = readings::last(&tx, self.account.id, Subject::Orders).await?;
        tx.commit().await?;
        let mut step = self.resume(Phase::Orders, last.watermark).await?;
        let book = Book {
            account: self.account.id,
            marketplace: self.account.marketplace,
            zone: self.account.marketplace.zone(),
        };
        loop {
            let page = self.connector.orders(step.since.as_ref(), step.position.as_ref()).await?;
            step.rows += page.rows.len() as u64;
            step.failed += page.failed;
            step.watermark = page.watermark.or(step.watermark);
            let more = page.next.is_some();
            // The position of the last page stays: whoever resumes after it reads that page again, not all of them.
            step.position = page.next.or(step.position);
            let tx = self.begin().await?;
            let locations = page.rows.iter().filter_map(|row| row.location.as_ref());
            let places = warehouses::ensure(&tx, self.account.id, locations, self.now()).await?;
            orders::write(&tx, book, &page.rows, &places).await?;
            let counts = SyncCounts {
                order_lines: count(page.rows.len()),
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
        if shared.is_empty() {
            return Ok(());
        }
        let from = self.now() - TimeDelta::days(i64::from(WINDOW_DAYS) + 1);
        let mut position = None;
        loop {
            let page = self.connector.assemblies(from, position.as_ref()).await?;
            let tx = self.begin().await?;
            orders::assign_warehouses(&tx, self.account.id, &page.rows).await?;
            tx.commit().await.map_err(crate::error::Error::from)?;
            position = page.next;
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
            readings::complete(&tx, self.account.id, Subject::Orders, step.started_at, full, watermark)
                .await?;
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
        let orders_known = can_count(&tx, &self.account, now).await?;
        let mut counts = SyncCounts::default();
        if orders_known || self.state_of(Phase::Orders) == Some(StepState::Partial) {
            orders::match_again(&tx, self.account.id).await?;
            counts.unmatched_units = count_window(&tx, &self.account, now).await?;
        }
        step.state = StepState::Complete;
        self.commit(tx, step, Advance { counts, ..Advance::default() }).await
    }
}
