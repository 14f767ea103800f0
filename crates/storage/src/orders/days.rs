//! Moving order lines to the days of another zone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    prelude::DateTimeUtc, sea_query::Expr,
};
use uuid::Uuid;

use super::{Book, window::recount};
use crate::{db::WriteTx, entity::order_line, error::Error};

/// Lines that are moved together: each time, the days they leave and come to are counted anew.
const PART: u64 = 1_000;

/// The line up to which lines have been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookedAt(DateTimeUtc, Uuid);

/// Puts the lines that follow one, a part of them, on their days in the zone of the book, and counts
/// the days anew that they leave and come to. Gives the last line looked at; none if there were no more. Lines that are
/// on their days already stay as they are.
pub async fn move_days(tx: &WriteTx, book: Book, after: Option<LookedAt>) -> Result<Option<LookedAt>, Error> {
    use order_line::Column;
    let mut query = order_line::Entity::find()
        .select_only()
        .columns([Column::Id, Column::OrderedAt, Column::OrderedOn])
        .filter(Column::TenantId.eq(tx.tenant()))
        .filter(Column::AccountId.eq(book.account.as_uuid()))
        .order_by_asc(Column::OrderedAt)
        .order_by_asc(Column::Id)
        .limit(PART);
    if let Some(LookedAt(at, id)) = after {
        let here = Expr::tuple([Expr::col(Column::OrderedAt), Expr::col(Column::Id)]);
        query = query.filter(here.gt(Expr::tuple([Expr::value(at), Expr::value(id)])));
    }
    let lines: Vec<(Uuid, DateTimeUtc, NaiveDate)> = query.into_tuple().all(tx.inner()).await?;
    let mut moved: BTreeMap<NaiveDate, Vec<Uuid>> = BTreeMap::new();
    let mut touched = BTreeSet::new();
    for (id, ordered_at, ordered_on) in &lines {
        let day = book.zone.day_of(*ordered_at);
        if day != *ordered_on {
            moved.entry(day).or_default().push(*id);
            touched.extend([day, *ordered_on]);
        }
    }
    for (day, ids) in moved {
        order_line::Entity::update_many()
            .col_expr(Column::OrderedOn, Expr::value(day))
            .filter(Column::TenantId.eq(tx.tenant()))
            .filter(Column::Id.is_in(ids))
            .exec(tx.inner())
            .await?;
    }
    recount(tx, book.account, &touched).await?;
    Ok(lines.last().map(|(id, ordered_at, _)| LookedAt(*ordered_at, *id)))
}
