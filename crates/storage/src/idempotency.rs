//! Keys of requests that must not happen twice, with their answers.

use domain::{clock::Timestamp, ids::UserId};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    sea_query::{Expr, OnConflict},
};

use crate::{db::WriteTx, entity::idempotent_request, error::Error};

/// Which request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestKey<'a> {
    /// Who asks.
    pub user: UserId,
    /// Method and route.
    pub operation: &'a str,
    /// The client's own key.
    pub key: &'a str,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the key now belongs to the caller.
    Taken,
    /// It has been asked before.
    Before {
        /// Hash of that request.
        request_hash: String,
        /// Its answer; none while it is being answered.
        answer: Option<String>,
    },
}

/// Takes a key, or says what is known of it. What was taken before `expired` is forgotten, and so is what has been
/// without an answer since `abandoned`: its process must have died.
pub async fn take(
    tx: &WriteTx,
    request: RequestKey<'_>,
    request_hash: &str,
    at: Timestamp,
    (expired, abandoned): (Timestamp, Timestamp),
) -> Result<Known, Error> {
    use idempotent_request::Column;
    idempotent_request::Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant()))
        .filter(Column::IdentityId.eq(request.user.as_uuid()))
        .filter(
            Column::CreatedAt.lt(expired).or(Column::Answer.is_null().and(Column::CreatedAt.lt(abandoned))),
        )
        .exec(tx.inner())
        .await?;
    let row = idempotent_request::ActiveModel {
        tenant_id: Set(tx.tenant()),
        identity_id: Set(request.user.into()),
        operation: Set(request.operation.to_owned()),
        key: Set(request.key.to_owned()),
        request_hash: Set(request_hash.to_owned()),
        answer: Set(None),
        created_at: Set(at),
    };
    let taken = idempotent_request::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.inner())
        .await?;
    if taken > 0 {
        return Ok(Known::Taken);
    }
    let found = idempotent_request::Entity::find_by_id(id(tx, request)).one(tx.inner()).await?;
    // Gone again already: its owner gave it back at this very moment. The client may simply ask again.
    Ok(found.map_or(Known::Before { request_hash: request_hash.to_owned(), answer: None }, |row| {
        Known::Before { request_hash: row.request_hash, answer: row.answer }
    }))
}

/// Keeps the answer of a request.
pub async fn keep(tx: &WriteTx, request: RequestKey<'_>, answer: &str) -> Result<(), Error> {
    use idempotent_request::Column;
    idempotent_request::Entity::update_many()
        .col_expr(Column::Answer, Expr::value(answer))
        .filter(Column::TenantId.eq(tx.tenant()))
        .filter(Column::IdentityId.eq(request.user.as_uuid()))
        .filter(Column::Operation.eq(request.operation))
        .filter(Column::Key.eq(request.key))
        .exec(tx.inner())
        .await?;
    Ok(())
}

/// Gives a key back.
pub async fn give_back(tx: &WriteTx, request: RequestKey<'_>) -> Result<(), Error> {
    idempotent_request::Entity::delete_by_id(id(tx, request)).exec(tx.inner()).await?;
    Ok(())
}

fn id(
    tx: &WriteTx,
    request: RequestKey<'_>,
) -> (sea_orm::prelude::Uuid, sea_orm::prelude::Uuid, String, String) {
    (tx.tenant(), request.user.into(), request.operation.to_owned(), request.key.to_owned())
}
