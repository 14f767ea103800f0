//! The product under test: its use cases on a fresh database, with a sandbox for a marketplace and a clock that
//! stands still.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use app::{App, Caller, Carried, Client, JobContext, NewAccount, Registration, TokenSettings};
use domain::{
    clock::Clock as _,
    ids::{AccountId, SyncId},
    job::{Job, Outcome, Queue},
    page::{Cursor, Page, PageRequest},
    picture::{Movement, MovementFilter, Product as Listed, Stock, StockFilter},
    sync::SyncRun,
};
use marketplaces::{Factory, Settings, Unobserved};
use sandbox::{Options, Sandbox};
use storage::{
    Db, PoolSettings,
    jobs::{self, Claim, ClaimedJob, Settlement},
    limits::StoredLimits,
    vault::Vault,
};
use test_support::{clock::TestClock, database::TestDatabase};
use uuid::Uuid;

/// The product, its surroundings, and one tenant with the sandbox's first seller connected.
pub(crate) struct Product {
    pub(crate) app: App,
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    db: Db,
    worker: Uuid,
    // Dropped last.
    _database: TestDatabase,
}

/// A tenant with an account.
pub(crate) struct Tenant {
    pub(crate) caller: Caller,
    pub(crate) account: AccountId,
    /// The sandbox's number of the seller.
    pub(crate) seller: usize,
}

/// When tests begin: noon in Moscow, on a Friday.
/// How long a job rests after an attempt that failed.
pub(crate) const PAUSE: Duration = Duration::from_secs(7);

const START: &str = "2026-11-20T09:00:00Z";

