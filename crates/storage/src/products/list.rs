//! Lists of products, ordered by any figure, filtered, by key or by number.

use domain::{
    figures::Figures,
    ids::AccountId,
    page::{NumberedPage, Page, PageRequest},
    picture::{Product, ProductFilter, ProductSort, ProductStatus, SortOrder},
    tenant::LowStockRule,
};
use uuid::Uuid;

use super::{
    Freshness,
    count::count_of,
    gather::gather,
    is_incomplete,
    order::Key,
    way::{self, List, Part},
};
use crate::{codec, db::TenantTx, entity::product, error::Error, keyset};

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
    let name = format!("products:{}:{order:?}", sort.name());
    let after = keyset::after::<(Key, Uuid)>(&name, page)?;
    if after.as_ref().is_some_and(|(key, _)| !key.fits(sort)) {
        return Err(Error::InvalidCursor);
    }
    let part = Part { after, skipped: 0, wanted: page.limit + 1 };
    let list = List { filter, rule, sort, order };
    let rows = way::rows(tx, list, &part, None).await?;
    keyset::page(&name, page, rows, |row| (Key::of(row, sort), row.id), |row| product(row, freshness))
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
    let gathered = gather(tx, filter, rule).await?;
    let total = count_of(tx, filter, rule, &gathered).await?;
    let skipped = page.saturating_sub(1).saturating_mul(page_size);
    // Past the end there is nothing; and an offset past i64 is no offset at all.
    let rows = if skipped >= total {
        Vec::new()
    } else {
        let part = Part { after: None, skipped, wanted: page_size.min(total - skipped) };
        way::rows(tx, List { filter, rule, sort, order }, &part, Some(gathered)).await?
    };
    let items = rows.into_iter().map(|row| product(row, freshness)).collect::<Result<_, _>>()?;
    Ok(NumberedPage { items, total })
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
