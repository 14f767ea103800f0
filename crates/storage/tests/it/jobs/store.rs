//! A migrated database for one test, with a door for the test itself.

use domain::ids::{JobId, TenantId};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, FromQueryResult, Statement, Value};
use storage::{Db, PoolSettings};
use test_support::database::TestDatabase;
use uuid::Uuid;

/// A database as the application sees it, and as its owner does.
pub(super) struct Store {
    pub(super) db: Db,
    owner: DatabaseConnection,
    // Dropped after the connections.
    _database: TestDatabase,
}

/// What the tests look at in a row of `job`.
#[derive(Debug, FromQueryResult)]
pub(super) struct JobRow {
    pub(super) state: String,
    pub(super) attempts: i32,
    pub(super) max_attempts: i32,
    pub(super) starts: i64,
    pub(super) run_at: i64,
    pub(super) created_at: i64,
    pub(super) lease_until: Option<i64>,
    pub(super) locked_by: Option<Uuid>,
    pub(super) error: Option<String>,
    pub(super) finished_at: Option<i64>,
    pub(super) request_id: Option<String>,
}

impl Store {
    pub(super) async fn open(database: TestDatabase) -> Self {
        let owner = PoolSettings::new(database.owner_url(), 1).open().await.unwrap();
        let db = Db::connect(&PoolSettings::new(database.url(), 8)).await.unwrap();
        Self { db, owner, _database: database }
    }

    /// A new tenant.
    pub(super) async fn tenant(&self) -> TenantId {
        let id = TenantId::generate();
        let sql = "INSERT INTO tenant (id, name, slug, zone, locale, low_stock_units, sync_interval_minutes, created_at) \
                   VALUES ($1, 'T', $2, 'UTC', 'en', 1, 60, CURRENT_TIMESTAMP)";
        self.run(sql, [id.as_uuid().into(), id.to_string().into()]).await;
        id
    }

    /// Runs a statement as the owner.
    pub(super) async fn run(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> u64 {
        self.owner.execute_raw(self.statement(sql, values)).await.unwrap().rows_affected()
    }

    /// A job as it is stored.
    pub(super) async fn job(&self, id: JobId) -> JobRow {
        let statement = self.statement("SELECT * FROM job WHERE id = $1", [id.as_uuid().into()]);
        JobRow::find_by_statement(statement).one(&self.owner).await.unwrap().unwrap()
    }

    /// Jobs there are, in whatever state.
    pub(super) async fn jobs(&self) -> i64 {
        let statement = self.statement("SELECT count(*) AS n FROM job", []);
        self.owner.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
    }

    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.owner.get_database_backend(), sql, values)
    }
}
