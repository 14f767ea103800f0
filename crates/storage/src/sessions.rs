//! Signed-in devices and the rotation of their refresh tokens.

use chrono::TimeDelta;
use domain::{
    actor::{Actor, ActorKind},
    clock::Timestamp,
    ids::{SessionId, TenantId, UserId},
    role::Role,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DbBackend, EntityTrait as _, FromQueryResult, QueryFilter as _,
    Statement, prelude::DateTimeUtc, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    codec,
    db::{Db, Reason, WriteTx},
    entity::{identity, membership, refresh_token, session},
    error::Error,
    scope::TenantScope,
};

/// A session about to begin.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Identity.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Where from.
    pub address: Option<String>,
    /// Hash of its first refresh token.
    pub token_hash: String,
    /// Now.
    pub at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
}

/// Enters a tenant as a member of it, to begin a session there. None if the person is no member.
pub async fn enter(
    db: &Db,
    user: UserId,
    tenant: TenantId,
    session: SessionId,
    actor: impl FnOnce(ActorKind) -> Actor,
) -> Result<Option<WriteTx>, Error> {
    let tx = db.system(Reason::Authentication).await?;
    let member = membership::Entity::find_by_id((tenant.as_uuid(), user.as_uuid())).one(tx.inner()).await?;
    let Some(member) = member else { return Ok(None) };
    let role = codec::word("role", &member.role)?;
    let actor = actor(ActorKind::User { user_id: user, role, session_id: session });
    Ok(Some(tx.enter(TenantScope::new(tenant, actor)).await?))
}

/// Begins a session in the tenant of the transaction.
pub async fn open(tx: &WriteTx, new: &NewSession) -> Result<(), Error> {
    let row = session::ActiveModel {
        id: Set(new.id.into()),
        tenant_id: Set(tx.tenant()),
        identity_id: Set(new.user_id.into()),
        user_agent: Set(new.user_agent.clone()),
        address: Set(new.address.clone()),
        created_at: Set(new.at),
        expires_at: Set(new.expires_at),
        revoked_at: Set(None),
    };
    session::Entity::insert(row).exec_without_returning(tx.inner()).await?;
    let token = token_row(new.id, &new.token_hash, new.at, new.expires_at);
    refresh_token::Entity::insert(token).exec_without_returning(tx.inner()).await?;
    identity::Entity::update_many()
        .col_expr(identity::Column::LastLoginAt, Expr::value(new.at))
        .filter(identity::Column::Id.eq(new.user_id.as_uuid()))
        .exec(tx.inner())
        .await?;
    Ok(())
}

fn token_row(session: SessionId, hash: &str, at: Timestamp, until: Timestamp) -> refresh_token::ActiveModel {
    refresh_token::ActiveModel {
        hash: Set(hash.to_owned()),
        session_id: Set(session.into()),
        issued_at: Set(at),
        expires_at: Set(until),
        used_at: Set(None),
    }
}

/// A live session, with what every request must know of its user and tenant.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// The right to work in the tenant.
    pub scope: TenantScope,
    /// The person.
    pub user_id: UserId,
    /// The person's standing.
    pub role: Role,
    /// Changes with every change of a figure.
    pub catalogue_version: i64,
}

