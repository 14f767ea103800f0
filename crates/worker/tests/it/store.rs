//! A migrated database for one test, with a door for the test itself.

use std::time::Duration;

use chrono::NaiveDate;
use domain::{
    ids::{AccountId, JobId, SyncId, TenantId},
    job::Job,
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, FromQueryResult, Statement, Value};
use storage::{
    Db, PoolSettings, Reason,
    jobs::{self, Enqueued},
};
use test_support::{database::TestDatabase, postgres::PgServer};
use uuid::Uuid;

/// A database as the application sees it, and as its owner does.
pub(crate) struct Store {
    pub(crate) db: Db,
    pub(crate) pool: PoolSettings,
    owner: DatabaseConnection,
    // Dropped after the connections.
    database: TestDatabase,
}

/// What the tests look at in a row of `job`.
#[derive(Debug, FromQueryResult)]
pub(crate) struct JobRow {
    pub(crate) state: String,
    pub(crate) attempts: i32,
    pub(crate) starts: i64,
    pub(crate) run_at: i64,
    pub(crate) created_at: i64,
    pub(crate) locked_by: Option<Uuid>,
    pub(crate) error: Option<String>,
}

impl Store {
    pub(crate) async fn open(database: TestDatabase) -> Self {
        let pool = PoolSettings::new(database.url(), 8);
        let owner = PoolSettings::new(database.owner_url(), 1).open().await.unwrap();
        Self { db: Db::connect(&pool).await.unwrap(), pool, owner, database }
    }

    /// A new tenant.
    pub(crate) async fn tenant(&self) -> TenantId {
        let id = TenantId::generate();
        let sql = "INSERT INTO tenant (id, name, slug, zone, locale, low_stock_units, sync_interval_minutes, created_at) \
                   VALUES ($1, 'T', $2, 'UTC', 'en', 1, 60, CURRENT_TIMESTAMP)";
        self.run(sql, [id.as_uuid().into(), id.to_string().into()]).await;
        id
    }

    /// New jobs of a tenant in the sync queue, due now.
    pub(crate) async fn syncs(&self, tenant: TenantId, count: usize) -> Vec<JobId> {
        let tx = self.db.system(Reason::Schedule).await.unwrap();
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            let job = Job::SyncAccount { sync_id: SyncId::generate(), account_id: AccountId::generate() };
            match jobs::enqueue_system(&tx, tenant, &job, Duration::ZERO).await.unwrap() {
                Enqueued::New(id) => ids.push(id),
                Enqueued::Duplicate => panic!("every account is new"),
            }
        }
        tx.commit().await.unwrap();
        // How many failures a sync bears is for `domain` to say; these tests count to four.
        self.run("UPDATE job SET max_attempts = 4", []).await;
        ids
    }

    /// A new job of a tenant in the sync queue, due now.
    pub(crate) async fn sync(&self, tenant: TenantId) -> JobId {
        self.syncs(tenant, 1).await[0]
    }

    /// A new job of a tenant in the queue of figures, due now.
    pub(crate) async fn day_turn(&self, tenant: TenantId) -> JobId {
        let today = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        let job = Job::TurnDay { account_id: AccountId::generate(), today };
        let tx = self.db.system(Reason::Schedule).await.unwrap();
        let enqueued = jobs::enqueue_system(&tx, tenant, &job, Duration::ZERO).await.unwrap();
        tx.commit().await.unwrap();
        match enqueued {
            Enqueued::New(id) => id,
            Enqueued::Duplicate => panic!("every account is new"),
        }
    }

    /// Runs a statement as the owner.
    pub(crate) async fn run(&self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.owner.execute_raw(self.statement(sql, values)).await.unwrap();
    }

    /// Makes every change of a job fail, as a database in trouble would.
    pub(crate) async fn refuse_changes(&self) {
        let sql = match self.owner.get_database_backend() {
            DbBackend::Postgres => {
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'not now'; END $$; \
                 CREATE TRIGGER refuse BEFORE UPDATE ON job FOR EACH ROW EXECUTE FUNCTION refuse()"
            }
            _ => "CREATE TRIGGER refuse BEFORE UPDATE ON job BEGIN SELECT RAISE(ABORT, 'not now'); END",
        };
        self.owner.execute_unprepared(sql).await.unwrap();
    }

    /// The trouble is over.
    pub(crate) async fn accept_changes(&self) {
        let sql = match self.owner.get_database_backend() {
            DbBackend::Postgres => "DROP TRIGGER refuse ON job",
            _ => "DROP TRIGGER refuse",
        };
        self.owner.execute_unprepared(sql).await.unwrap();
    }

    /// Cuts every connection of the application and lets no new one in. PostgreSQL only.
    pub(crate) async fn cut_connections(&self) {
        let TestDatabase::Postgres(database) = &self.database else {
            panic!("SQLite has no connections to cut")
        };
        let (name, role) = (database.name(), database.app_role());
        let revoke = format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC, {role}");
        self.owner.execute_unprepared(&revoke).await.unwrap();
        let superuser = PoolSettings::new(PgServer::shared().unwrap().url(), 1).open().await.unwrap();
        let cut = format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
             WHERE datname = '{name}' AND usename = '{role}'"
        );
        superuser.execute_unprepared(&cut).await.unwrap();
        superuser.close().await.unwrap();
    }

    /// Lets connections in again.
    pub(crate) async fn let_connections_in(&self) {
        let TestDatabase::Postgres(database) = &self.database else {
            panic!("SQLite has no connections to cut")
        };
        let grant = format!("GRANT CONNECT ON DATABASE {} TO {}", database.name(), database.app_role());
        self.owner.execute_unprepared(&grant).await.unwrap();
    }

    /// A job as it is stored.
    pub(crate) async fn job(&self, id: JobId) -> JobRow {
        let statement = self.statement("SELECT * FROM job WHERE id = $1", [id.as_uuid().into()]);
        JobRow::find_by_statement(statement).one(&self.owner).await.unwrap().unwrap()
    }

    /// How many jobs fulfil this condition.
    pub(crate) async fn count(&self, condition: &str) -> i64 {
        let statement = self.statement(&format!("SELECT count(*) AS n FROM job WHERE {condition}"), []);
        self.owner.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
    }

    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.owner.get_database_backend(), sql, values)
    }
}
