//! The orders of lists of products, and the keys by which they go on.

use domain::picture::{ProductSort, SortOrder};
use sea_orm::{
    ExprTrait as _,
    prelude::DateTimeUtc,
    sea_query::{Expr, Order, SelectStatement, SimpleExpr},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entity::product;

/// The stored column of an order.
pub(super) const fn column(sort: ProductSort) -> product::Column {
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

/// Orders a statement that gives the column and the id, which decides between equals.
pub(super) fn by(statement: &mut SelectStatement, sort: ProductSort, order: SortOrder) {
    let order = match order {
        SortOrder::Ascending => Order::Asc,
        SortOrder::Descending => Order::Desc,
    };
    statement.order_by(column(sort), order.clone()).order_by(product::Column::Id, order);
}

/// The value of a sort column, as cursors carry it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Key {
    Text(String),
    Number(i64),
    Time(DateTimeUtc),
}

impl Key {
    pub(super) fn of(row: &product::Model, sort: ProductSort) -> Self {
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
    pub(super) const fn fits(&self, sort: ProductSort) -> bool {
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

    fn expr(&self) -> SimpleExpr {
        match self {
            Self::Text(text) => Expr::value(text.clone()),
            Self::Number(number) => Expr::value(*number),
            Self::Time(at) => Expr::value(*at),
        }
    }

    /// Products that come after the one with this key and this id.
    pub(super) fn passed(&self, id: Uuid, sort: ProductSort, order: SortOrder) -> SimpleExpr {
        let here = Expr::tuple([Expr::col(column(sort)), Expr::col(product::Column::Id)]);
        let last = Expr::tuple([self.expr(), Expr::value(id)]);
        match order {
            SortOrder::Ascending => here.gt(last),
            SortOrder::Descending => here.lt(last),
        }
    }
}
