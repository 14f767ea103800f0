//! Reading the stock of a side, and making it the picture when it is complete.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use domain::{
    ids::{VariantId, WarehouseId},
    marketplace::Side,
    matching::Clue,
    picture::Cause,
    reading::StockRow,
    sync::{Phase, SyncCounts, is_contract_drift},
};
use storage::{
    WriteTx,
    catalogue::{self, Matcher},
    figures,
    readings::{self, Complete, Subject},
    stock::{self, Again, Reading, Staged},
    syncs::{Advance, Step, StepState},
    tenants, warehouses,
};

use super::{
    catalogue::Known,
    run::Run,
    step::{Stop, count, drift, not_ready, shifted, unreadable_rows},
};

/// Rows that are placed together. A page may have many times as many, and what finds their places takes as much memory as
/// they do.
const AT_ONCE: usize = 5_000;

const fn phase_of(side: Side) -> Phase {
    match side {
        Side::Fbo => Phase::StockMarketplace,
        Side::Fbs => Phase::StockSeller,
    }
}

impl Run<'_> {
    pub(super) async fn read_stock(&mut self, side: Side) -> Result<(), Stop> {
        if !self.can_ask_for(side).await? {
            return Err(Stop::Failed(not_ready()));
        }
        let mut step = self.resume(phase_of(side), None).await?;
        loop {
            let known = Known { db: &self.parts.db, scope: &self.job.scope, account: self.account.id };
            let page = self.connector.stock(side, &known, step.position.as_ref()).await?;
            let tx = self.begin().await?;
            let (rows, unplaced) = self.stage(&tx, side, page.rows).await?;
            let failed = page.failed + unplaced;
            step.rows += rows;
            step.failed += failed;
            step.position = page.next;
            let mut counts =
                SyncCounts { stock_rows: count(rows), failed: count(failed), ..SyncCounts::default() };
            let last = step.position.is_none();
            let mut closed = Closed::Open;
            if last {
                closed = self.close_stock(&tx, side, &mut step, page.expected_total, &mut counts).await?;
            }
            let advance = Advance { rows: counts.stock_rows, counts, ..Advance::default() };
            self.commit(tx, step.clone(), advance).await?;
            if let Some(pause) = page.pause {
                return Err(Stop::Wait(pause));
            }
            match closed {
                Closed::Drifted => return Err(Stop::Drifted(drift())),
                Closed::Shifted => return Err(Stop::Failed(shifted())),
                Closed::Done => return Ok(()),
                Closed::Open => {}
            }
        }
    }

    /// Keeps the rows of a page in their places. Gives for how many places they are, and how many rows have none.
    async fn stage(&self, tx: &WriteTx, side: Side, rows: Vec<StockRow>) -> Result<(u64, u64), Stop> {
        let (mut kept, mut unplaced) = (0, 0);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let placement = self.place(tx, rows.by_ref().take(AT_ONCE).collect()).await?;
            unplaced += placement.failed;
            kept += self.keep(tx, side, placement).await?;
        }
        Ok((kept, unplaced))
    }

    /// Finds the place of every row.
    async fn place(&self, tx: &WriteTx, rows: Vec<StockRow>) -> Result<Placement, Stop> {
        let locations = rows.iter().filter_map(|row| row.location.as_ref());
        let places = warehouses::ensure(tx, self.account.id, locations, self.now()).await?;
        let named = self.name_variants(tx, &rows).await?;
        let wanted: HashMap<&str, Option<&str>> = rows
            .iter()
            .zip(&named)
            .filter_map(|(row, name)| Some((name.as_deref()?, row.product_external_id.as_deref())))
            .collect();
        let variants = catalogue::ensure_variants(tx, self.reader(), &wanted).await?;
        let mut placement = Placement::default();
        for (row, name) in rows.iter().zip(&named) {
            let warehouse = row.location.as_ref().map(|location| places.of(location));
            let variant = name.as_ref().and_then(|name| variants.get(name.as_ref()));
            let (Some(variant), None | Some(Some(_))) = (variant, warehouse) else {
                placement.failed += 1;
                continue;
            };
            let one = Staged {
                placed: *variant,
                warehouse: warehouse.flatten(),
                available: row.available,
                reserved: row.reserved,
                on_hand: row.on_hand,
                in_transit_to_customer: row.in_transit_to_customer,
                in_transit_returns: row.in_transit_returns,
            };
            match row.variant_external_id {
                Some(_) => placement.add_named(one),
                None => placement.add_found(one),
            }
        }
        Ok(placement)
    }

    /// Keeps rows in their places; gives how many places they are for, without those of rows that were added to others.
    async fn keep(&self, tx: &WriteTx, side: Side, placement: Placement) -> Result<u64, Stop> {
        let (account, sync) = (self.account.id, self.fence.sync);
        let Placement { named, found, .. } = placement;
        let named: Vec<Staged> = named.into_values().flatten().collect();
        stock::stage(tx, account, sync, side, &named, Again::Repeats).await?;
        let mut rows = named.len() as u64;
        if !found.is_empty() {
            let before = stock::staged(tx, sync, side).await?;
            let found: Vec<Staged> = found.into_values().collect();
            stock::stage(tx, account, sync, side, &found, Again::Adds).await?;
            rows += stock::staged(tx, sync, side).await? - before;
        }
        Ok(rows)
    }

    /// The external id of every row's variant: its own, else that of the variant its barcode, product and size lead to.
    /// A unit that the catalogue does not know is told apart by its barcode; without one it is nothing.
    async fn name_variants<'r>(
        &self,
        tx: &WriteTx,
        rows: &'r [StockRow],
    ) -> Result<Vec<Option<Cow<'r, str>>>, Stop> {
        let clues: Vec<Clue<'_>> =
            rows.iter().filter(|row| row.variant_external_id.is_none()).map(Clue::from).collect();
        let matcher = Matcher::load(tx, self.account.id, &clues).await?;
        let name = |row: &'r StockRow| match &row.variant_external_id {
            Some(id) => Some(Cow::Borrowed(id.as_str())),
            None => matcher
                .find(Clue::from(row))
                .map(|found| found.external_id.clone())
                .or_else(|| Some(format!("barcode:{}", row.barcode.as_ref()?)))
                .map(Cow::Owned),
        };
        Ok(rows.iter().map(name).collect())
    }

    /// Ends the reading of a side: makes it the picture, or throws it away.
    async fn close_stock(
        &self,
        tx: &WriteTx,
        side: Side,
        step: &mut Step,
        expected: Option<u64>,
        counts: &mut SyncCounts,
    ) -> Result<Closed, Stop> {
        if is_contract_drift(step.rows, step.failed) {
            stock::discard(tx, self.fence.sync, side).await?;
            return Ok(Closed::Drifted);
        }
        // A row that came on two pages tells that rows moved while they were read, and so that others may have been
        // missed: such a reading is started over once.
        let distinct = stock::staged(tx, self.fence.sync, side).await?;
        if distinct != step.rows || expected.is_some_and(|total| total != step.rows + step.failed) {
            stock::discard(tx, self.fence.sync, side).await?;
            let again = step.error.is_some();
            *step = Step::beginning(step.phase, None, self.now());
            step.error = Some(shifted());
            return Ok(if again { Closed::Shifted } else { Closed::Open });
        }
        let complete = step.failed == 0;
        let now = self.now();
        let reading = Reading {
            account: self.account.id,
            pass: self.fence.sync.into(),
            cause: Cause::Sync,
            side,
            complete,
            began_at: step.started_at,
            at: now,
        };
        counts.movements = count(stock::apply(tx, reading).await?);
        figures::write(tx, self.account.id, now).await?;
        tenants::bump_catalogue_version(tx).await?;
        if complete {
            let source = self.connector.source(side.capability());
            let reading = Complete { began_at: step.started_at, full: true, watermark: None, source };
            readings::complete(tx, self.account.id, Subject::Stock(side), reading).await?;
        }
        step.state = if complete { StepState::Complete } else { StepState::Partial };
        step.error = (!complete).then(unreadable_rows);
        Ok(Closed::Done)
    }
}

