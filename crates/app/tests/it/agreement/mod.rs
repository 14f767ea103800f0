//! Figures agree, whatever happens: between list, detail, stock rows, ledger, explanation, analytics and exports, after
//! every sync of any sequence of syncs, spoilt and killed ones among them. And what was seen at a moment is what is told
//! of it later.

mod checks;
mod script;

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use chrono::{NaiveTime, TimeDelta};
use domain::{
    calendar::Zone,
    clock::{Clock as _, Timestamp},
    ids::{VariantId, WarehouseId},
    job::Outcome,
    picture::StockFilter,
    sync::SyncState,
};
use proptest::test_runner::{Config, TestRunner};
use sandbox::{ChangeError, Side};
use storage::jobs::Settlement;
use test_support::database::TestDatabase;

use self::script::{Script, Step, Trouble, scripts};
use crate::{
    product::{Product, Tenant, all},
    sync::assert_truth,
};

/// What is available, level by level.
type Levels = BTreeMap<(VariantId, WarehouseId), i64>;

/// A seller's world, the product that reads it, and what was seen on the way.
struct World {
    product: Product,
    tenant: Tenant,
    /// Whether the marketplace masks its places.
    masked: bool,
    /// Units ordered by hand that may still be cancelled.
    ordered: Vec<String>,
    seen: Vec<(Timestamp, Levels)>,
}

impl World {
    async fn start(database: TestDatabase) -> Self {
        let url = database.url();
        let product = Product::start_with(database, &url, 6).await;
        let tenant = product.tenant(0).await;
        Self { product, tenant, masked: true, ordered: Vec::new(), seen: Vec::new() }
    }

