//! The product under test: its use cases on a fresh database, with a sandbox for a marketplace and a clock that
//! stands still.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use app::{App, Caller, Carried, Client, JobContext, NewAccount, Registration, TokenSettings};
use domain::{
    clock::Clock as _,
    ids::{AccountId, SyncId},
    job::{Job, Outcome, Queue},
    page::{Cursor, Page, PageRequest},
    picture::{Movement, Product as Listed, Stock, StockFilter},
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

impl Product {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let url = database.url();
        Self::start_with(database, &url, 30).await
    }

    /// The product with catalogues of another size, on a database reached at an address of one's own.
    pub(crate) async fn start_with(database: TestDatabase, url: &str, cards: u32) -> Self {
        // Several tests of one process may come here.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let clock = TestClock::at("2026-11-20T09:00:00Z");
        let shown = clock.clone();
        let options = Options {
            sellers: 2,
            cards_per_seller: cards,
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
            limit_scale: 0.0001,
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
        let registration = Registration {
            email: format!("owner-{}@example.com", Uuid::now_v7()),
            password: "a fine long passphrase".to_owned().into(),
            company_name: format!("Company {seller}"),
        };
        let client = Client::default();
        let signed_in = self.app.auth().register(registration, &client).await.expect("a new company");
        let token = secrecy::ExposeSecret::expose_secret(&signed_in.access_token).to_owned();
        let verified = self.app.auth().verify(&token).expect("a fresh token");
        let caller = self.app.auth().authenticate(verified, &client).await.expect("a fresh session");
        let token = self.sandbox.sellers()[seller].token.clone();
        let new = NewAccount {
            marketplace: "wildberries".into(),
            name: "Main".into(),
            credentials: BTreeMap::from([("token".to_owned(), token.into())]),
        };
        let account = self.app.accounts().connect(&caller, new).await.expect("the seller's token");
        Tenant { caller, account: account.id, seller }
    }

    /// Claims the next sync job, if there is one.
    pub(crate) async fn claim(&self) -> Option<ClaimedJob> {
        let claim = Claim {
            queue: Queue::Sync,
            worker: self.worker,
            limit: 1,
            per_tenant: 4,
            lease: Duration::from_mins(5),
        };
        jobs::claim(&self.db, &claim).await.expect("the queue can be read").pop()
    }

    /// Runs a claimed job once.
    pub(crate) async fn run(&self, job: &ClaimedJob, last_attempt: bool) -> Carried {
        let Job::SyncAccount { sync_id, .. } = job.decode().expect("a job of this version") else {
            panic!("only syncs wait in this queue");
        };
        let context =
            JobContext { scope: job.scope.clone(), run: job.starts, attempt: job.attempts + 1, last_attempt };
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
            ledger.extend(all(async |page| catalogue.history(&tenant.caller, product.id, &page).await).await);
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
