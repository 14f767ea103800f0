//! How a list finds its rows. There are two ways. A list is *walked* in its order by the index of that order, and what
//! the filter refuses is passed over: fast where much of what is passed is wanted. Or the few products that a filter
//! leaves are *gathered* by an index of the filter's own, and sorted: fast where there are few. Which one it is cannot
//! be told beforehand, and the planners know too little of a tenant to tell. So each step is bounded, and the next one
//! is taken only if it did not do:
//!
//! 1. What no index knows, such as a text of two letters, is walked for.
//! 2. Figures are asked for first. Their indexes hold all that is needed, so to be told of many costs next to nothing:
//!    as many are gathered as cost no more to fetch than the stretch of the next step. A list in the order of that
//!    figure is walked within the range instead.
//! 3. A short stretch is walked, with [`NEAR`] rows for each one that is wanted. It fills a page of whatever is common,
//!    for which an index of texts would find far too many, and it is all there is of a small company.
//! 4. The indexes of the filter, of texts and warehouses too, are asked for [`gather::FEW`] products.
//! 5. What has more is walked for, however long it takes.

use domain::{
    picture::{ProductFilter, ProductSort, SortOrder},
    tenant::LowStockRule,
};
use sea_orm::{
    ColumnTrait as _,
    sea_query::{Asterisk, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    among,
    filter::{condition, statuses, stock_range},
    gather::{self, FEW, Gathered, gather},
    order::{self, Key},
    walk::{goes_on, walk, walk_stretch},
};
use crate::{db::TenantTx, entity::product, error::Error};

/// Rows walked for each one that is wanted, before anything else is tried.
const NEAR: u64 = 40;
/// A stretch is no longer than this: a page far behind in the list is walked to as it is.
const LONGEST: u64 = 100_000;
/// Rows of a stretch that cost as much as one product that is gathered.
const ROWS_FOR_ONE: u64 = 4;

/// What is in a list, and in which order.
#[derive(Debug, Clone, Copy)]
pub(super) struct List<'a> {
    pub(super) filter: &'a ProductFilter,
    pub(super) rule: LowStockRule,
    pub(super) sort: ProductSort,
    pub(super) order: SortOrder,
}

impl List<'_> {
    /// Whether the order is that of the figure which the filter gives a range of.
    pub(super) fn is_a_range(&self) -> bool {
        self.sort == ProductSort::TotalStock && stock_range(self.filter, self.rule).is_some()
    }
}

/// A part of a list: so many rows after a key, or after a number of rows.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) after: Option<(Key, Uuid)>,
    pub(super) skipped: u64,
    pub(super) wanted: u64,
}

impl Part {
    fn is_filled_by(&self, rows: &[product::Model]) -> bool {
        rows.len() as u64 == self.wanted
    }

    /// How far to walk for it before anything else is tried, if at all.
    fn stretch(&self) -> Option<u64> {
        Some((self.skipped + self.wanted).saturating_mul(NEAR)).filter(|length| *length <= LONGEST)
    }
}

/// The rows of a part, in order. `gathered` is what the indexes of the filter say, where they have been asked.
pub(super) async fn rows<M>(
    tx: &TenantTx<M>,
    list: List<'_>,
    part: &Part,
    gathered: Option<Gathered>,
) -> Result<Vec<product::Model>, Error> {
    if !gather::is_narrow(tx, list.filter, list.rule) {
        return walk(tx, list, part).await;
    }
    if let Some(length) = part.stretch() {
        let most = length / ROWS_FOR_ONE;
        match &gathered {
            Some(Gathered::Few(ids)) if ids.len() as u64 <= most => return sort(tx, list, part, ids).await,
            None if !list.is_a_range() => {
                if let Some(ids) = gather::by_figures(tx, list.filter, list.rule, most).await? {
                    return sort(tx, list, part, &ids).await;
                }
            }
            _ => {}
        }
        let near = walk_stretch(tx, list, part, length).await?;
        if part.is_filled_by(&near) || !goes_on(tx, list, part, length).await? {
            return Ok(near);
        }
    }
    let gathered = match gathered {
        Some(gathered) => gathered,
        None => gather(tx, list.filter, list.rule).await?,
    };
    match gathered {
        Gathered::Few(ids) => sort(tx, list, part, &ids).await,
        Gathered::Many | Gathered::Unknown => walk(tx, list, part).await,
    }
}

/// Sorts gathered products.
async fn sort<M>(
    tx: &TenantTx<M>,
    list: List<'_>,
    part: &Part,
    ids: &[Uuid],
) -> Result<Vec<product::Model>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut gathered = among::these(tx, ids);
    gathered
        .column((product::Entity, Asterisk))
        .and_where(product::Column::Active.is_in(statuses(list.filter)))
        .and_where_option(part.after.as_ref().map(|(key, id)| key.passed(*id, list.sort, list.order)))
        .limit(FEW);
    ordered(tx, list, gathered, part).await
}

/// The part of rows that a statement gives. The statement has a limit, so that planners take it as it stands.
pub(super) async fn ordered<M>(
    tx: &TenantTx<M>,
    list: List<'_>,
    rows: SelectStatement,
    part: &Part,
) -> Result<Vec<product::Model>, Error> {
    let mut statement = Query::select();
    statement
        .column(Asterisk)
        .from_subquery(rows, product::Entity)
        .cond_where(condition(tx, list.filter, list.rule))
        .limit(part.wanted)
        .offset(part.skipped);
    order::by(&mut statement, list.sort, list.order);
    tx.select(&statement).await
}
