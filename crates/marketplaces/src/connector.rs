//! What every connector can do: read one marketplace account, page by page.
//!
//! All that a connector needs to go on is in the [`Position`] it gave with the page before, so a process that was killed
//! goes on where the last committed page ended. What it remembers besides only spares a call.

use async_trait::async_trait;
use domain::{
    clock::Timestamp,
    marketplace::{AccountInfo, Capability, Descriptor, Side},
    reading::{Assembly, Location, OrderRow, Position, ProductRow, ReadPage, StockRow},
};

use crate::error::Error;

/// How much of the catalogue to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogueScope {
    /// Every product that is in the catalogue now. What a complete reading does not carry is gone.
    Full,
    /// Products that changed after a [`ReadPage::watermark`] of an earlier reading, then those taken out of the
    /// catalogue, as [`ProductRow::removed`] rows. What the reading does not carry has not changed.
    Since(Position),
}

/// One marketplace account, opened with one credential.
///
/// Every call may answer [`Error::RateLimited`]: nothing was read, and the same call with the same position succeeds
/// after the wait. A reading has ended when a page has no [`ReadPage::next`]. A page's watermark is valid as soon as
/// the page is committed; the last one given is the one to keep. A page without one changes nothing. A page with a
/// [`ReadPage::pause`] is committed like any other, and the next one asked for after the pause.
#[async_trait]
pub trait Marketplace: Send + Sync {
    /// What the connector says of itself.
    fn descriptor(&self) -> &'static Descriptor;

    /// Which call of the marketplace tells of a capability when it is read with this credential, such as
    /// `GET /api/v1/supplier/orders`; for people who ask where a figure comes from.
    fn source(&self, what: Capability) -> &'static str;

    /// Asks the marketplace, with real calls, whose credential this is and what it can read.
    async fn verify(&self) -> Result<AccountInfo, Error>;

    /// Products and their variants.
    async fn products(
        &self,
        scope: &CatalogueScope,
        at: Option<&Position>,
    ) -> Result<ReadPage<ProductRow>, Error>;

    /// The seller's own warehouses. Those of the marketplace are named by the stock rows.
    async fn locations(&self, at: Option<&Position>) -> Result<ReadPage<Location>, Error>;

    /// Stock of one side. A variant that a complete reading does not carry has none there.
    async fn stock(
        &self,
        side: Side,
        known: &dyn KnownCatalogue,
        at: Option<&Position>,
    ) -> Result<ReadPage<StockRow>, Error>;

    /// Order lines that changed after `since`, a watermark of an earlier reading; without one, all that the
    /// marketplace still keeps. The connector overlaps by itself: lines come again and are to be upserted by their id.
    async fn orders(
        &self,
        since: Option<&Position>,
        at: Option<&Position>,
    ) -> Result<ReadPage<OrderRow>, Error>;

    /// Which seller warehouse sends which order line, for lines ordered from a moment on. Asked only where two seller
    /// warehouses share a name.
    async fn assemblies(&self, from: Timestamp, at: Option<&Position>) -> Result<ReadPage<Assembly>, Error>;
}

/// What the catalogue already holds of the account, for marketplaces that answer only for ids they are given.
#[async_trait]
pub trait KnownCatalogue: Send + Sync {
    /// External ids of variants, ascending by their bytes, the first that follow `after`.
    async fn variants_after(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, KnownCatalogueError>;

    /// The seller's warehouses, ascending by the bytes of their external id.
    async fn seller_warehouses(&self) -> Result<Vec<Location>, KnownCatalogueError>;
}

/// The catalogue could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the known catalogue cannot be read: {0}")]
pub struct KnownCatalogueError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
