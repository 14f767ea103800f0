//! Connections and transactions: the doors to the database.

use std::{
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::ids::TenantId;
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, DbErr, FromQueryResult, IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait as _, Value,
    sea_query::SelectStatement,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{error::Error, observer::StatementObserver, scope::TenantScope};

/// Prepared statements that a connection keeps. Some write hundreds of rows at once and hold as much memory.
const STATEMENTS: usize = 32;

/// How to connect.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// `sqlite://…` or `postgres://…`.
    pub url: String,
    /// Most connections of this process.
    pub size: u32,
    /// How long to wait for a free connection.
    pub acquire_timeout: Duration,
    /// Whether a file of SQLite is opened as it is, to be read only.
    pub read_only: bool,
}

impl PoolSettings {
    /// A pool of this size with the usual patience.
    pub fn new(url: impl Into<String>, size: u32) -> Self {
        Self { url: url.into(), size, acquire_timeout: Duration::from_secs(10), read_only: false }
    }

    /// The same, for whoever must not change a file of SQLite, nor make one.
    #[must_use]
    pub fn to_look(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// Opens a plain connection pool. For migrations; the application goes through [`Db`].
    pub async fn open(&self) -> Result<DatabaseConnection, Error> {
        let read_only = self.read_only;
        let mut options = ConnectOptions::new(&self.url);
        options
            .max_connections(self.size)
            .acquire_timeout(self.acquire_timeout)
            .connect_timeout(self.acquire_timeout)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|postgres| postgres.statement_cache_capacity(STATEMENTS))
            .map_sqlx_sqlite_opts(move |sqlite| {
                let sqlite = sqlite
                    .statement_cache_capacity(STATEMENTS)
                    .foreign_keys(true)
                    .synchronous(SqliteSynchronous::Normal)
                    .busy_timeout(Duration::from_secs(30));
                if read_only {
                    sqlite.read_only(true)
                } else {
                    sqlite.create_if_missing(true).journal_mode(SqliteJournalMode::Wal)
                }
            });
        Ok(Database::connect(options).await?)
    }
}

/// Why work is done across tenants, or before a tenant is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Finding out who calls.
    Authentication,
    /// Making a new tenant.
    Registration,
    /// Finding accounts whose time has come.
    Schedule,
    /// Handing out, renewing and ending jobs.
    Jobs,
    /// Counting calls to marketplaces.
    SellerLimits,
    /// Answering whether the service is well.
    Health,
    /// Removing what nobody needs any more.
    Retention,
    /// Telling the operator what there is.
    Overview,
}

/// The database. It cannot be queried as it is: ask for a transaction of a tenant, or name a reason.
#[derive(Debug, Clone)]
pub struct Db {
    pool: DatabaseConnection,
    size: u32,
    observer: Option<Arc<dyn StatementObserver>>,
}

/// The connections of this process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Those that somebody works with.
    pub in_use: u32,
    /// Those that are open and free.
    pub idle: u32,
    /// How many there can be.
    pub max: u32,
}

impl Db {
    /// Connects.
    pub async fn connect(settings: &PoolSettings) -> Result<Self, Error> {
        Ok(Self { pool: settings.open().await?, size: settings.size, observer: None })
    }

    /// Lets somebody hear of every statement from now on, of this database and its clones to come.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn StatementObserver>) -> Self {
        let heard = Arc::clone(&observer);
        self.pool
            .set_metric_callback(move |info| heard.ended(&info.statement.sql, info.elapsed, info.failed));
        self.observer = Some(observer);
        self
    }

    /// Who works with the connections now.
    pub fn connections(&self) -> Connections {
        let (open, idle) = if self.backend() == DbBackend::Postgres {
            let pool = self.pool.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        } else {
            let pool = self.pool.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        };
        // The two are read one after the other.
        let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(open);
        Connections { in_use: open - idle, idle, max: self.size }
    }

    /// Most connections of this process.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// Closes every connection.
    pub async fn close(self) -> Result<(), Error> {
        Ok(self.pool.close().await?)
    }

    /// Begins to read within a tenant: everything as it was at one moment. Takes no write lock.
    pub async fn read(&self, scope: &TenantScope) -> Result<ReadTx, Error> {
        self.tenant_tx(scope, self.options(SqliteTransactionMode::Deferred, AccessMode::ReadOnly)).await
    }

    /// Begins to write within a tenant.
    pub async fn write(&self, scope: &TenantScope) -> Result<WriteTx, Error> {
        self.tenant_tx(scope, self.options(SqliteTransactionMode::Immediate, AccessMode::ReadWrite)).await
    }

    /// Begins work that belongs to no tenant. Row-level security hides every tenant's rows from it.
    pub async fn system(&self, reason: Reason) -> Result<SystemTx, Error> {
        tracing::trace!(?reason, "work outside a tenant");
        let tx = self.begin(self.options(SqliteTransactionMode::Immediate, AccessMode::ReadWrite)).await?;
        Ok(SystemTx { tx })
    }

    /// Single statements that belong to no tenant, each its own transaction.
    pub(crate) fn system_pool(&self, reason: Reason) -> &DatabaseConnection {
        tracing::trace!(?reason, "work outside a tenant");
        &self.pool
    }

    /// The kind of database.
    pub(crate) fn backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn tenant_tx<M>(
        &self,
        scope: &TenantScope,
        options: TransactionOptions,
    ) -> Result<TenantTx<M>, Error> {
        let tx = self.begin(options).await?;
        enter(&tx, scope.tenant_id()).await?;
        Ok(TenantTx { tx, scope: scope.clone(), mode: PhantomData })
    }

    /// Begins in a task of its own, which goes on when the caller is dropped. sqlx learns only from the answer to
    /// `BEGIN` that there is something to roll back: given up before it, the connection would go back into the pool
    /// inside a transaction that nobody ends, and what is written on it next would be lost.
    async fn begin(&self, options: TransactionOptions) -> Result<DatabaseTransaction, Error> {
        let pool = self.pool.clone();
        let began = Instant::now();
        let begun =
            tokio::spawn(async move { pool.begin_with_options(options).await }.in_current_span()).await;
        if let Some(observer) = &self.observer {
            observer.ended("BEGIN", began.elapsed(), !matches!(begun, Ok(Ok(_))));
        }
        match begun {
            Ok(tx) => Ok(tx?),
            Err(stopped) => match stopped.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(ended) => Err(Error::from(DbErr::Custom(ended.to_string()))),
            },
        }
    }

    fn options(&self, sqlite: SqliteTransactionMode, access: AccessMode) -> TransactionOptions {
        // SQLite has neither, and its driver warns of them every time. Its readers see one moment as they are.
        let postgres = self.backend() == DbBackend::Postgres;
        let one_moment = postgres && access == AccessMode::ReadOnly;
        TransactionOptions {
            sqlite_transaction_mode: Some(sqlite),
            access_mode: postgres.then_some(access),
            isolation_level: one_moment.then_some(IsolationLevel::RepeatableRead),
        }
    }
}

