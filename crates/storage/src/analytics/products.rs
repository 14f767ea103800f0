//! Lists of products as analytics want them: the lists of the catalogue, in one order each.

use domain::{
    analytics::{LowStock, Population, Turnover, TurnoverTotals},
    page::{Page, PageRequest},
    picture::{Product, ProductFilter, ProductSort, ProductStatus, SortOrder},
    tenant::LowStockRule,
};

use super::sums::sums;
use crate::{
    db::TenantTx,
    error::Error,
    products::{Freshness, list},
};

/// Active products that are low, and those that are out if wanted; least stock first. Those whose stock is not known
/// are neither.
pub async fn low_stock<M>(
    tx: &TenantTx<M>,
    of: Population,
    rule: LowStockRule,
    with_out: bool,
    page: &PageRequest,
    freshness: &Freshness,
) -> Result<LowStock, Error> {
    let filter = ProductFilter {
        low_stock_only: true,
        min_stock: Some(i64::from(!with_out)),
        // Without a rule of days nothing above is low: the index need not be read to its end.
        max_stock: rule.days_of_cover.is_none().then(|| (rule.units - 1).max(0)),
        ..active(of)
    };
    let (sort, order) = (ProductSort::TotalStock, SortOrder::Ascending);
    let products = list(tx, &filter, rule, sort, order, page, freshness).await?;
    Ok(LowStock { rule, with_out, products })
}

/// Active products that were ordered in the window, most units first.
pub async fn top_products<M>(
    tx: &TenantTx<M>,
    of: Population,
    page: &PageRequest,
    freshness: &Freshness,
) -> Result<Page<Product>, Error> {
    let filter = ProductFilter { ordered_only: true, ..active(of) };
    let (sort, order) = (ProductSort::OrderedUnits, SortOrder::Descending);
    list(tx, &filter, LowStockRule::default(), sort, order, page, freshness).await
}

/// Active products in an order, with the sums over all of them.
pub async fn turnover<M>(
    tx: &TenantTx<M>,
    of: Population,
    (sort, order): (ProductSort, SortOrder),
    page: &PageRequest,
    freshness: &Freshness,
) -> Result<Turnover, Error> {
    let sums = sums(tx, of).await?;
    let of_none = |sum: Option<i64>| if sums.products == 0 { Some(0) } else { sum };
    let totals = TurnoverTotals {
        products: sums.products,
        total_stock: of_none(sums.stock),
        ordered_units: of_none(sums.orders),
        measured: sums.measured_stock.zip(sums.measured_orders),
    };
    let products = list(tx, &active(of), LowStockRule::default(), sort, order, page, freshness).await?;
    Ok(Turnover { totals, products })
}

fn active(of: Population) -> ProductFilter {
    ProductFilter {
        account_id: of.account_id,
        marketplace: of.marketplace,
        status: Some(ProductStatus::Active),
        ..ProductFilter::default()
    }
}