/// Rows in their places.
#[derive(Default)]
struct Placement {
    /// Rows that name their variant: a place has one. None where two rows say different things of it, since which of
    /// them is right cannot be told.
    named: BTreeMap<Key, Option<Staged>>,
    /// Rows whose variant was found by what they say of it. Several may lead to one place, each with a part of the units.
    found: BTreeMap<Key, Staged>,
    /// Rows that have no place, or contradict others: the first name neither a known variant nor a product.
    failed: u64,
}

type Key = (VariantId, Option<WarehouseId>);

impl Placement {
    fn add_named(&mut self, row: Staged) {
        let Some(known) = self.named.get_mut(&row.key()) else {
            self.named.insert(row.key(), Some(row));
            return;
        };
        if *known == Some(row) {
            return;
        }
        self.failed += 1 + u64::from(known.take().is_some());
    }

    fn add_found(&mut self, row: Staged) {
        self.found.entry(row.key()).and_modify(|known| *known = known.with(&row)).or_insert(row);
    }
}

/// What became of a reading at its last page.
enum Closed {
    /// It goes on, or starts over.
    Open,
    /// It is the picture.
    Done,
    /// It is thrown away: the marketplace must have changed its answers.
    Drifted,
    /// It is thrown away: rows moved while they were read, again.
    Shifted,
}
