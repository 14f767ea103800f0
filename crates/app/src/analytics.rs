//! Figures over many products, warehouses and syncs at once.

use domain::{
    analytics::{Dashboard, LowStock, Population, StockDistribution, SyncHistory, Turnover},
    page::{Page, PageRequest},
    picture::{Product, ProductSort, SortOrder, Warehouse},
    role::Permission,
    tenant::{LowStockRule, Tenant},
};
use storage::{ReadTx, analytics, products, readings};

use crate::{Parts, caller::Caller, error::Error};

/// Figures over many things at once. Each reads one moment: what it puts together belongs together.
#[derive(Clone, Copy)]
pub struct Analytics<'a>(pub(crate) &'a Parts);

impl Analytics<'_> {
    /// The tenant at a glance.
    pub async fn dashboard(self, caller: &Caller) -> Result<Dashboard, Error> {
        let tx = self.read(caller).await?;
        let found = analytics::dashboard(&tx, tenant(&tx).await?.low_stock).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// What is low, and what is out if wanted; least stock first. A number of units takes the place of the tenant's
    /// whole rule.
    pub async fn low_stock(
        self,
        caller: &Caller,
        of: Population,
        units: Option<i64>,
        with_out: bool,
        page: &PageRequest,
    ) -> Result<LowStock, Error> {
        let tx = self.read(caller).await?;
        let rule = match units {
            Some(units) => LowStockRule { units, days_of_cover: None },
            None => tenant(&tx).await?.low_stock,
        };
        let freshness = products::freshness(&tx, self.0.clock.now()).await?;
        let found = analytics::low_stock(&tx, of, rule, with_out, page, &freshness).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// What was ordered in the window, most units first.
    pub async fn top_products(
        self,
        caller: &Caller,
        of: Population,
        page: &PageRequest,
    ) -> Result<Page<Product>, Error> {
        let tx = self.read(caller).await?;
        let freshness = products::freshness(&tx, self.0.clock.now()).await?;
        let found = analytics::top_products(&tx, of, page, &freshness).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// How fast stock turns over, product by product and all together.
    pub async fn turnover(
        self,
        caller: &Caller,
        of: Population,
        order: (ProductSort, SortOrder),
        page: &PageRequest,
    ) -> Result<Turnover, Error> {
        let tx = self.read(caller).await?;
        let freshness = products::freshness(&tx, self.0.clock.now()).await?;
        let found = analytics::turnover(&tx, of, order, page, &freshness).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// How many products have how much stock.
    pub async fn stock_distribution(
        self,
        caller: &Caller,
        of: Population,
    ) -> Result<StockDistribution, Error> {
        let tx = self.read(caller).await?;
        let found = analytics::distribution(&tx, of).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Warehouses with what lies in them, most stock first.
    pub async fn warehouses(
        self,
        caller: &Caller,
        of: Population,
        page: &PageRequest,
    ) -> Result<Page<Warehouse>, Error> {
        let tx = self.read(caller).await?;
        let ages = readings::ages(&tx).await?;
        let found = analytics::warehouses(&tx, of, page, &ages).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// How syncs have ended on the last days of the tenant's zone, today among them.
    pub async fn sync_history(
        self,
        caller: &Caller,
        of: Population,
        days: u32,
    ) -> Result<SyncHistory, Error> {
        let tx = self.read(caller).await?;
        let days = SyncHistory::of_days(days, self.0.clock.now(), tenant(&tx).await?.zone);
        let found = analytics::sync_history(&tx, of, days).await?;
        tx.commit().await?;
        Ok(found)
    }

    async fn read(self, caller: &Caller) -> Result<ReadTx, Error> {
        Ok(self.0.db.read(caller.require(Permission::Read)?).await?)
    }
}

async fn tenant(tx: &ReadTx) -> Result<Tenant, Error> {
    storage::tenants::get(tx).await?.ok_or(Error::NotFound)
}