impl Product {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let url = database.url();
        Self::start_with(database, &url, 30).await
    }

    /// The product with limits, polls and pauses as long as the marketplace's own.
    pub(crate) async fn start_with_real_limits(database: TestDatabase) -> Self {
        let url = database.url();
        let clock = TestClock::at(START);
        Self::start_scaled(database, &url, 5, (clock, 1.0)).await
    }

    /// The product with a clock that runs, and everything that takes time ten thousand times shorter.
    pub(crate) async fn start_running(database: TestDatabase) -> Self {
        let url = database.url();
        Self::start_scaled(database, &url, 30, (TestClock::running_from(START), 0.0001)).await
    }

    /// The product with catalogues of another size, on a database reached at an address of one's own.
    pub(crate) async fn start_with(database: TestDatabase, url: &str, cards: u32) -> Self {
        Self::start_scaled(database, url, cards, (TestClock::at(START), 0.0001)).await
    }

    async fn start_scaled(
        database: TestDatabase,
        url: &str,
        cards: u32,
        (clock, limit_scale): (TestClock, f64),
    ) -> Self {
        // Several tests of one process may come here.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let shown = clock.clone();
        let options = Options {
            sellers: 2,
            cards_per_seller: cards,
            report_time: Duration::from_secs(30).mul_f64(limit_scale),
            // Twice what the figures count.
            history_days: 14,
            // Buckets would never fill again under a clock that stands still.
            limit_scale: 0.0,
            orders_page_rows: 500,
            clock: sandbox::Clock::new(move || shown.now()),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.expect("a sandbox starts");
        let db = Db::connect(&PoolSettings::new(url, 5)).await.expect("the database answers");
        let settings = Settings {
            wildberries_base_url: Some(sandbox.base_url().parse().expect("an address")),
            limit_scale,
            // Shops of tests are on this machine.
            allow_private: true,
            ..Settings::default()
        };
        let limits = Arc::new(StoredLimits::new(db.clone()));
        let factory = Factory::new(settings, limits, Arc::new(clock.clone()), Arc::new(Unobserved))
            .expect("a client can be built");
        let vault = Vault::new(&[Vault::generate_key()]).expect("a fresh key is a key");
        let tokens = TokenSettings {
            secret: "a secret of more than thirty-two characters".to_owned().into(),
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(720),
        };
        let app = App::new(db.clone(), vault, factory, Arc::new(clock.clone()), &tokens);
        Self { app, clock, sandbox, db, worker: Uuid::now_v7(), _database: database }
    }

    /// Registers a tenant and connects one seller.
    pub(crate) async fn tenant(&self, seller: usize) -> Tenant {
        self.tenant_with(seller, &self.sandbox.sellers()[seller].token).await
    }

    /// Registers a tenant and connects one seller with a token of one's own.
    pub(crate) async fn tenant_with(&self, seller: usize, token: &str) -> Tenant {
        let caller = self.company(&format!("Company {seller}")).await;
        let new = NewAccount {
            marketplace: "wildberries".into(),
            name: "Main".into(),
            credentials: BTreeMap::from([("token".to_owned(), token.to_owned().into())]),
        };
        let account = self.app.accounts().connect(&caller, new).await.expect("the seller's token");
        Tenant { caller, account: account.id, seller }
    }

    /// Registers a tenant with nothing connected.
    pub(crate) async fn company(&self, name: &str) -> Caller {
        let registration = Registration {
            email: format!("owner-{}@example.com", Uuid::now_v7()),
            password: "a fine long passphrase".to_owned().into(),
            company_name: name.to_owned(),
        };
        let client = Client::default();
        let signed_in = self.app.auth().register(registration, &client).await.expect("a new company");
        let access = secrecy::ExposeSecret::expose_secret(&signed_in.access_token).to_owned();
        let verified = self.app.auth().verify(&access).expect("a fresh token");
        self.app.auth().authenticate(verified, &client).await.expect("a fresh session")
    }

    /// Claims the next sync job, if there is one.
    pub(crate) async fn claim(&self) -> Option<ClaimedJob> {
        self.claim_from(Queue::Sync).await
    }

    async fn claim_from(&self, queue: Queue) -> Option<ClaimedJob> {
        let claim =
            Claim { queue, worker: self.worker, limit: 1, per_tenant: 4, lease: Duration::from_mins(5) };
        jobs::claim(&self.db, &claim).await.expect("the queue can be read").pop()
    }

    /// Runs a claimed job once.
    pub(crate) async fn run(&self, job: &ClaimedJob, last_attempt: bool) -> Carried {
        let Job::SyncAccount { sync_id, .. } = job.decode().expect("a job of this version") else {
            panic!("only syncs wait in this queue");
        };
        let context = JobContext {
            scope: job.scope.clone(),
            run: job.starts,
            attempt: job.attempts + 1,
            last_attempt,
            pause: PAUSE,
        };
        self.app.sync_engine().run(&context, sync_id).await.expect("a run that ends")
    }

    /// Says how a run ended.
    pub(crate) async fn settle(&self, job: &ClaimedJob, settlement: Settlement) {
        jobs::settle(&self.db, job.key(), self.worker, &settlement).await.expect("the job can be ended");
    }

    /// Carries every sync that has been asked for to its end, as if each attempt were the last.
    pub(crate) async fn carry_all(&self) {
        while let Some(job) = self.claim().await {
            let carried = self.run(&job, true).await;
            assert_eq!(carried.outcome, Outcome::Done);
            self.settle(&job, Settlement::Done).await;
        }
    }

    /// Counts anew what the turn of a day wants counted. Says for how many accounts.
    pub(crate) async fn turn_days(&self) -> usize {
        let mut turned = 0;
        while let Some(job) = self.claim_from(Queue::Figures).await {
            let Job::TurnDay { account_id, .. } = job.decode().expect("a job of this version") else {
                panic!("no zone was changed");
            };
            self.app.sync_engine().turn_day(&job.scope, account_id).await.expect("a turn");
            self.settle(&job, Settlement::Done).await;
            turned += 1;
        }
        turned
    }

    /// Moves orders to other days where a change of zone wants it. Says of how many accounts.
    pub(crate) async fn move_days(&self) -> usize {
        let mut moved = 0;
        while let Some(job) = self.claim_from(Queue::Figures).await {
            let Job::MoveDays { account_id, .. } = job.decode().expect("a job of this version") else {
                panic!("no day has turned");
            };
            self.app.sync_engine().move_days(&job.scope, account_id).await.expect("a move");
            self.settle(&job, Settlement::Done).await;
            moved += 1;
        }
        moved
    }

    /// Asks for a sync and carries it through.
    pub(crate) async fn sync(&self, tenant: &Tenant) -> SyncRun {
        let asked = self.app.syncs().request(&tenant.caller, tenant.account).await.expect("an account");
        self.carry_all().await;
        self.get(tenant, asked.sync_id).await
    }

    pub(crate) async fn get(&self, tenant: &Tenant, sync: SyncId) -> SyncRun {
        self.app.syncs().get(&tenant.caller, sync).await.expect("the tenant's sync")
    }

    /// Every product, whatever its status.
    pub(crate) async fn products(&self, tenant: &Tenant) -> Vec<Listed> {
        let query = app::ProductQuery::default();
        all(async |page| self.app.catalogue().products(&tenant.caller, &query, &page).await).await
    }

    /// Every stock row.
    pub(crate) async fn stocks(&self, tenant: &Tenant) -> Vec<Stock> {
        let filter = StockFilter::default();
        all(async |page| self.app.catalogue().stocks(&tenant.caller, &filter, &page).await).await
    }

    /// The whole ledger.
    pub(crate) async fn ledger(&self, tenant: &Tenant) -> Vec<Movement> {
        let mut ledger = Vec::new();
        for product in self.products(tenant).await {
            let catalogue = self.app.catalogue();
            let every = MovementFilter::default();
            let history = async |page| catalogue.history(&tenant.caller, product.id, &every, &page).await;
            ledger.extend(all(history).await);
        }
        ledger
    }
}

/// Every row of a list, page after page of an odd size.
pub(crate) async fn all<T, E: std::fmt::Debug>(
    list: impl AsyncFn(PageRequest) -> Result<Page<T>, E>,
) -> Vec<T> {
    let (mut items, mut cursor): (Vec<T>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = list(PageRequest { limit: 37, cursor }).await.expect("a page");
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return items;
        }
    }
}
