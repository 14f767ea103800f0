//! What there is over all tenants, for the operator.

use std::time::Duration;

use domain::{
    clock::Timestamp,
    marketplace::{AccountState, MarketplaceCode},
};
use sea_orm::{FromQueryResult, Statement, prelude::DateTimeUtc};
use uuid::Uuid;

use crate::{
    codec,
    db::{Db, Reason},
    error::Error,
};

/// What is on sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub struct ProductOverview {
    /// Products.
    pub products: i64,
    /// Units of them in stock, where stock is known.
    pub stock_units: i64,
    /// Products that are low as their tenants say.
    pub low_stock: i64,
}

/// What is on sale. Reads every product: not to be asked often.
pub async fn products(db: &Db) -> Result<ProductOverview, Error> {
    let none = ProductOverview { products: 0, stock_units: 0, low_stock: 0 };
    Ok(rows(db, "SELECT products, stock_units, low_stock FROM product_overview").await?.pop().unwrap_or(none))
}

/// By how much the account of each marketplace is late at `now` that waits longest; zero where none is. An account is
/// late when nothing of it has been read completely within its interval. Accounts that are not on schedule are left out,
/// and so are marketplaces without others.
pub async fn lateness(db: &Db, now: Timestamp) -> Result<Vec<(MarketplaceCode, Duration)>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        marketplace: String,
        interval_minutes: i32,
        oldest_reading: DateTimeUtc,
    }
    let sql = "SELECT marketplace, interval_minutes, oldest_reading FROM sync_overview";
    let mut late: Vec<(MarketplaceCode, Duration)> = Vec::new();
    for row in rows::<Row>(db, sql).await? {
        let marketplace = codec::marketplace(&row.marketplace)?;
        let due = row.oldest_reading + chrono::TimeDelta::minutes(row.interval_minutes.into());
        let by = (now - due).to_std().unwrap_or_default();
        match late.iter_mut().find(|(known, _)| *known == marketplace) {
            Some((_, longest)) => *longest = by.max(*longest),
            None => late.push((marketplace, by)),
        }
    }
    Ok(late)
}

/// Connected accounts that have the same marketplace, state and kind of credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Where they sell.
    pub marketplace: MarketplaceCode,
    /// Whether they are synced.
    pub state: AccountState,
    /// The kind of credential in the marketplace's words, which decides how often it may ask; none where there is only
    /// one.
    pub credential_kind: Option<String>,
    /// How many they are.
    pub count: i64,
}

/// How many accounts there are, by marketplace, state and kind of credential.
pub async fn accounts(db: &Db) -> Result<Vec<Accounts>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        marketplace: String,
        state: String,
        credential_kind: Option<String>,
        count: i64,
    }
    let sql = "SELECT marketplace, state, credential_kind, COUNT(*) AS count FROM account_overview \
               GROUP BY marketplace, state, credential_kind ORDER BY marketplace, state, credential_kind";
    let accounts = rows::<Row>(db, sql).await?.into_iter().map(|row| {
        Ok(Accounts {
            marketplace: codec::marketplace(&row.marketplace)?,
            state: codec::word("account state", &row.state)?,
            credential_kind: row.credential_kind,
            count: row.count,
        })
    });
    accounts.collect()
}

/// An account whose credential ends.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Ending {
    /// Whose it is.
    pub tenant_id: Uuid,
    /// Which.
    pub account_id: Uuid,
    /// When it ends.
    pub credential_expires_at: DateTimeUtc,
}

/// Accounts that are in use and whose credentials end before `until`, the first to end first.
pub async fn ending_credentials(db: &Db, until: Timestamp) -> Result<Vec<Ending>, Error> {
    let sql = "SELECT tenant_id, account_id, credential_expires_at FROM account_overview \
               WHERE credential_expires_at < $1 AND state <> $2 ORDER BY credential_expires_at, account_id";
    let values = [until.into(), AccountState::Paused.name().into()];
    let statement = Statement::from_sql_and_values(db.backend(), sql, values);
    Ok(Ending::find_by_statement(statement).all(db.system_pool(Reason::Overview)).await?)
}

async fn rows<T: FromQueryResult>(db: &Db, sql: &str) -> Result<Vec<T>, Error> {
    let statement = Statement::from_string(db.backend(), sql);
    Ok(T::find_by_statement(statement).all(db.system_pool(Reason::Overview)).await?)
}
