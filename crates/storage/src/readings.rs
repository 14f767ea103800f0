//! What has last been read completely of an account.

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
    }))
}

/// Notes a complete reading. A watermark that is not given stays as it was.
pub async fn complete(
    tx: &WriteTx,
    account: AccountId,
    subject: Subject,
    began_at: Timestamp,
    full: bool,
    watermark: Option<&Position>,
) -> Result<(), Error> {
    use account_reading::Column;
    let row = account_reading::ActiveModel {
        tenant_id: Set(tx.tenant()),
        account_id: Set(account.into()),
        subject: Set(subject.name().to_owned()),
        watermark: Set(watermark.map(|w| w.0.clone())),
        completed_at: Set(Some(began_at)),
        full_completed_at: Set(full.then_some(began_at)),
    };
    let mut written = vec![Column::CompletedAt];
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

/// When each side and the orders of every account were last read completely.
pub async fn ages<M>(tx: &TenantTx<M>) -> Result<Ages, Error> {
    let rows = account_reading::Entity::find()
        .filter(account_reading::Column::TenantId.eq(tx.tenant()))
        .all(tx.inner())
        .await?;
    let ages = rows.into_iter().filter_map(|r| Some(((r.account_id.into(), r.subject), r.completed_at?)));
    Ok(Ages(ages.collect()))
}

/// Ages of the readings of a tenant.
#[derive(Debug, Clone, Default)]
pub struct Ages(std::collections::HashMap<(AccountId, String), Timestamp>);

impl Ages {
    /// When the stock of a side was last read completely.
    pub fn stock(&self, account: AccountId, side: Side) -> Option<Timestamp> {
        self.0.get(&(account, side.name().to_owned())).copied()
    }
}
