//! Lists of products, ordered by any figure, filtered, by key or by number.

use domain::{
    figures::Figures,
    ids::AccountId,
    page::{NumberedPage, Page, PageRequest},
    picture::{Product, ProductFilter, ProductSort, ProductStatus, SortOrder},
    search,
    tenant::LowStockRule,
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
    prelude::DateTimeUtc,
    sea_query::{Expr, LikeExpr, Query, SimpleExpr},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Freshness, is_incomplete};
use crate::{
    codec,
    db::TenantTx,
    entity::{product, stock_level},
    error::Error,
    keyset,
};

/// The stored column of an order.
const fn column(sort: ProductSort) -> product::Column {
    match sort {
        ProductSort::Name => product::Column::Name,
        ProductSort::SellerArticle => product::Column::SellerArticle,
        ProductSort::TotalStock => product::Column::TotalStock,
        ProductSort::OrderedUnits => product::Column::OrderedUnits,
        ProductSort::DaysOfCover => product::Column::CoverRank,
        ProductSort::Revenue => product::Column::RevenueMinor,
        ProductSort::InTransitToCustomer => product::Column::InTransitToCustomer,
        ProductSort::UpdatedAt => product::Column::UpdatedAt,
    }
}

/// The value of a sort column, as cursors carry it.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Key {
    Text(String),
    Number(i64),
    Time(DateTimeUtc),
}

impl Key {
    fn of(row: &product::Model, sort: ProductSort) -> Self {
        match sort {
            ProductSort::Name => Self::Text(row.name.clone()),
            ProductSort::SellerArticle => Self::Text(row.seller_article.clone()),
            ProductSort::TotalStock => Self::Number(row.total_stock),
            ProductSort::OrderedUnits => Self::Number(row.ordered_units),
            ProductSort::DaysOfCover => Self::Number(row.cover_rank),
            ProductSort::Revenue => Self::Number(row.revenue_minor),
            ProductSort::InTransitToCustomer => Self::Number(row.in_transit_to_customer),
            ProductSort::UpdatedAt => Self::Time(row.updated_at),
        }
    }

    /// Whether a cursor's key is of the kind that the order compares: a client can send any.
    const fn fits(&self, sort: ProductSort) -> bool {
        match sort {
            ProductSort::Name | ProductSort::SellerArticle => matches!(self, Self::Text(_)),
            ProductSort::UpdatedAt => matches!(self, Self::Time(_)),
            ProductSort::TotalStock
            | ProductSort::OrderedUnits
            | ProductSort::DaysOfCover
            | ProductSort::Revenue
            | ProductSort::InTransitToCustomer => matches!(self, Self::Number(_)),
        }
    }

    fn expr(self) -> SimpleExpr {
        match self {
            Self::Text(text) => Expr::value(text),
            Self::Number(number) => Expr::value(number),
            Self::Time(at) => Expr::value(at),
        }
    }
}

/// Products, a page after another.
pub async fn list<M>(
    tx: &TenantTx<M>,
    filter: &ProductFilter,
    rule: LowStockRule,
    sort: ProductSort,
    order: SortOrder,
    page: &PageRequest,
    freshness: &Freshness,
) -> Result<Page<Product>, Error> {
    let list = format!("products:{}:{order:?}", sort.name());
    let mut query = filtered(tx, filter, rule);
    if let Some((key, id)) = keyset::after::<(Key, Uuid)>(&list, page)? {
        if !key.fits(sort) {
            return Err(Error::InvalidCursor);
        }
        let here = Expr::tuple([Expr::col(column(sort)), Expr::col(product::Column::Id)]);
        let last = Expr::tuple([key.expr(), Expr::value(id)]);
        query = query.filter(match order {
            SortOrder::Ascending => here.gt(last),
            SortOrder::Descending => here.lt(last),
        });
    }
    let rows = ordered(query, sort, order).limit(page.limit + 1).all(tx.inner()).await?;
    keyset::page(&list, page, rows, |row| (Key::of(row, sort), row.id), |row| product(row, freshness))
}

