//! Reading the stock picture.

use domain::{
    clock::Timestamp,
    ids::{AccountId, ProductId},
    page::{NumberedPage, Page, PageRequest},
    picture::{
        Movement, MovementFilter, OrderFilter, OrderLine, Product, ProductDetail, ProductFilter, ProductSort,
        SortOrder, Stock, StockFilter, Warehouse,
    },
    role::Permission,
    tenant::LowStockRule,
};
use storage::{ReadTx, orders, products, readings, stock, warehouses};

use crate::{
    Parts,
    caller::Caller,
    error::{Error, FieldProblem},
};

/// Which products, in which order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProductQuery {
    /// Which.
    pub filter: ProductFilter,
    /// By what.
    pub sort: ProductSort,
    /// Which way.
    pub order: SortOrder,
}

/// The stock picture.
#[derive(Clone, Copy)]
pub struct Catalogue<'a>(pub(crate) &'a Parts);

impl Catalogue<'_> {
    /// Products, a page after another.
    pub async fn products(
        self,
        caller: &Caller,
        query: &ProductQuery,
        page: &PageRequest,
    ) -> Result<Page<Product>, Error> {
        let tx = self.read(caller).await?;
        let rule = low_stock_rule(&tx).await?;
        let freshness = products::freshness(&tx, self.0.clock.now()).await?;
        let found =
            products::list(&tx, &query.filter, rule, query.sort, query.order, page, &freshness).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Products, a page by its number, from 1.
    pub async fn products_numbered(
        self,
        caller: &Caller,
        query: &ProductQuery,
        page: u64,
        page_size: u64,
    ) -> Result<NumberedPage<Product>, Error> {
        let tx = self.read(caller).await?;
        let rule = low_stock_rule(&tx).await?;
        let freshness = products::freshness(&tx, self.0.clock.now()).await?;
        let order = (query.sort, query.order);
        let found =
            products::numbered(&tx, &query.filter, rule, order, (page, page_size), &freshness).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// One product with everything known of it.
    pub async fn product(self, caller: &Caller, id: ProductId) -> Result<ProductDetail, Error> {
        let tx = self.read(caller).await?;
        let freshness = products::freshness(&tx, self.0.clock.now()).await?;
        let found = products::get(&tx, id, &freshness).await?;
        tx.commit().await?;
        found.ok_or(Error::NotFound)
    }

    /// The ledger of a product, newest first.
    pub async fn history(
        self,
        caller: &Caller,
        id: ProductId,
        filter: &MovementFilter,
        page: &PageRequest,
    ) -> Result<Page<Movement>, Error> {
        let tx = self.read(caller).await?;
        if !products::exists(&tx, id).await? {
            return Err(Error::NotFound);
        }
        let found = stock::ledger(&tx, id, filter, page).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Stock, one row for each variant and warehouse.
    pub async fn stocks(
        self,
        caller: &Caller,
        filter: &StockFilter,
        page: &PageRequest,
    ) -> Result<Page<Stock>, Error> {
        let tx = self.read(caller).await?;
        let ages = readings::ages(&tx).await?;
        let found = stock::list(&tx, filter, page, &ages).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Stock as it was at a moment that has passed, one row for each variant and warehouse that had been measured.
    pub async fn stocks_as_of(
        self,
        caller: &Caller,
        filter: &StockFilter,
        at: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<Stock>, Error> {
        let scope = caller.require(Permission::Read)?;
        if at > self.0.clock.now() {
            return Err(Error::Invalid(vec![FieldProblem::new("/query/at", "must not be in the future")]));
        }
        let tx = self.0.db.read(scope).await?;
        let found = stock::as_of(&tx, filter, at, page).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Warehouses with what lies in them.
    pub async fn warehouses(
        self,
        caller: &Caller,
        account: Option<AccountId>,
        page: &PageRequest,
    ) -> Result<Page<Warehouse>, Error> {
        let tx = self.read(caller).await?;
        let ages = readings::ages(&tx).await?;
        let found = warehouses::list(&tx, account, page, &ages).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Order lines, newest first.
    pub async fn orders(
        self,
        caller: &Caller,
        filter: &OrderFilter,
        page: &PageRequest,
    ) -> Result<Page<OrderLine>, Error> {
        let tx = self.read(caller).await?;
        let found = orders::list(&tx, filter, page).await?;
        tx.commit().await?;
        Ok(found)
    }

    async fn read(self, caller: &Caller) -> Result<ReadTx, Error> {
        Ok(self.0.db.read(caller.require(Permission::Read)?).await?)
    }
}

async fn low_stock_rule(tx: &ReadTx) -> Result<LowStockRule, Error> {
    Ok(storage::tenants::get(tx).await?.ok_or(Error::NotFound)?.low_stock)
}