/// Finds a session that is neither ended nor over, of a user and tenant that may work. One indexed read.
pub async fn authenticate(
    db: &Db,
    id: SessionId,
    now: Timestamp,
    actor: impl FnOnce(ActorKind) -> Actor,
) -> Result<Option<LiveSession>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        tenant_id: Uuid,
        identity_id: Uuid,
        role: String,
        expires_at: DateTimeUtc,
        revoked_at: Option<DateTimeUtc>,
        disabled_at: Option<DateTimeUtc>,
        suspended_at: Option<DateTimeUtc>,
        catalogue_version: i64,
    }
    let sql = match db.backend() {
        // The policies hide the tenant until it is known; this function of the owner's answers for one session.
        DbBackend::Postgres => "SELECT * FROM session_context($1)",
        _ => {
            "SELECT s.tenant_id, s.identity_id, m.role, s.expires_at, s.revoked_at, i.disabled_at, t.suspended_at, \
             t.catalogue_version FROM session s \
             JOIN membership m ON m.tenant_id = s.tenant_id AND m.identity_id = s.identity_id \
             JOIN identity i ON i.id = s.identity_id JOIN tenant t ON t.id = s.tenant_id WHERE s.id = $1"
        }
    };
    let statement = Statement::from_sql_and_values(db.backend(), sql, [id.as_uuid().into()]);
    let row = Row::find_by_statement(statement).one(db.system_pool(Reason::Authentication)).await?;
    let Some(row) = row else { return Ok(None) };
    let shut_out = row.revoked_at.is_some() || row.disabled_at.is_some() || row.suspended_at.is_some();
    if shut_out || row.expires_at <= now {
        return Ok(None);
    }
    let role = codec::word("role", &row.role)?;
    let user_id = row.identity_id.into();
    let actor = actor(ActorKind::User { user_id, role, session_id: id });
    Ok(Some(LiveSession {
        scope: TenantScope::new(row.tenant_id.into(), actor),
        user_id,
        role,
        catalogue_version: row.catalogue_version,
    }))
}

/// What became of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It was traded for the new one.
    Rotated(SessionId),
    /// Nobody gave it out, its time is over, or its session was ended.
    Unknown,
    /// It had been traded before this request came: somebody else has it too. Its session is ended.
    Reused,
    /// Another request has only just traded it. That is a race, not a theft: the session lives on.
    Lost,
}

/// For how long a traded token that comes again is taken for a race: two tabs of a browser, or a request sent again. It
/// opens nothing in that time either.
const RACE: TimeDelta = TimeDelta::seconds(10);

/// Trades a refresh token for a new one.
pub async fn rotate(
    db: &Db,
    old_hash: &str,
    new_hash: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Rotation, Error> {
    let found =
        refresh_token::Entity::find_by_id(old_hash).one(db.system_pool(Reason::Authentication)).await?;
    let Some(token) = found else {
        return Ok(Rotation::Unknown);
    };
    if let Some(used_at) = token.used_at {
        if now - used_at < RACE {
            return Ok(Rotation::Lost);
        }
        end(db, token.session_id, now).await?;
        return Ok(Rotation::Reused);
    }
    if token.expires_at <= now {
        return Ok(Rotation::Unknown);
    }
    let tx = db.system(Reason::Authentication).await?;
    let taken = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::value(now))
        .filter(refresh_token::Column::Hash.eq(old_hash))
        .filter(refresh_token::Column::UsedAt.is_null())
        .exec(tx.inner())
        .await?;
    if taken.rows_affected == 0 {
        return Ok(Rotation::Lost);
    }
    let session = SessionId::from(token.session_id);
    let prolonged = session::Entity::update_many()
        .col_expr(session::Column::ExpiresAt, Expr::value(expires_at))
        .filter(session::Column::Id.eq(token.session_id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx.inner())
        .await?;
    if prolonged.rows_affected == 0 {
        return Ok(Rotation::Unknown);
    }
    let row = token_row(session, new_hash, now, expires_at);
    refresh_token::Entity::insert(row).exec_without_returning(tx.inner()).await?;
    tx.commit().await?;
    Ok(Rotation::Rotated(session))
}

/// Ends a session of the transaction's tenant: every token of it is dead from the commit on.
pub async fn revoke(tx: &WriteTx, id: SessionId, now: Timestamp) -> Result<(), Error> {
    session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .filter(session::Column::TenantId.eq(tx.tenant()))
        .filter(session::Column::Id.eq(id.as_uuid()))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx.inner())
        .await?;
    Ok(())
}

/// Removes sessions that have been over for long enough that no token of theirs can come back.
pub async fn prune(db: &Db, over_before: Timestamp) -> Result<u64, Error> {
    let gone = session::Entity::delete_many()
        .filter(session::Column::ExpiresAt.lt(over_before))
        .exec(db.system_pool(Reason::Retention))
        .await?;
    Ok(gone.rows_affected)
}

async fn end(db: &Db, id: Uuid, now: Timestamp) -> Result<(), Error> {
    session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(db.system_pool(Reason::Authentication))
        .await?;
    Ok(())
}
