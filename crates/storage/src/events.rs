//! Events, written in the transaction that causes them.

use domain::{clock::Timestamp, event::Event, ids::EventId};
use sea_orm::{ActiveValue::Set, EntityTrait as _};

use crate::{codec, db::WriteTx, entity::event, error::Error};

/// Notes that something has happened.
pub async fn record(tx: &WriteTx, happened: &Event, at: Timestamp) -> Result<EventId, Error> {
    let id = EventId::generate();
    let row = event::ActiveModel {
        tenant_id: Set(tx.tenant()),
        id: Set(id.into()),
        at: Set(at),
        name: Set(happened.name().to_owned()),
        payload: Set(codec::to_json(happened)),
    };
    event::Entity::insert(row).exec_without_returning(tx.inner()).await?;
    Ok(id)
}
