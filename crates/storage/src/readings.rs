//! What has last been read completely of an account.

use std::collections::{HashMap, HashSet};

use domain::{clock::Timestamp, ids::AccountId, marketplace::Side, reading::Position};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::OnConflict,
};

use crate::{
    db::{TenantTx, WriteTx},
    entity::account_reading,
    error::Error,
};

/// What a reading is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The catalogue.
    Products,
    /// Stock of one side.
    Stock(Side),
    /// Order lines.
    Orders,
}

impl Subject {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Stock(side) => side.name(),
            Self::Orders => "orders",
        }
    }
}

/// The last complete reading of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// From where the next one can start.
    pub watermark: Option<Position>,
    /// When it began; nothing in it is older.
    pub completed_at: Option<Timestamp>,
    /// When the last one from the very beginning began.
    pub full_completed_at: Option<Timestamp>,
    /// By which call of the marketplace.
    pub source: Option<String>,
    /// Since when the marketplace answers something that is not its contract.
    pub drifted_at: Option<Timestamp>,
}

/// The last complete reading of a subject; empty if there was none.
pub async fn last<M>(tx: &TenantTx<M>, account: AccountId, subject: Subject) -> Result<Reading, Error> {
    let row =
        account_reading::Entity::find_by_id((tx.tenant(), account.as_uuid(), subject.name().to_owned()))
            .one(tx.inner())
            .await?;
    Ok(row.map_or_else(Reading::default, |row| Reading {
        watermark: row.watermark.map(Position),
        completed_at: row.completed_at,
        full_completed_at: row.full_completed_at,
        source: row.source,
        drifted_at: row.drifted_at,
    }))
}

/// A reading that has ended completely.
#[derive(Debug, Clone, Copy)]
pub struct Complete<'a> {
    /// When it began.
    pub began_at: Timestamp,
    /// Whether it went from the very beginning.
    pub full: bool,
    /// From where the next one can start; one that is not given stays as it was.
    pub watermark: Option<&'a Position>,
    /// By which call of the marketplace.
    pub source: &'a str,
}

/// Notes a complete reading.
pub async fn complete(
    tx: &WriteTx,
    account: AccountId,
    subject: Subject,
    reading: Complete<'_>,
) -> Result<(), Error> {
    use account_reading::Column;
    let Complete { began_at, full, watermark, source } = reading;
    let row = account_reading::ActiveModel {
        tenant_id: Set(tx.tenant()),
        account_id: Set(account.into()),
        subject: Set(subject.name().to_owned()),
        watermark: Set(watermark.map(|w| w.0.clone())),
        completed_at: Set(Some(began_at)),
        full_completed_at: Set(full.then_some(began_at)),
        source: Set(Some(source.to_owned())),
        drifted_at: Set(None),
    };
    let mut written = vec![Column::CompletedAt, Column::Source, Column::DriftedAt];
    if full {
        written.push(Column::FullCompletedAt);
    }
    if watermark.is_some() {
        written.push(Column::Watermark);
    }
    let key = [Column::TenantId, Column::AccountId, Column::Subject];
    account_reading::Entity::insert(row)
        .on_conflict(OnConflict::columns(key).update_columns(written).to_owned())
        .exec_without_returning(tx.inner())
        .await?;
    Ok(())
}

/// Notes that a subject cannot be read, because its marketplace answers something that is not its contract. Stands
/// until the next complete reading.
pub async fn note_drift(
    tx: &WriteTx,
    account: AccountId,
    subject: Subject,
    at: Timestamp,
) -> Result<(), Error> {
    use account_reading::Column;
    let row = account_reading::ActiveModel {
        tenant_id: Set(tx.tenant()),
        account_id: Set(account.into()),
        subject: Set(subject.name().to_owned()),
        drifted_at: Set(Some(at)),
        ..Default::default()
    };
    let key = [Column::TenantId, Column::AccountId, Column::Subject];
    account_reading::Entity::insert(row)
        .on_conflict(OnConflict::columns(key).update_column(Column::DriftedAt).to_owned())
        .exec_without_returning(tx.inner())
        .await?;
    Ok(())
}

/// When each side and the orders of every account were last read completely, and what cannot be read any more.
pub async fn ages<M>(tx: &TenantTx<M>) -> Result<Ages, Error> {
    let rows = account_reading::Entity::find()
        .filter(account_reading::Column::TenantId.eq(tx.tenant()))
        .all(tx.inner())
        .await?;
    let mut ages = Ages::default();
    for row in rows {
        let key = (AccountId::from(row.account_id), row.subject);
        if row.drifted_at.is_some() {
            ages.drifted.insert(key.clone());
        }
        if let Some(at) = row.completed_at {
            ages.completed.insert(key, at);
        }
    }
    Ok(ages)
}

/// Ages of the readings of a tenant.
#[derive(Debug, Clone, Default)]
pub struct Ages {
    completed: HashMap<(AccountId, String), Timestamp>,
    drifted: HashSet<(AccountId, String)>,
}

impl Ages {
    /// When the stock of a side was last read completely.
    pub fn stock(&self, account: AccountId, side: Side) -> Option<Timestamp> {
        self.completed.get(&(account, side.name().to_owned())).copied()
    }

    /// When the orders were last read completely.
    pub fn orders(&self, account: AccountId) -> Option<Timestamp> {
        self.completed.get(&(account, Subject::Orders.name().to_owned())).copied()
    }

    /// Whether the stock of a side cannot be read since the marketplace changed its answers.
    pub fn has_drifted(&self, account: AccountId, side: Side) -> bool {
        self.drifted.contains(&(account, side.name().to_owned()))
    }
}
