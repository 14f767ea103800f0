//! How many products are in a list. Few that are gathered are looked at one by one. Of a text that more have, a sample
//! of the products tells whether it is common: what is common is counted by looking at every product in the order in
//! which they lie, anything else by what its index finds. A product that an index finds costs several times as much to
//! look at, so a text is common that one in [`COMMON_ONE_IN`] has.

use domain::{picture::ProductFilter, tenant::LowStockRule};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, FromQueryResult, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, Query, SelectStatement},
};

use super::{
    among,
    filter::{condition, filtered, statuses},
    gather::{self, Gathered},
};
use crate::{db::TenantTx, entity::product, error::Error};

/// Products in a sample.
const SAMPLE: u64 = 200;
/// A text is common that one in so many products of a sample has.
const COMMON_ONE_IN: u64 = 10;

/// How many products a filter finds.
pub async fn count<M>(tx: &TenantTx<M>, filter: &ProductFilter, rule: LowStockRule) -> Result<u64, Error> {
    let gathered = gather::gather(tx, filter, rule).await?;
    count_of(tx, filter, rule, &gathered).await
}

/// The same, with what the indexes of the filter say.
pub(super) async fn count_of<M>(
    tx: &TenantTx<M>,
    filter: &ProductFilter,
    rule: LowStockRule,
    gathered: &Gathered,
) -> Result<u64, Error> {
    let found = match gathered {
        Gathered::Few(ids) if ids.is_empty() => return Ok(0),
        Gathered::Few(ids) => return held(tx, among::these(tx, ids), filter, rule).await,
        Gathered::Many => gather::by_text(tx, filter),
        Gathered::Unknown => None,
    };
    match found {
        Some(found) if !is_common(tx, filter).await? => {
            // What has found them need not be asked again of each.
            let rest = ProductFilter { search: None, ..filter.clone() };
            held(tx, among::found(tx, found), &rest, rule).await
        }
        _ => Ok(filtered(tx, filter, rule).count(tx.inner()).await?),
    }
}

/// How many products of a statement a filter holds of.
async fn held<M>(
    tx: &TenantTx<M>,
    mut among: SelectStatement,
    filter: &ProductFilter,
    rule: LowStockRule,
) -> Result<u64, Error> {
    among.and_where(product::Column::Active.is_in(statuses(filter))).cond_where(condition(tx, filter, rule));
    rows(tx, among).await
}

/// Whether the text of a filter is common, as far as a sample tells: the products that were read first. Should they be
/// unlike the others, the count takes longer and is the same.
async fn is_common<M>(tx: &TenantTx<M>, filter: &ProductFilter) -> Result<bool, Error> {
    let sample = product::Entity::find()
        .select_only()
        .column(product::Column::SearchText)
        .filter(product::Column::TenantId.eq(tx.tenant()))
        .order_by_asc(product::Column::Id)
        .limit(SAMPLE)
        .into_query();
    let text = ProductFilter { search: filter.search.clone(), ..ProductFilter::default() };
    let mut with_text = Query::select();
    with_text.from_subquery(sample, product::Entity).cond_where(condition(
        tx,
        &text,
        LowStockRule::default(),
    ));
    Ok(rows(tx, with_text).await? * COMMON_ONE_IN > SAMPLE)
}

/// How many rows a statement has, of which nothing is selected yet.
async fn rows<M>(tx: &TenantTx<M>, mut statement: SelectStatement) -> Result<u64, Error> {
    #[derive(FromQueryResult)]
    struct Count {
        n: i64,
    }
    statement.expr_as(Expr::cust("COUNT(*)"), "n");
    let counted: Vec<Count> = tx.select(&statement).await?;
    Ok(counted.first().map_or(0, |count| count.n.unsigned_abs()))
}
