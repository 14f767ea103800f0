//! Taking the picture out as a whole: every row of a list, as all of it was at one moment.
//!
//! An export keeps one reading transaction open while it is taken, so it keeps a connection. A few run at a time, fewer
//! than there are connections; who comes after those is told to come again. Rows are read a part at a time, when they
//! are asked for.

use std::{sync::Arc, time::Duration};

use domain::{
    clock::Timestamp,
    marketplace::Account,
    page::{Cursor, Page, PageRequest},
    picture::{Product, ProductWarehouse, Stock, StockFilter, Warehouse},
    role::Permission,
    tenant::LowStockRule,
};
use storage::{
    Db, ReadTx, TenantScope, accounts,
    products::{self, Freshness},
    readings::{self, Ages},
    stock, tenants,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Parts,
    caller::Caller,
    catalogue::ProductQuery,
    error::{Error, FieldProblem},
};

/// Rows that are read at a time.
const PART: u64 = 500;

/// When to come again, for those who find every place taken.
const COME_AGAIN: Duration = Duration::from_secs(10);

/// One in so many connections may be kept by exports.
const SHARE: usize = 4;

/// Places for exports: a quarter of the connections, and one at least.
pub(crate) fn places(db: &Db) -> Arc<Semaphore> {
    let connections = usize::try_from(db.size()).unwrap_or(usize::MAX);
    Arc::new(Semaphore::new((connections / SHARE).max(1)))
}

/// Exports.
#[derive(Clone, Copy)]
pub struct Exports<'a>(pub(crate) &'a Parts);

impl Exports<'_> {
    /// Begins to take out stock rows: as they are, or as they were at a moment.
    pub async fn stocks(
        self,
        caller: &Caller,
        filter: StockFilter,
        at: Option<Timestamp>,
    ) -> Result<StockExport, Error> {
        let scope = caller.require(Permission::Read)?;
        if at.is_some_and(|at| at > self.0.clock.now()) {
            return Err(Error::Invalid(vec![FieldProblem::new("/query/at", "must not be in the future")]));
        }
        let open = self.open(scope).await?;
        let ages = readings::ages(&open.tx).await?;
        let locale = tenants::get(&open.tx).await?.ok_or(Error::NotFound)?.locale;
        Ok(StockExport { open, filter, at, ages, locale, next: Next::first() })
    }

    /// Begins to take out products with what they have in each warehouse.
    pub async fn products(self, caller: &Caller, query: ProductQuery) -> Result<ProductExport, Error> {
        let open = self.open(caller.require(Permission::Read)?).await?;
        let now = self.0.clock.now();
        let tenant = tenants::get(&open.tx).await?.ok_or(Error::NotFound)?;
        let freshness = products::freshness(&open.tx, now).await?;
        let rule = tenant.low_stock;
        let summary = ProductSummary {
            taken_at: now,
            locale: tenant.locale,
            rows: products::count(&open.tx, &query.filter, rule).await?,
            warehouses: products::warehouses(&open.tx, &query.filter, rule).await?,
            accounts: accounts::all(&open.tx).await?,
        };
        Ok(ProductExport { open, query, rule, freshness, summary, next: Next::first() })
    }

    async fn open(self, scope: &TenantScope) -> Result<Open, Error> {
        let place = Arc::clone(&self.0.exports)
            .try_acquire_owned()
            .map_err(|_| Error::Overloaded { retry_after: COME_AGAIN })?;
        Ok(Open { tx: self.0.db.read(scope).await?, _place: place })
    }
}

/// The moment of an export, and its place. Dropped, both are free.
struct Open {
    tx: ReadTx,
    _place: OwnedSemaphorePermit,
}

/// Where an export goes on.
enum Next {
    At(Option<Cursor>),
    End,
}

impl Next {
    const fn first() -> Self {
        Self::At(None)
    }

    /// The next part to ask for; none at the end.
    fn request(&self) -> Option<PageRequest> {
        match self {
            Self::At(cursor) => Some(PageRequest { limit: PART, cursor: cursor.clone() }),
            Self::End => None,
        }
    }

    /// The rows of a part, which the next one comes after.
    fn take<T>(&mut self, page: Page<T>) -> Vec<T> {
        *self = page.next.map_or(Self::End, |cursor| Self::At(Some(cursor)));
        page.items
    }
}

/// Stock rows on their way out.
pub struct StockExport {
    open: Open,
    filter: StockFilter,
    at: Option<Timestamp>,
    ages: Ages,
    locale: String,
    next: Next,
}

impl StockExport {
    /// The language of the tenant.
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// Whether every row has been read; the transaction is then no longer needed.
    pub const fn is_over(&self) -> bool {
        matches!(self.next, Next::End)
    }

    /// The next rows; none at the end. Every row is of the moment at which the export began.
    pub async fn next(&mut self) -> Result<Option<Vec<Stock>>, Error> {
        let Some(request) = self.next.request() else { return Ok(None) };
        let tx = &self.open.tx;
        let page = match self.at {
            None => stock::list(tx, &self.filter, &request, &self.ages).await?,
            Some(at) => stock::as_of(tx, &self.filter, at, &request).await?,
        };
        Ok(Some(self.next.take(page)))
    }
}

/// What is known of an export of products before its rows are.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductSummary {
    /// The moment at which it began.
    pub taken_at: Timestamp,
    /// The language of the tenant.
    pub locale: String,
    /// How many products there are.
    pub rows: u64,
    /// The warehouses in which they have stock or orders; their own figures are not read.
    pub warehouses: Vec<Warehouse>,
    /// The tenant's accounts.
    pub accounts: Vec<Account>,
}

/// Products on their way out.
pub struct ProductExport {
    open: Open,
    query: ProductQuery,
    rule: LowStockRule,
    freshness: Freshness,
    summary: ProductSummary,
    next: Next,
}

impl ProductExport {
    /// What is known before the rows are.
    pub const fn summary(&self) -> &ProductSummary {
        &self.summary
    }

    /// The next products, with what each has in its warehouses; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<(Product, Vec<ProductWarehouse>)>>, Error> {
        let Some(request) = self.next.request() else { return Ok(None) };
        let tx = &self.open.tx;
        let ProductQuery { filter, sort, order } = &self.query;
        let page = products::list(tx, filter, self.rule, *sort, *order, &request, &self.freshness).await?;
        let ids: Vec<_> = page.items.iter().map(|product| product.id).collect();
        let mut there = products::by_warehouse(tx, &ids, &self.freshness).await?;
        let rows = self.next.take(page);
        Ok(Some(
            rows.into_iter()
                .map(|product| {
                    let warehouses = there.remove(&product.id).unwrap_or_default();
                    (product, warehouses)
                })
                .collect(),
        ))
    }
}
