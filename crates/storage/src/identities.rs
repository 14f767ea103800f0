//! People, and the making of tenants.

use domain::{
    actor::Actor,
    clock::Timestamp,
    email::Email,
    ids::{TenantId, UserId},
    role::Role,
    tenant::Tenant,
};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    db::{Db, Reason, WriteTx},
    entity::{identity, membership, tenant},
    error::Error,
    scope::TenantScope,
};

/// A person about to be registered.
#[derive(Debug, Clone)]
pub struct NewIdentity {
    /// Identity.
    pub id: UserId,
    /// The address to sign in with.
    pub email: Email,
    /// The password, hashed.
    pub password_hash: String,
}

/// Makes a tenant and its owner, and goes on within it: nothing stands until the transaction is committed.
/// [`Error::Duplicate`] if the address is taken.
pub async fn register(
    db: &Db,
    new: &NewIdentity,
    company: &Tenant,
    actor: Actor,
    at: Timestamp,
) -> Result<WriteTx, Error> {
    let tx = db.system(Reason::Registration).await?;
    let person = identity::ActiveModel {
        id: Set(new.id.into()),
        email: Set(new.email.as_str().to_owned()),
        email_folded: Set(new.email.folded()),
        email_verified: Set(false),
        password_hash: Set(new.password_hash.clone()),
        disabled_at: Set(None),
        last_login_at: Set(None),
        created_at: Set(at),
    };
    identity::Entity::insert(person).exec_without_returning(tx.inner()).await?;
    let tx = tx.enter(TenantScope::new(company.id, actor)).await?;
    let row = tenant::ActiveModel {
        id: Set(tx.tenant()),
        name: Set(company.name.clone()),
        slug: Set(company.slug.clone()),
        zone: Set(company.zone.name().to_owned()),
        locale: Set(company.locale.clone()),
        low_stock_units: Set(company.low_stock.units),
        low_stock_days: Set(company.low_stock.days_of_cover),
        sync_interval_minutes: Set(company.sync_interval_minutes),
        catalogue_version: Set(0),
        suspended_at: Set(None),
        created_at: Set(at),
    };
    tenant::Entity::insert(row).exec_without_returning(tx.inner()).await?;
    let row = membership::ActiveModel {
        tenant_id: Set(tx.tenant()),
        identity_id: Set(new.id.into()),
        role: Set(Role::Owner.name().to_owned()),
        created_at: Set(at),
    };
    membership::Entity::insert(row).exec_without_returning(tx.inner()).await?;
    Ok(tx)
}

/// Somebody who may sign in, if the password is right.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Who.
    pub user_id: UserId,
    /// The password, hashed.
    pub password_hash: String,
    /// Whether the person is shut out.
    pub disabled: bool,
    /// The tenant entered by default: the one joined first.
    pub tenant_id: Option<TenantId>,
}

/// Finds a person by address.
pub async fn find(db: &Db, email: &Email) -> Result<Option<Candidate>, Error> {
    let pool = db.system_pool(Reason::Authentication);
    let person =
        identity::Entity::find().filter(identity::Column::EmailFolded.eq(email.folded())).one(pool).await?;
    let Some(person) = person else { return Ok(None) };
    let first = membership::Entity::find()
        .filter(membership::Column::IdentityId.eq(person.id))
        .order_by_asc(membership::Column::CreatedAt)
        .order_by_asc(membership::Column::TenantId)
        .one(pool)
        .await?;
    Ok(Some(Candidate {
        user_id: person.id.into(),
        password_hash: person.password_hash,
        disabled: person.disabled_at.is_some(),
        tenant_id: first.map(|m| m.tenant_id.into()),
    }))
}

/// Replaces a stored hash by a stronger one of the same password, unless it has changed meanwhile.
pub async fn upgrade_hash(db: &Db, user: UserId, old: &str, new: &str) -> Result<(), Error> {
    identity::Entity::update_many()
        .col_expr(identity::Column::PasswordHash, sea_orm::sea_query::Expr::value(new))
        .filter(identity::Column::Id.eq(user.as_uuid()))
        .filter(identity::Column::PasswordHash.eq(old))
        .exec(db.system_pool(Reason::Authentication))
        .await?;
    Ok(())
}