/// Names the tenant whose rows the transaction may see. SQLite has no row-level security; there the repositories'
/// `tenant_id` is the only lock.
pub(crate) async fn enter(tx: &DatabaseTransaction, tenant: TenantId) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        let sql = "SELECT set_config('app.tenant_id', $1, true)";
        tx.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [tenant.to_string().into()]))
            .await?;
    }
    Ok(())
}

/// A transaction that may only read.
#[derive(Debug)]
pub enum Read {}

/// A transaction that may also write.
#[derive(Debug)]
pub enum Write {}

/// A transaction within one tenant. Dropped without [`TenantTx::commit`], it never happened.
#[derive(Debug)]
pub struct TenantTx<M> {
    tx: DatabaseTransaction,
    scope: TenantScope,
    mode: PhantomData<M>,
}

/// A reading transaction within one tenant.
pub type ReadTx = TenantTx<Read>;

/// A writing transaction within one tenant.
pub type WriteTx = TenantTx<Write>;

impl<M> TenantTx<M> {
    /// Whose transaction it is.
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// Makes the work visible, or ends the reading.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.tx.commit().await?)
    }

    /// The tenant as the database keeps it.
    pub(crate) fn tenant(&self) -> Uuid {
        self.scope.tenant_id().as_uuid()
    }

    pub(crate) fn inner(&self) -> &DatabaseTransaction {
        &self.tx
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.tx.get_database_backend()
    }

    /// Makes the rest of the transaction join whole sets with each other. PostgreSQL knows nothing yet of a tenant that
    /// came after its last look at a table, expects one row of everything, and would go through one set again for
    /// each row of the other: minutes where a second is enough.
    pub(crate) async fn join_as_sets(&self) -> Result<(), Error> {
        if self.backend() == DbBackend::Postgres {
            self.execute("SET LOCAL enable_nestloop = off", []).await?;
        }
        Ok(())
    }

    /// Runs a statement, with `$1` and so on for the values; says how many rows it changed.
    pub(crate) async fn execute(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, Error> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        Ok(self.tx.execute_raw(statement).await?.rows_affected())
    }

    /// Every row of a query.
    pub(crate) async fn rows<T: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Error> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        Ok(T::find_by_statement(statement).all(&self.tx).await?)
    }

    /// Every row of a query that was put together.
    pub(crate) async fn select<T: FromQueryResult>(
        &self,
        statement: &SelectStatement,
    ) -> Result<Vec<T>, Error> {
        Ok(T::find_by_statement(self.backend().build(statement)).all(&self.tx).await?)
    }

    /// The first row of a query.
    pub(crate) async fn row<T: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, Error> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        Ok(T::find_by_statement(statement).one(&self.tx).await?)
    }
}

/// A transaction outside every tenant.
#[derive(Debug)]
pub struct SystemTx {
    tx: DatabaseTransaction,
}

impl SystemTx {
    /// Makes the work visible.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.tx.commit().await?)
    }

    /// Undoes the work.
    pub(crate) async fn roll_back(self) -> Result<(), Error> {
        Ok(self.tx.rollback().await?)
    }

    pub(crate) fn inner(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// Goes on within a tenant, in the same transaction: the work that found or made the tenant and the work in it
    /// stand or fall together.
    pub(crate) async fn enter(self, scope: TenantScope) -> Result<WriteTx, Error> {
        enter(&self.tx, scope.tenant_id()).await?;
        Ok(TenantTx { tx: self.tx, scope, mode: PhantomData })
    }
}