    async fn take(&mut self, step: &Step) {
        let seller = self.tenant.seller;
        match step {
            Step::Put { variant, place, units } => {
                let (variant, place) = self.shelf(*variant, *place);
                self.product.sandbox.set_stock(seller, variant, place, (*units).into()).expect("a shelf");
            }
            Step::Order { variant, place, units } => {
                let (variant, place) = self.shelf(*variant, *place);
                match self.product.sandbox.place_order(seller, variant, place, (*units).into()) {
                    Ok(lines) => self.ordered.extend(lines),
                    Err(ChangeError::NotEnoughStock(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Cancel => {
                let Some(line) = self.ordered.pop() else { return };
                match self.product.sandbox.cancel_order(seller, &line) {
                    // It has arrived in the meantime.
                    Ok(()) | Err(ChangeError::UnknownOrder(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::AddCard => drop(self.product.sandbox.add_card(seller).expect("a seller")),
            Step::TrashCard(card) => self.trash(*card).await,
            Step::Masked(masked) => {
                self.masked = *masked;
                self.product.sandbox.set_masked(*masked);
            }
            Step::Wait { minutes } => self.product.clock.advance(TimeDelta::minutes((*minutes).into())),
            Step::Sync(trouble) => {
                self.sync(trouble.as_ref()).await;
                self.look().await;
            }
            Step::KilledSync { milliseconds } => {
                self.killed_sync(*milliseconds).await;
                self.look().await;
            }
            Step::Midnight => self.midnight().await,
        }
    }

    /// A variant and a place by their numbers.
    fn shelf(&self, variant: u8, place: u8) -> (i64, i64) {
        let truth =
            self.product.sandbox.truth(self.tenant.seller, self.product.clock.now()).expect("a seller");
        let variants: Vec<i64> = truth.variants.keys().copied().collect();
        let mut own: Vec<i64> =
            truth.stock.iter().filter(|row| row.side == Side::Fbs).map(|row| row.warehouse_id).collect();
        own.sort_unstable();
        own.dedup();
        // Places of the marketplace by their published ids; one of them is abroad.
        let places: Vec<i64> = own.into_iter().chain([507, 117_986, 686]).collect();
        (variants[usize::from(variant) % variants.len()], places[usize::from(place) % places.len()])
    }

    /// Throws away a card that a sync has seen: one that comes and goes between two is never known.
    async fn trash(&self, card: u8) {
        let known = self.product.products(&self.tenant).await;
        let Some(card) = known.get(usize::from(card) % known.len().max(1)) else { return };
        let card = card.external_id.parse().expect("a number");
        self.product.sandbox.trash_card(self.tenant.seller, card).expect("a card");
    }

    async fn sync(&self, trouble: Option<&Trouble>) -> SyncState {
        if let Some(trouble) = trouble {
            self.product.sandbox.inject(trouble.fault());
        }
        let run = self.product.sync(&self.tenant).await;
        self.product.sandbox.clear_faults();
        run.state
    }

    /// A sync whose process dies after a while; another one carries it to its end.
    async fn killed_sync(&self, milliseconds: u8) {
        let asked = self.product.app.syncs().request(&self.tenant.caller, self.tenant.account).await;
        asked.expect("an account");
        let Some(job) = self.product.claim().await else { return };
        let patience = Duration::from_millis(milliseconds.into());
        match tokio::time::timeout(patience, self.product.run(&job, true)).await {
            Ok(carried) => {
                assert_eq!(carried.outcome, Outcome::Done);
                self.product.settle(&job, Settlement::Done).await;
            }
            Err(_killed) => {
                self.product.settle(&job, Settlement::Park { after: Duration::ZERO }).await;
                self.product.carry_all().await;
            }
        }
    }

    /// The day turns in Moscow, and the schedule sees it.
    async fn midnight(&mut self) {
        let zone = Zone::MOSCOW;
        let now = self.product.clock.now();
        let tomorrow = zone.day_of(now).succ_opt().expect("a day").and_time(NaiveTime::MIN);
        self.product.clock.advance(zone.to_utc(tomorrow) - now + TimeDelta::minutes(3));
        self.product.app.scheduler().tick().await.expect("the schedule can be read");
        if self.product.turn_days().await > 0 {
            self.look().await;
        }
        self.product.carry_all().await;
        self.look().await;
    }

    /// Looks at everything there is to see, and remembers the stock.
    async fn look(&mut self) {
        // Under a clock that stands still, the second side that a sync reads is a millisecond ahead of it.
        self.product.clock.advance(TimeDelta::seconds(1));
        checks::agree(&self.product, &self.tenant).await;
        let now = self.product.clock.now();
        let levels = self.product.stocks(&self.tenant).await;
        let levels =
            levels.iter().filter_map(|row| Some(((row.variant_id, row.warehouse_id), row.available?)));
        self.seen.push((now, levels.collect()));
        // Whatever is written from here on is later than what was seen.
        self.product.clock.advance(TimeDelta::minutes(1));
    }

    /// What the product tells of every moment at which somebody looked.
    async fn look_back(&self) {
        let filter = StockFilter::default();
        for (moment, seen) in &self.seen {
            let catalogue = self.product.app.catalogue();
            let list =
                async |page| catalogue.stocks_as_of(&self.tenant.caller, &filter, *moment, &page).await;
            let told: Levels = all(list)
                .await
                .iter()
                .map(|row| ((row.variant_id, row.warehouse_id), row.available.unwrap()))
                .collect();
            assert_eq!(told, checks::moved(seen, &told), "as of {moment}");
        }
    }

    /// In the end the marketplace answers well, and what it has is what is shown.
    async fn settle(&mut self) {
        let accounts = self.product.app.accounts();
        accounts.verify(&self.tenant.caller, self.tenant.account).await.expect("a good token");
        assert_eq!(self.sync(None).await, SyncState::Completed);
        assert_truth(&self.product, &self.tenant, self.masked).await;
        self.look().await;
        assert!(
            checks::explained(&self.product, &self.tenant).await,
            "every figure is what its rows come to"
        );
    }
}

async fn holds(database: TestDatabase, script: &Script) {
    let mut world = World::start(database).await;
    for step in &script.0 {
        world.take(step).await;
    }
    world.settle().await;
    world.look_back().await;
}

fn check(database: impl AsyncFn() -> TestDatabase, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let run = Cell::new(0);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 12, ..Config::default() };
    let result = TestRunner::new(config).run(&scripts(), |script| {
        run.set(run.get() + 1);
        runtime.block_on(async { holds(database().await, &script).await });
        Ok(())
    });
    result.unwrap();
    assert!(run.get() >= cases);
}

#[test]
fn sqlite_figures_agree() {
    check(TestDatabase::sqlite, 10);
}

#[test]
fn postgres_figures_agree() {
    check(TestDatabase::postgres, 3);
}
