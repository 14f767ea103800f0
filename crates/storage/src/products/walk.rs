//! Walking a list in its order, by the index of the order.

use domain::picture::ProductSort;
use sea_orm::{
    ColumnTrait as _, DbBackend, EntityTrait as _, FromQueryResult, QueryFilter as _, QuerySelect as _,
    QueryTrait as _,
    sea_query::{Asterisk, Query, SelectStatement, UnionType},
};
use uuid::Uuid;

use super::{
    among,
    filter::{condition, statuses, stock_range},
    order,
    way::{List, Part, ordered},
};
use crate::{db::TenantTx, entity::product, error::Error};

#[derive(FromQueryResult)]
struct Found {
    id: Uuid,
}

/// Walks to the part through the whole list. A part that lies behind other rows is found by what the index itself holds,
/// and only its rows are fetched.
pub(super) async fn walk<M>(
    tx: &TenantTx<M>,
    list: List<'_>,
    part: &Part,
) -> Result<Vec<product::Model>, Error> {
    if part.skipped == 0 {
        return tx.select(&in_order(tx, list, part, (Given::Rows, Kept::Filtered), part.wanted)).await;
    }
    let mut keys = in_order(tx, list, part, (Given::Keys, Kept::Filtered), part.skipped + part.wanted);
    let found: Vec<Found> = tx.select(keys.limit(part.wanted).offset(part.skipped)).await?;
    let ids: Vec<Uuid> = found.into_iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = among::these(tx, &ids);
    statement.column((product::Entity, Asterisk)).limit(part.wanted);
    ordered(tx, list, statement, &Part { after: None, skipped: 0, wanted: part.wanted }).await
}

/// Walks a stretch of the list, so many rows long.
pub(super) async fn walk_stretch<M>(
    tx: &TenantTx<M>,
    list: List<'_>,
    part: &Part,
    length: u64,
) -> Result<Vec<product::Model>, Error> {
    ordered(tx, list, in_order(tx, list, part, (Given::Rows, Kept::All), length), part).await
}

/// Whether there is more behind a stretch.
pub(super) async fn goes_on<M>(
    tx: &TenantTx<M>,
    list: List<'_>,
    part: &Part,
    length: u64,
) -> Result<bool, Error> {
    let mut keys = in_order(tx, list, part, (Given::Keys, Kept::All), length + 1);
    let next: Vec<Found> = tx.select(keys.limit(1).offset(length)).await?;
    Ok(!next.is_empty())
}

/// What a statement in the order of a list gives of each product.
#[derive(Clone, Copy)]
enum Given {
    /// Everything.
    Rows,
    /// What the index of the order holds.
    Keys,
}

/// What a statement in the order of a list leaves out.
#[derive(Clone, Copy)]
enum Kept {
    /// What the filter refuses.
    Filtered,
    /// Nothing but other ranges of the order itself.
    All,
}

/// The first products in the order of the list, after the key of the part. Each status has its own index, so both are
/// merged where both are wanted.
fn in_order<M>(
    tx: &TenantTx<M>,
    list: List<'_>,
    part: &Part,
    (given, kept): (Given, Kept),
    most: u64,
) -> SelectStatement {
    let of_status = |active: bool| {
        let mut query = product::Entity::find();
        if matches!(given, Given::Keys) {
            query = query.select_only().column(order::column(list.sort)).column(product::Column::Id);
        }
        query = query
            .filter(product::Column::TenantId.eq(tx.tenant()))
            .filter(product::Column::Active.eq(active));
        if let Some((key, id)) = &part.after {
            query = query.filter(key.passed(*id, list.sort, list.order));
        }
        match (kept, list.sort, stock_range(list.filter, list.rule)) {
            (Kept::Filtered, ..) => query = query.filter(condition(tx, list.filter, list.rule)),
            (Kept::All, ProductSort::TotalStock, Some((least, most))) => {
                query = query.filter(product::Column::TotalStock.between(least, most));
            }
            (Kept::All, ..) => {}
        }
        query.into_query()
    };
    let first = |mut statement: SelectStatement| {
        order::by(&mut statement, list.sort, list.order);
        statement.limit(most).to_owned()
    };
    // SQLite merges what it can walk in order. PostgreSQL does so only if each part is ordered for itself.
    let part_of = |active: bool| match tx.backend() {
        DbBackend::Postgres => Query::select()
            .column(Asterisk)
            .from_subquery(first(of_status(active)), product::Entity)
            .to_owned(),
        _ => of_status(active),
    };
    match *statuses(list.filter) {
        [active] => first(of_status(active)),
        _ => first(part_of(true).union(UnionType::All, part_of(false)).to_owned()),
    }
}
