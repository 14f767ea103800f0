//! Reading the catalogue and the seller's warehouses.

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{
    ids::AccountId,
    marketplace::{Capability, Side},
    reading::{Location, Position},
    sync::{Phase, SyncCounts, is_contract_drift},
};
use marketplaces::{CatalogueScope, KnownCatalogue, KnownCatalogueError};
use storage::{
    Db, TenantScope,
    catalogue::{self, Reader},
    readings::{self, Complete, Subject},
    syncs::{Advance, Step, StepState},
    tenants, warehouses,
};

use super::{
    run::Run,
    step::{Stop, count, drift, unreadable_rows},
};

/// Catalogues up to this many products are always read in full.
const ALWAYS_FULL: u64 = 5_000;

/// Larger ones are read in full when the last full reading is older than this.
const FULL_EVERY: TimeDelta = TimeDelta::hours(24);

impl Run<'_> {
    pub(super) fn reader(&self) -> Reader {
        Reader {
            account: self.account.id,
            marketplace: self.account.marketplace,
            pass: self.fence.sync.into(),
            at: self.now(),
        }
    }

    pub(super) async fn read_products(&mut self) -> Result<(), Stop> {
        let since = self.catalogue_since().await?;
        let mut step = self.resume(Phase::Products, since).await?;
        let scope = step.since.clone().map_or(CatalogueScope::Full, CatalogueScope::Since);
        loop {
            let page = self.connector.products(&scope, step.position.as_ref()).await?;
            let last = page.next.is_none();
            step.rows += page.rows.len() as u64;
            step.failed += page.failed;
            step.watermark = page.watermark.or(step.watermark);
            step.position = page.next;
            let tx = self.begin().await?;
            catalogue::write(&tx, self.reader(), &page.rows).await?;
            if last {
                self.close_catalogue(&tx, &mut step).await?;
            }
            tenants::bump_catalogue_version(&tx).await?;
            let counts = SyncCounts {
                products: count(page.rows.len()),
                variants: page.rows.iter().map(|row| count(row.variants.len())).sum(),
                failed: count(page.failed),
                ..SyncCounts::default()
            };
            let advance = Advance { rows: counts.products, counts, ..Advance::default() };
            let drifted = step.state == StepState::Failed;
            self.commit(tx, step.clone(), advance).await?;
            if drifted {
                return Err(Stop::Drifted(drift()));
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Ends the reading of the catalogue: only a full one without a gap tells what is gone.
    async fn close_catalogue(&self, tx: &storage::WriteTx, step: &mut Step) -> Result<(), Stop> {
        step.state = if is_contract_drift(step.rows, step.failed) {
            StepState::Failed
        } else if step.failed > 0 {
            step.error = Some(unreadable_rows());
            StepState::Partial
        } else {
            let full = step.since.is_none();
            if full {
                catalogue::close_unseen(tx, self.account.id, self.fence.sync, self.now()).await?;
            }
            let watermark = step.watermark.as_ref();
            let source = self.connector.source(Capability::Products);
            let reading = Complete { began_at: step.started_at, full, watermark, source };
            readings::complete(tx, self.account.id, Subject::Products, reading).await?;
            StepState::Complete
        };
        Ok(())
    }

    /// From where to read the catalogue; none means in full.
    async fn catalogue_since(&self) -> Result<Option<Position>, Stop> {
        let tx = self.parts.db.read(&self.job.scope).await?;
        let last = readings::last(&tx, self.account.id, Subject::Products).await?;
        let products = catalogue::count_active(&tx, self.account.id).await?;
        tx.commit().await?;
        let fresh = last.full_completed_at.is_some_and(|at| self.now() - at < FULL_EVERY);
        Ok(last.watermark.filter(|_| fresh && products > ALWAYS_FULL))
    }

    pub(super) async fn read_locations(&mut self) -> Result<(), Stop> {
        let mut step = self.resume(Phase::Locations, None).await?;
        loop {
            let page = self.connector.locations(step.position.as_ref()).await?;
            step.rows += page.rows.len() as u64;
            step.failed += page.failed;
            step.position = page.next;
            let last = step.position.is_none();
            if last && is_contract_drift(step.rows, step.failed) {
                return Err(Stop::Drifted(drift()));
            }
            if last {
                step.state = if step.failed == 0 { StepState::Complete } else { StepState::Partial };
                step.error = (step.failed > 0).then(unreadable_rows);
            }
            let tx = self.begin().await?;
            warehouses::ensure(&tx, self.account.id, &page.rows, self.now()).await?;
            let counts = SyncCounts { failed: count(page.failed), ..SyncCounts::default() };
            let advance = Advance { rows: count(page.rows.len()), counts, ..Advance::default() };
            self.commit(tx, step.clone(), advance).await?;
            if last {
                return Ok(());
            }
        }
    }

    /// Whether a side can be read at all: where the seller's side is asked for by variant and warehouse, both must be
    /// known, or what was not asked for would look like zero.
    pub(super) async fn can_ask_for(&self, side: Side) -> Result<bool, Stop> {
        if side == Side::Fbo {
            return Ok(true);
        }
        let tx = self.parts.db.read(&self.job.scope).await?;
        let catalogue = readings::last(&tx, self.account.id, Subject::Products).await?;
        tx.commit().await?;
        let warehouses = self.state_of(Phase::Locations);
        let told_apart = matches!(warehouses, Some(StepState::Complete | StepState::NotGranted));
        Ok(told_apart && catalogue.completed_at.is_some())
    }
}

/// The catalogue in the database, for connectors that must name what they ask for.
pub(super) struct Known<'a> {
    pub(super) db: &'a Db,
    pub(super) scope: &'a TenantScope,
    pub(super) account: AccountId,
}

#[async_trait]
impl KnownCatalogue for Known<'_> {
    async fn variants_after(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, KnownCatalogueError> {
        let read = async {
            let tx = self.db.read(self.scope).await?;
            let found = catalogue::variant_external_ids(&tx, self.account, after, limit as u64).await?;
            tx.commit().await?;
            Ok::<_, storage::Error>(found)
        };
        read.await.map_err(|error| KnownCatalogueError(Box::new(error)))
    }

    async fn seller_warehouses(&self) -> Result<Vec<Location>, KnownCatalogueError> {
        let read = async {
            let tx = self.db.read(self.scope).await?;
            let found = warehouses::seller_locations(&tx, self.account).await?;
            tx.commit().await?;
            Ok::<_, storage::Error>(found)
        };
        read.await.map_err(|error| KnownCatalogueError(Box::new(error)))
    }
}
