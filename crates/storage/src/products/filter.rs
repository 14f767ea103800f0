//! What a filter of products means in SQL.

use domain::{
    picture::{ProductFilter, ProductStatus},
    search,
    tenant::LowStockRule,
};
use sea_orm::{
    ColumnTrait as _, Condition, DbBackend, EntityTrait as _, ExprTrait as _, QueryFilter as _, Select,
    sea_query::{Expr, Func, LikeExpr, Query},
};

use crate::{
    db::TenantTx,
    entity::{product, stock_level},
};

/// Products that a filter finds.
pub(super) fn filtered<M>(
    tx: &TenantTx<M>,
    filter: &ProductFilter,
    rule: LowStockRule,
) -> Select<product::Entity> {
    product::Entity::find()
        .filter(product::Column::TenantId.eq(tx.tenant()))
        .filter(product::Column::Active.is_in(statuses(filter)))
        .filter(condition(tx, filter, rule))
}

/// Whether what is wanted is in the catalogue: true, false, or both.
pub(super) fn statuses(filter: &ProductFilter) -> Vec<bool> {
    filter.status.map_or_else(|| vec![true, false], |status| vec![status == ProductStatus::Active])
}

/// All that a filter says of a product of the tenant but its status.
pub(super) fn condition<M>(tx: &TenantTx<M>, filter: &ProductFilter, rule: LowStockRule) -> Condition {
    use product::Column;
    let mut all = Condition::all();
    if let Some(code) = filter.marketplace {
        all = all.add(Column::Marketplace.eq(code.name()));
    }
    if let Some(id) = filter.account_id {
        all = all.add(Column::AccountId.eq(id.as_uuid()));
    }
    if let Some((least, most)) = stock_range(filter, rule) {
        all = all.add(Column::TotalStock.between(least, most));
    }
    if filter.low_stock_only && rule.days_of_cover.is_some() {
        all = all.add(Condition::any().add(Column::TotalStock.eq(0)).add(low(rule)));
    }
    if filter.ordered_only {
        all = all.add(Column::OrderedUnits.gt(0));
    }
    if let Some(id) = filter.warehouse_id {
        // SQLite has no figures about its tables, and would go through the whole warehouse for each product: a product
        // has few levels, and what is not the column as it stands is looked for in no index.
        let warehouse = Expr::col(stock_level::Column::WarehouseId);
        let warehouse = match tx.backend() {
            DbBackend::Sqlite => Func::coalesce([warehouse.clone(), warehouse]).into(),
            _ => warehouse,
        };
        let there = Query::select()
            .expr(Expr::val(1))
            .from(stock_level::Entity)
            .and_where(stock_level::Column::TenantId.eq(tx.tenant()))
            .and_where(
                Expr::col((stock_level::Entity, stock_level::Column::ProductId))
                    .equals((product::Entity, Column::Id)),
            )
            .and_where(warehouse.eq(id.as_uuid()))
            .and_where(is_there())
            .to_owned();
        all = all.add(Expr::exists(there));
    }
    if let Some(text) = text(filter) {
        all = all.add(
            Expr::col((product::Entity, Column::SearchText)).like(LikeExpr::new(pattern(&text)).escape('\\')),
        );
    }
    all
}

/// Levels that put a product into a warehouse: of stock, or of orders.
pub(super) fn is_there() -> Expr {
    stock_level::Column::Available.gt(0).or(stock_level::Column::OrderedUnits.gt(0))
}

/// The text that is searched for, folded.
pub(super) fn text(filter: &ProductFilter) -> Option<String> {
    filter.search.as_ref().map(|text| search::fold(text.trim())).filter(|text| !text.is_empty())
}

/// Matches what contains a text, with a backslash before what is no sign of the pattern.
pub(super) fn pattern(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// The total stock that is wanted, from least to most, where a filter comes to one range of it. Unknown stock is in
/// none.
pub(super) fn stock_range(filter: &ProductFilter, rule: LowStockRule) -> Option<(i64, i64)> {
    let most_low = (filter.low_stock_only && rule.days_of_cover.is_none()).then(|| most_low(rule));
    let most = filter.max_stock.into_iter().chain(most_low).min();
    if filter.min_stock.is_none() && most.is_none() {
        return None;
    }
    Some((Ord::max(filter.min_stock.unwrap_or_default(), 0), most.unwrap_or(i64::MAX)))
}

/// The most units with which a product is low for their number, or out.
pub(super) fn most_low(rule: LowStockRule) -> i64 {
    Ord::max(rule.units.saturating_sub(1), 0)
}

/// [`domain::figures::is_low`], as a condition on stored figures.
pub(crate) fn low(rule: LowStockRule) -> Condition {
    use product::Column;
    let mut short = Condition::any().add(Column::TotalStock.lt(rule.units));
    if let Some(days) = rule.days_of_cover {
        let needed = Expr::col(Column::OrderedUnits).mul(days);
        let lasts = Expr::col(Column::TotalStock).mul(7_i64);
        short = short.add(Condition::all().add(Column::OrderedUnits.gt(0)).add(lasts.lt(needed)));
    }
    Condition::all().add(Column::TotalStock.gt(0)).add(short)
}
