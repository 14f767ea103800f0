//! The measure for a sync: its stock rows, written into a table of the same shape by nothing but upserts.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, FromQueryResult, Statement, TransactionTrait as _,
    Value,
};
use uuid::Uuid;

use crate::product::database::{placeholders, rows};

/// Rows of one statement, as in the product.
const CHUNK: usize = 1000;

const COLUMNS: [&str; 11] = [
    "tenant_id",
    "variant_id",
    "warehouse_id",
    "account_id",
    "product_id",
    "available",
    "reserved",
    "on_hand",
    "in_transit_to_customer",
    "in_transit_returns",
    "written_by",
];

#[derive(Clone, FromQueryResult)]
struct Level {
    tenant_id: Uuid,
    variant_id: Uuid,
    warehouse_id: Uuid,
    account_id: Uuid,
    product_id: Uuid,
    available: Option<i64>,
    reserved: Option<i64>,
    on_hand: Option<i64>,
    in_transit_to_customer: Option<i64>,
    in_transit_returns: Option<i64>,
    written_by: Option<Uuid>,
}

impl Level {
    fn values(&self) -> [Value; COLUMNS.len()] {
        [
            self.tenant_id.into(),
            self.variant_id.into(),
            self.warehouse_id.into(),
            self.account_id.into(),
            self.product_id.into(),
            self.available.into(),
            self.reserved.into(),
            self.on_hand.into(),
            self.in_transit_to_customer.into(),
            self.in_transit_returns.into(),
            self.written_by.into(),
        ]
    }
}

/// Stock rows of a sync, and an empty twin of their table.
pub(super) struct Bare {
    levels: Vec<Level>,
}

impl Bare {
    /// Makes the twin, with every index and foreign key, and reads the rows, in the order of no index.
    pub(super) async fn prepare(connection: &DatabaseConnection) -> Result<Self> {
        for sql in twin(connection).await? {
            connection.execute_unprepared(&sql).await.with_context(|| sql.clone())?;
        }
        let sql = format!(
            "SELECT {} FROM stock_level WHERE available IS NOT NULL ORDER BY warehouse_id, product_id, variant_id",
            COLUMNS.join(", ")
        );
        let levels = rows(connection, &sql, []).await?;
        ensure!(!levels.is_empty(), "the sync has left no stock");
        Ok(Self { levels })
    }

    pub(super) fn rows(&self) -> u64 {
        self.levels.len() as u64
    }

    /// Writes every row; how long it took.
    pub(super) async fn write(&self, connection: &DatabaseConnection) -> Result<Duration> {
        let updates: Vec<_> = COLUMNS[5..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let backend = connection.get_database_backend();
        let started = Instant::now();
        for chunk in self.levels.chunks(CHUNK) {
            let sql = format!(
                "INSERT INTO bench_level ({}) VALUES {} \
                 ON CONFLICT (tenant_id, variant_id, warehouse_id) DO UPDATE SET {}",
                COLUMNS.join(", "),
                placeholders(backend, chunk.len(), COLUMNS.len()),
                updates.join(", "),
            );
            let values = chunk.iter().flat_map(Level::values);
            let tx = connection.begin().await.context("beginning")?;
            let statement = Statement::from_sql_and_values(backend, sql, values);
            tx.execute_raw(statement).await.context("a bare upsert")?;
            tx.commit().await.context("committing")?;
        }
        Ok(started.elapsed())
    }
}

/// The statements that make `bench_level` what `stock_level` is, but for row-level security.
async fn twin(connection: &DatabaseConnection) -> Result<Vec<String>> {
    #[derive(FromQueryResult)]
    struct Text {
        text: String,
    }
    if connection.get_database_backend() == DbBackend::Postgres {
        let sql = "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint \
                   WHERE conrelid = 'stock_level'::regclass AND contype = 'f'";
        let keys: Vec<Text> = rows(connection, sql, []).await?;
        let mut statements = vec!["CREATE TABLE bench_level (LIKE stock_level INCLUDING ALL)".to_owned()];
        statements.extend(keys.into_iter().map(|key| format!("ALTER TABLE bench_level ADD {}", key.text)));
        return Ok(statements);
    }
    let sql = "SELECT sql AS text FROM sqlite_master WHERE tbl_name = 'stock_level' AND sql IS NOT NULL \
               ORDER BY type = 'index'";
    let made: Vec<Text> = rows(connection, sql, []).await?;
    Ok(made.into_iter().map(|made| made.text.replace("stock_level", "bench_level")).collect())
}