/// Products, a page by its number.
pub async fn numbered<M>(
    tx: &TenantTx<M>,
    filter: &ProductFilter,
    rule: LowStockRule,
    (sort, order): (ProductSort, SortOrder),
    (page, page_size): (u64, u64),
    freshness: &Freshness,
) -> Result<NumberedPage<Product>, Error> {
    let query = filtered(tx, filter, rule);
    let total = query.clone().count(tx.inner()).await?;
    let skipped = page.saturating_sub(1).saturating_mul(page_size);
    // Past the end there is nothing; and an offset past i64 is no offset at all.
    let rows = if skipped >= total {
        Vec::new()
    } else {
        ordered(query, sort, order).offset(skipped).limit(page_size).all(tx.inner()).await?
    };
    let items = rows.into_iter().map(|row| product(row, freshness)).collect::<Result<_, _>>()?;
    Ok(NumberedPage { items, total })
}

fn ordered(query: Select<product::Entity>, sort: ProductSort, order: SortOrder) -> Select<product::Entity> {
    match order {
        SortOrder::Ascending => query.order_by_asc(column(sort)).order_by_asc(product::Column::Id),
        SortOrder::Descending => query.order_by_desc(column(sort)).order_by_desc(product::Column::Id),
    }
}

pub(super) fn filtered<M>(
    tx: &TenantTx<M>,
    filter: &ProductFilter,
    rule: LowStockRule,
) -> Select<product::Entity> {
    use product::Column;
    let mut query = product::Entity::find().filter(Column::TenantId.eq(tx.tenant()));
    if let Some(status) = filter.status {
        query = query.filter(Column::Active.eq(status == ProductStatus::Active));
    }
    if let Some(code) = filter.marketplace {
        query = query.filter(Column::Marketplace.eq(code.name()));
    }
    if let Some(id) = filter.account_id {
        query = query.filter(Column::AccountId.eq(id.as_uuid()));
    }
    if let Some(least) = filter.min_stock {
        query = query.filter(Column::TotalStock.gte(least)).filter(Column::TotalStock.gte(0));
    }
    if let Some(most) = filter.max_stock {
        query = query.filter(Column::TotalStock.lte(most)).filter(Column::TotalStock.gte(0));
    }
    if filter.low_stock_only {
        query = query.filter(Condition::any().add(Column::TotalStock.eq(0)).add(low(rule)));
    }
    if filter.ordered_only {
        query = query.filter(Column::OrderedUnits.gt(0));
    }
    if let Some(id) = filter.warehouse_id {
        let there = Query::select()
            .column(stock_level::Column::ProductId)
            .from(stock_level::Entity)
            .and_where(stock_level::Column::TenantId.eq(tx.tenant()))
            .and_where(stock_level::Column::WarehouseId.eq(id.as_uuid()))
            .and_where(stock_level::Column::Available.gt(0).or(stock_level::Column::OrderedUnits.gt(0)))
            .to_owned();
        query = query.filter(Column::Id.in_subquery(there));
    }
    if let Some(text) = &filter.search {
        let folded = search::fold(text.trim());
        let escaped = folded.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = LikeExpr::new(format!("%{escaped}%")).escape('\\');
        query = query.filter(Expr::col(Column::SearchText).like(pattern));
    }
    query
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

pub(super) fn product(row: product::Model, freshness: &Freshness) -> Result<Product, Error> {
    let account_id = AccountId::from(row.account_id);
    let marketplace = codec::marketplace(&row.marketplace)?;
    let (fbo_stock, fbs_stock) = (codec::known(row.fbo_stock), codec::known(row.fbs_stock));
    let (as_of, stale) = freshness.of(account_id, fbo_stock, fbs_stock);
    let figures = Figures {
        fbo_stock,
        fbs_stock,
        incomplete: row.partly_measured || is_incomplete(marketplace, fbo_stock, fbs_stock),
        in_transit_to_customer: codec::known(row.in_transit_to_customer),
        in_transit_returns: codec::known(row.in_transit_returns),
        ordered_units: codec::known(row.ordered_units),
        cancelled_units: codec::known(row.cancelled_units),
        ordered_today: codec::known(row.ordered_today),
        revenue: codec::money(codec::known(row.revenue_minor), row.currency.as_deref())?,
        as_of,
        stale,
    };
    Ok(Product {
        id: row.id.into(),
        account_id,
        marketplace,
        external_id: row.external_id,
        seller_article: codec::non_empty(row.seller_article),
        name: codec::non_empty(row.name),
        brand: row.brand,
        category: row.category,
        status: if row.active { ProductStatus::Active } else { ProductStatus::Inactive },
        figures,
        updated_at: row.updated_at,
    })
}
