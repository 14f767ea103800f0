//! A tenant with products, and a few others beside it.

use anyhow::{Context as _, Result};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, FromQueryResult, Statement, TransactionTrait as _,
    Value, prelude::DateTimeUtc,
};
use uuid::{Builder, Uuid};

use super::catalogue::Product;
use crate::product::database::{execute, placeholders, rows, settle};

/// Rows of one statement.
const CHUNK: u64 = 1000;
/// Statements of one transaction.
const STATEMENTS: u64 = 50;
/// Tenants beside the one that is measured; each has a tenth of its products.
const OTHERS: u64 = 4;

const COLUMNS: [&str; 24] = [
    "tenant_id",
    "id",
    "account_id",
    "marketplace",
    "external_id",
    "seller_article",
    "name",
    "brand",
    "category",
    "active",
    "search_text",
    "total_stock",
    "fbo_stock",
    "fbs_stock",
    "in_transit_to_customer",
    "in_transit_returns",
    "ordered_units",
    "cancelled_units",
    "ordered_today",
    "revenue_minor",
    "currency",
    "cover_rank",
    "created_at",
    "updated_at",
];

/// Gives the tenant so many products, and makes others.
pub(super) async fn fill(connection: &DatabaseConnection, tenant: Uuid, size: u64) -> Result<()> {
    let backend = connection.get_database_backend();
    if backend == DbBackend::Sqlite {
        for pragma in ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -500000"] {
            connection.execute_unprepared(pragma).await.context(pragma)?;
        }
    }
    let mut tenants = vec![(tenant, size)];
    for number in 1..=OTHERS {
        let other = id(number);
        let sql = "INSERT INTO tenant (id, name, slug, zone, locale, low_stock_units, low_stock_days, \
                   sync_interval_minutes, created_at) SELECT $2, name, $3, zone, locale, low_stock_units, \
                   low_stock_days, sync_interval_minutes, created_at FROM tenant WHERE id = $1";
        let slug = format!("other-{number}");
        execute(connection, sql, [tenant.into(), other.into(), slug.into()]).await?;
        tenants.push((other, size / 10));
    }
    let now = now(connection).await?;
    for (tenant, size) in tenants {
        let account = connect(connection, tenant, now).await?;
        let numbers: Vec<u64> = (0..size).collect();
        for part in numbers.chunks(usize::try_from(CHUNK * STATEMENTS)?) {
            let tx = connection.begin().await.context("beginning")?;
            for chunk in part.chunks(usize::try_from(CHUNK)?) {
                let sql = format!(
                    "INSERT INTO product ({}) VALUES {}",
                    COLUMNS.join(", "),
                    placeholders(backend, chunk.len(), COLUMNS.len())
                );
                let values = chunk.iter().flat_map(|number| values(tenant, account, *number, now));
                let statement = Statement::from_sql_and_values(backend, sql, values);
                tx.execute_raw(statement).await.context("writing products")?;
            }
            tx.commit().await.context("committing")?;
        }
    }
    if backend == DbBackend::Sqlite {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        connection.execute_unprepared(sql).await.context(sql)?;
    }
    settle(connection).await
}

/// An account of the tenant that has been read just now.
async fn connect(connection: &DatabaseConnection, tenant: Uuid, now: DateTimeUtc) -> Result<Uuid> {
    let account = tenant;
    let sql = "INSERT INTO marketplace_account (tenant_id, id, marketplace, name, state, seller_external_id, \
               seller_name, capabilities, credential_sealed, credential_masked, credential_scopes, created_at, \
               updated_at) VALUES ($1, $2, 'wildberries', 'Bench', 'active', 's', 's', '[]', '', '', '[]', $3, $3)";
    execute(connection, sql, [tenant.into(), account.into(), now.into()]).await?;
    let sql = "INSERT INTO account_schedule (tenant_id, account_id) VALUES ($1, $2)";
    execute(connection, sql, [tenant.into(), account.into()]).await?;
    for subject in ["products", "fbo", "fbs", "orders"] {
        let sql = "INSERT INTO account_reading (tenant_id, account_id, subject, completed_at, full_completed_at) \
                   VALUES ($1, $2, $3, $4, $4)";
        execute(connection, sql, [tenant.into(), account.into(), subject.into(), now.into()]).await?;
    }
    Ok(account)
}

fn values(tenant: Uuid, account: Uuid, number: u64, now: DateTimeUtc) -> [Value; COLUMNS.len()] {
    let product = Product::new(number);
    [
        tenant.into(),
        id(number).into(),
        account.into(),
        "wildberries".into(),
        product.external_id.clone().into(),
        product.seller_article.clone().into(),
        product.name.clone().into(),
        product.brand.into(),
        product.category.into(),
        product.active.into(),
        product.search_text().into(),
        product.total_stock().into(),
        product.fbo_stock.into(),
        product.fbs_stock.into(),
        product.in_transit_to_customer.into(),
        product.in_transit_returns.into(),
        product.ordered_units.into(),
        product.cancelled_units.into(),
        product.ordered_today.into(),
        product.revenue_minor.into(),
        "RUB".into(),
        product.cover_rank().into(),
        now.into(),
        now.into(),
    ]
}

/// An id of version 7: those of one page of a catalogue share a moment, and later pages have later ones.
fn id(number: u64) -> Uuid {
    const START: u64 = 1_790_000_000_000;
    const PAGE: u64 = 100;
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    Builder::from_unix_timestamp_millis(START + number / PAGE, &random).into_uuid()
}

/// The clock of the database, as the product stores moments.
async fn now(connection: &DatabaseConnection) -> Result<DateTimeUtc> {
    #[derive(FromQueryResult)]
    struct Moment {
        created_at: DateTimeUtc,
    }
    let found: Vec<Moment> = rows(connection, "SELECT created_at FROM tenant LIMIT 1", []).await?;
    Ok(found.first().context("no tenant")?.created_at)
}
