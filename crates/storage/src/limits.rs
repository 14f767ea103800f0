//! The buckets of sellers, where every process sees them.
//!
//! The rule is `domain::limit`'s. A call that counts in several buckets is charged in one transaction: in all or none.

use std::time::Duration;

use async_trait::async_trait;
use domain::limit::{Bucket, Claim, Grant, LimiterUnavailable, Rate, SellerLimiter};
use sea_orm::{
    ActiveValue::Set, DbBackend, EntityTrait as _, FromQueryResult, Statement, sea_query::OnConflict,
};

use crate::{
    db::{Db, Reason, SystemTx},
    entity::seller_limit,
    error::Error,
};

/// Keeps buckets in the database, by the database's clock.
#[derive(Debug, Clone)]
pub struct StoredLimits {
    db: Db,
}

impl StoredLimits {
    /// Limits kept in `db`.
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    /// Changes the buckets of some claims together, or none of them.
    async fn change(
        &self,
        claims: &[Claim],
        decide: impl FnOnce(&mut [(Rate, Bucket)], i64) -> Grant + Send,
    ) -> Result<Grant, Error> {
        // Always in the same order, so that two calls never wait for each other.
        let mut claims: Vec<&Claim> = claims.iter().collect();
        claims.sort_by(|a, b| a.key.cmp(&b.key));
        let tx = self.db.system(Reason::SellerLimits).await?;
        let mut buckets = Vec::with_capacity(claims.len());
        for claim in &claims {
            buckets.push((claim.rate, lock(&tx, claim).await?));
        }
        let before = buckets.clone();
        let now = now_ms(&tx).await?;
        let grant = decide(&mut buckets, now);
        for ((claim, old), new) in claims.iter().zip(&before).zip(&buckets) {
            if old != new {
                write(&tx, claim, new.1).await?;
            }
        }
        tx.commit().await?;
        Ok(grant)
    }
}

#[async_trait]
impl SellerLimiter for StoredLimits {
    async fn acquire(&self, claims: &[Claim]) -> Result<Grant, LimiterUnavailable> {
        let granted = self.change(claims, |buckets, now| {
            let wait = buckets.iter().map(|(rate, bucket)| bucket.wait(*rate, now)).max();
            if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
                return Grant::After(wait);
            }
            for (rate, bucket) in buckets {
                *bucket = bucket.charged(*rate, 1, now);
            }
            Grant::Now
        });
        Ok(granted.await?)
    }

    async fn charge(&self, claim: &Claim, cost: u32) -> Result<(), LimiterUnavailable> {
        let charged = self.change(std::slice::from_ref(claim), |buckets, now| {
            for (rate, bucket) in buckets {
                *bucket = bucket.charged(*rate, cost, now);
            }
            Grant::Now
        });
        charged.await?;
        Ok(())
    }

    async fn block(&self, claim: &Claim, wait: Duration) -> Result<(), LimiterUnavailable> {
        let blocked = self.change(std::slice::from_ref(claim), |buckets, now| {
            for (rate, bucket) in buckets {
                *bucket = bucket.blocked(*rate, wait, now);
            }
            Grant::Now
        });
        blocked.await?;
        Ok(())
    }
}

impl From<Error> for LimiterUnavailable {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

fn bare(claim: &Claim) -> seller_limit::ActiveModel {
    seller_limit::ActiveModel {
        marketplace: Set(claim.key.marketplace.name().to_owned()),
        seller: Set(claim.key.seller.clone()),
        method_group: Set(claim.key.group.clone()),
        full_at_ms: Set(0),
    }
}

/// Reads a bucket and keeps it from others until the transaction ends, making it first if it is new.
async fn lock(tx: &SystemTx, claim: &Claim) -> Result<Bucket, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        full_at_ms: i64,
    }
    seller_limit::Entity::insert(bare(claim))
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.inner())
        .await?;
    let lock = if backend(tx) == DbBackend::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!(
        "SELECT full_at_ms FROM seller_limit WHERE marketplace = $1 AND seller = $2 AND method_group = $3{lock}"
    );
    let values = [
        claim.key.marketplace.name().into(),
        claim.key.seller.as_str().into(),
        claim.key.group.as_str().into(),
    ];
    let row = Row::find_by_statement(Statement::from_sql_and_values(backend(tx), sql, values))
        .one(tx.inner())
        .await?;
    Ok(row.map_or_else(Bucket::default, |row| Bucket { full_at_ms: row.full_at_ms }))
}

async fn write(tx: &SystemTx, claim: &Claim, bucket: Bucket) -> Result<(), Error> {
    let row = seller_limit::ActiveModel { full_at_ms: Set(bucket.full_at_ms), ..bare(claim) };
    seller_limit::Entity::update(row).exec(tx.inner()).await?;
    Ok(())
}

async fn now_ms(tx: &SystemTx) -> Result<i64, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        now: i64,
    }
    // Not the start of the transaction: it may have waited long for a bucket.
    let sql = match backend(tx) {
        DbBackend::Postgres => "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now",
        _ => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now",
    };
    let row = Row::find_by_statement(Statement::from_string(backend(tx), sql)).one(tx.inner()).await?;
    row.map(|row| row.now).ok_or_else(|| Error::damaged("clock", &"the database gave no time"))
}

fn backend(tx: &SystemTx) -> DbBackend {
    use sea_orm::ConnectionTrait as _;
    tx.inner().get_database_backend()
}
