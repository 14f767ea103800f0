//! Sums over all tenants, for the operator.

use std::time::Duration;

use domain::{clock::Timestamp, marketplace::MarketplaceCode};
use sea_orm::{FromQueryResult, Statement, prelude::DateTimeUtc};

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

async fn rows<T: FromQueryResult>(db: &Db, sql: &str) -> Result<Vec<T>, Error> {
    let statement = Statement::from_string(db.backend(), sql);
    Ok(T::find_by_statement(statement).all(db.system_pool(Reason::Overview)).await?)
}
