//! Finding the products of a narrow filter by an index of its own, in no order.

use domain::{picture::ProductFilter, tenant::LowStockRule};
use sea_orm::{
    ColumnTrait as _, DbBackend, EntityTrait as _, FromQueryResult, QueryFilter as _, QuerySelect as _,
    QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, Func, Query, SelectStatement, extension::sqlite::SqliteExpr as _},
};
use uuid::Uuid;

use super::filter;
use crate::{
    db::TenantTx,
    entity::{product, stock_level},
    error::Error,
};

/// Products that are gathered and sorted for a page at most; a list of more is walked in its order.
pub(super) const FEW: u64 = 2000;

/// What the indexes of a filter say.
#[derive(Debug)]
pub(super) enum Gathered {
    /// No other products than these can be in the list.
    Few(Vec<Uuid>),
    /// More than [`FEW`].
    Many,
    /// No index knows: nothing is asked for that one could find, or a text too short.
    Unknown,
}

/// Statements that together find every product of a list by one index or two, and others beside.
type Finding = Vec<SelectStatement>;

#[derive(FromQueryResult)]
struct Found {
    found: Uuid,
}

/// Whether some index knows what a filter asks for.
pub(super) fn is_narrow<M>(tx: &TenantTx<M>, filter: &ProductFilter, rule: LowStockRule) -> bool {
    !all(tx, filter, rule).is_empty()
}

/// Asks the indexes of a filter, the cheapest first, until one knows of few products only.
pub(super) async fn gather<M>(
    tx: &TenantTx<M>,
    filter: &ProductFilter,
    rule: LowStockRule,
) -> Result<Gathered, Error> {
    let findings = all(tx, filter, rule);
    if findings.is_empty() {
        return Ok(Gathered::Unknown);
    }
    Ok(first_short(tx, findings, FEW).await?.map_or(Gathered::Many, Gathered::Few))
}

/// Asks only the indexes that hold a figure beside the id, which cost next to nothing, whether they know of so many
/// products at most.
pub(super) async fn by_figures<M>(
    tx: &TenantTx<M>,
    filter: &ProductFilter,
    rule: LowStockRule,
    most: u64,
) -> Result<Option<Vec<Uuid>>, Error> {
    first_short(tx, of_figures(tx, filter, rule), Ord::min(most, FEW)).await
}

fn all<M>(tx: &TenantTx<M>, filter: &ProductFilter, rule: LowStockRule) -> Vec<Finding> {
    let mut findings = of_figures(tx, filter, rule);
    findings
        .extend([by_warehouse(tx, filter), by_text(tx, filter)].into_iter().flatten().map(|one| vec![one]));
    findings
}

fn of_figures<M>(tx: &TenantTx<M>, filter: &ProductFilter, rule: LowStockRule) -> Vec<Finding> {
    let by_stock = by_stock(tx, filter, rule).map(|one| vec![one]);
    [by_stock, by_low_cover(tx, filter, rule)].into_iter().flatten().collect()
}

/// What the first finding of so many products at most finds.
async fn first_short<M>(
    tx: &TenantTx<M>,
    findings: Vec<Finding>,
    most: u64,
) -> Result<Option<Vec<Uuid>>, Error> {
    for finding in findings {
        if let Some(ids) = short(tx, finding, most).await? {
            return Ok(Some(ids));
        }
    }
    Ok(None)
}

/// What some statements find together, unless it is more than so many.
async fn short<M>(tx: &TenantTx<M>, finding: Finding, most: u64) -> Result<Option<Vec<Uuid>>, Error> {
    let mut ids = Vec::new();
    for mut statement in finding {
        let found: Vec<Found> = tx.select(statement.limit(most + 1)).await?;
        ids.extend(found.into_iter().map(|row| row.found));
        if ids.len() as u64 > most {
            return Ok(None);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(Some(ids))
}

fn by_stock<M>(tx: &TenantTx<M>, filter: &ProductFilter, rule: LowStockRule) -> Option<SelectStatement> {
    let (least, most) = filter::stock_range(filter, rule)?;
    Some(by_figure(tx, filter, product::Column::TotalStock, least, most))
}

/// The rank of a product that is low by its cover counts thousandths of a day.
fn by_low_cover<M>(tx: &TenantTx<M>, filter: &ProductFilter, rule: LowStockRule) -> Option<Finding> {
    let days = rule.days_of_cover.filter(|_| filter.low_stock_only)?;
    Some(vec![
        by_figure(tx, filter, product::Column::TotalStock, 0, filter::most_low(rule)),
        by_figure(tx, filter, product::Column::CoverRank, 0, days.saturating_mul(1000) - 1),
    ])
}

fn by_figure<M>(
    tx: &TenantTx<M>,
    filter: &ProductFilter,
    figure: product::Column,
    least: i64,
    most: i64,
) -> SelectStatement {
    product::Entity::find()
        .select_only()
        .column_as(product::Column::Id, "found")
        .filter(product::Column::TenantId.eq(tx.tenant()))
        .filter(product::Column::Active.is_in(filter::statuses(filter)))
        .filter(figure.between(least, most))
        .into_query()
}

/// A product comes once for each of its variants there.
fn by_warehouse<M>(tx: &TenantTx<M>, filter: &ProductFilter) -> Option<SelectStatement> {
    let id = filter.warehouse_id?;
    let there = stock_level::Entity::find()
        .select_only()
        .column_as(stock_level::Column::ProductId, "found")
        .filter(stock_level::Column::TenantId.eq(tx.tenant()))
        .filter(stock_level::Column::WarehouseId.eq(id.as_uuid()))
        .filter(filter::is_there());
    Some(there.into_query())
}

/// Products whose text contains what is searched for. Trigrams know of nothing that has no three letters or digits in a
/// row: there is no statement then.
pub(super) fn by_text<M>(tx: &TenantTx<M>, filter: &ProductFilter) -> Option<SelectStatement> {
    let text = filter::text(filter).filter(|text| {
        text.split(|sign: char| !sign.is_alphanumeric()).any(|word| word.chars().nth(2).is_some())
    })?;
    let mut statement = Query::select();
    if tx.backend() == DbBackend::Postgres {
        statement.expr_as(Func::cust("product_search").arg(filter::pattern(&text)), "found");
    } else {
        let phrase = format!("\"{}\"", text.replace('"', "\"\""));
        statement
            .expr_as(Expr::col(("product_number", "product_id")), "found")
            .from("product_text")
            .cross_join("product_number")
            .and_where(Expr::col(("product_number", "number")).equals(("product_text", "rowid")))
            .and_where(Expr::col("product_text").matches(phrase))
            .and_where(Expr::col(("product_number", "tenant_id")).eq(tx.tenant()));
    }
    Some(statement)
}
