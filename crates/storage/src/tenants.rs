//! The tenant of a transaction and its members.

use domain::{
    calendar::Zone,
    ids::UserId,
    tenant::{LowStockRule, Tenant, User},
};
use sea_orm::{ActiveValue::Set, DbBackend, EntityTrait as _};

use crate::{
    codec,
    db::{TenantTx, WriteTx},
    entity::{identity, membership, tenant},
    error::Error,
};

/// The tenant; none only if it was removed under the caller.
pub async fn get<M>(tx: &TenantTx<M>) -> Result<Option<Tenant>, Error> {
    let row = tenant::Entity::find_by_id(tx.tenant()).one(tx.inner()).await?;
    row.map(|row| {
        Ok(Tenant {
            id: row.id.into(),
            name: row.name,
            slug: row.slug,
            zone: Zone::parse(&row.zone).map_err(|e| Error::damaged("zone", &e))?,
            locale: row.locale,
            low_stock: LowStockRule { units: row.low_stock_units, days_of_cover: row.low_stock_days },
            sync_interval_minutes: row.sync_interval_minutes,
            created_at: row.created_at,
        })
    })
    .transpose()
}

/// Keeps the tenant to this transaction until it ends: nobody has order lines of it open meanwhile, nor opens any.
pub async fn hold(tx: &WriteTx) -> Result<(), Error> {
    if tx.backend() == DbBackend::Postgres {
        tx.execute("SELECT id FROM tenant WHERE id = $1 FOR UPDATE", [tx.tenant().into()]).await?;
    }
    Ok(())
}

/// Writes the settings of the tenant.
pub async fn update(tx: &WriteTx, changed: &Tenant) -> Result<(), Error> {
    let row = tenant::ActiveModel {
        id: Set(tx.tenant()),
        name: Set(changed.name.clone()),
        zone: Set(changed.zone.name().to_owned()),
        locale: Set(changed.locale.clone()),
        low_stock_units: Set(changed.low_stock.units),
        low_stock_days: Set(changed.low_stock.days_of_cover),
        sync_interval_minutes: Set(changed.sync_interval_minutes),
        ..Default::default()
    };
    tenant::Entity::update(row).exec(tx.inner()).await?;
    Ok(())
}

/// A member of the tenant.
pub async fn member<M>(tx: &TenantTx<M>, user: UserId) -> Result<Option<User>, Error> {
    let found = membership::Entity::find_by_id((tx.tenant(), user.as_uuid())).one(tx.inner()).await?;
    let Some(found) = found else { return Ok(None) };
    let person = identity::Entity::find_by_id(user.as_uuid()).one(tx.inner()).await?;
    let Some(person) = person else { return Ok(None) };
    Ok(Some(User {
        id: user,
        email: person.email,
        email_verified: person.email_verified,
        role: codec::word("role", &found.role)?,
        created_at: person.created_at,
        last_login_at: person.last_login_at,
    }))
}

/// Says that a figure of the tenant has changed. Part of every transaction that changes one.
pub async fn bump_catalogue_version(tx: &WriteTx) -> Result<(), Error> {
    tx.execute(
        "UPDATE tenant SET catalogue_version = catalogue_version + 1 WHERE id = $1",
        [tx.tenant().into()],
    )
    .await?;
    Ok(())
}
