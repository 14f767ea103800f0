//! The connector to wildberries.ru.

mod api;
mod assemblies;
mod cards;
mod endpoints;
mod errors;
mod hosts;
mod order_line;
mod orders;
mod remains;
mod seller_stock;
mod shelves;
mod stocks;
mod token;
mod verify;
mod wall_clock;
mod warehouses;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    clock::{Clock, Timestamp},
    marketplace::{AccountInfo, Capability, Credential, CredentialField, Descriptor, MarketplaceCode, Side},
    reading::{Assembly, Location, OrderRow, Position, ProductRow, ReadPage, StockRow},
};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::{
    connector::{CatalogueScope, KnownCatalogue, Marketplace},
    error::Error,
    factory::{CredentialProblem, Proven},
    http::Caller,
};
use api::Api;
use hosts::Hosts;
use token::{Kind, Token};

/// The field of the credential that holds the token.
const TOKEN_FIELD: &str = "token";

/// What the connector says of itself.
pub(crate) static DESCRIPTOR: Descriptor = Descriptor {
    code: MarketplaceCode::Wildberries,
    title: "Wildberries",
    docs_url: "https://dev.wildberries.ru/openapi/api-information",
    capabilities: &[
        Capability::Products,
        Capability::Locations,
        Capability::StockMarketplace,
        Capability::StockSeller,
        Capability::Orders,
    ],
    credential_fields: &[CredentialField {
        name: TOKEN_FIELD,
        title: "API token",
        optional: false,
        secret: true,
        max_length: 4096,
    }],
    notes: "Make a token with the categories Content, Marketplace, Statistics and Analytics, read only. Wildberries \
            allows cloud services Service tokens only; a Personal token is for software that you run yourself. A Basic \
            token works, too, but is asked for orders only once in three hours. A token is valid for 180 days.",
};

/// The name of every call, as observers are told it.
pub(crate) const OPERATIONS: &[&str] = &endpoints::OPERATIONS;

/// Every origin that the connector calls; `base_url` takes the place of all.
pub(crate) fn origins(base_url: Option<&Url>) -> Vec<String> {
    Hosts::new(base_url).origins()
}

/// What a token of this type is allowed less of than a Service token.
pub(crate) fn narrowness(kind: &str) -> Option<&'static str> {
    match Kind::named(kind)? {
        Kind::Basic => {
            Some("orders once in three hours, stock of the marketplace's warehouses four times an hour")
        }
        Kind::Test => Some("product cards and the seller's own warehouses only, in a test marketplace"),
        Kind::Unknown => Some("as little as the slowest type of token, since it does not say of which it is"),
        Kind::Personal | Kind::Service => None,
    }
}

/// One Wildberries account.
pub(crate) struct Wildberries {
    api: Api,
    /// Whether the token opens the seller's warehouses one by one. If not, a report tells of them.
    has_seller_warehouses: bool,
    remains: remains::Fetched,
    orders: orders::Remainder,
}

impl Wildberries {
    /// Opens an account without a call.
    pub(crate) fn connect(
        caller: Arc<Caller>,
        clock: Arc<dyn Clock>,
        base_url: Option<&Url>,
        credential: &Credential,
        proven: Option<Proven<'_>>,
    ) -> Result<Self, CredentialProblem> {
        let problem = |what| CredentialProblem { field: TOKEN_FIELD, what };
        let text = credential.field(TOKEN_FIELD).ok_or_else(|| problem("Enter the API token."))?;
        let token = Token::parse(text.expose_secret()).map_err(problem)?;
        let hosts = Hosts::new(base_url);
        let api = Api::new(caller, clock, hosts, token, proven.map(|proven| proven.seller));
        let has_seller_warehouses =
            proven.is_none_or(|proven| proven.capabilities.contains(&Capability::Locations));
        let (remains, orders) = (remains::Fetched::default(), orders::Remainder::default());
        Ok(Self { api, has_seller_warehouses, remains, orders })
    }
}

impl Wildberries {
    /// Whether the reports that are there at once are closed to the token.
    fn is_basic(&self) -> bool {
        self.api.token.kind() == Kind::Basic
    }
}

#[async_trait]
impl Marketplace for Wildberries {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn source(&self, what: Capability) -> &'static str {
        match what {
            Capability::Products => "POST /content/v2/get/cards/list",
            Capability::Locations => "GET /api/v3/warehouses",
            Capability::StockMarketplace if self.is_basic() => "GET /api/v1/warehouse_remains",
            Capability::StockMarketplace => "POST /api/analytics/v1/stocks-report/wb-warehouses",
            Capability::StockSeller if self.has_seller_warehouses => "POST /api/v3/stocks/{warehouseId}",
            Capability::StockSeller => "POST /api/analytics/v1/stocks-report/seller-warehouses",
            Capability::Orders => "GET /api/v1/supplier/orders",
        }
    }

    async fn verify(&self) -> Result<AccountInfo, Error> {
        verify::verify(&self.api).await
    }

    async fn products(
        &self,
        scope: &CatalogueScope,
        at: Option<&Position>,
    ) -> Result<ReadPage<ProductRow>, Error> {
        cards::read(&self.api, scope, at).await
    }

    async fn locations(&self, _at: Option<&Position>) -> Result<ReadPage<Location>, Error> {
        warehouses::read(&self.api).await
    }

    async fn stock(
        &self,
        side: Side,
        known: &dyn KnownCatalogue,
        at: Option<&Position>,
    ) -> Result<ReadPage<StockRow>, Error> {
        match side {
            Side::Fbo if self.is_basic() => remains::read(&self.api, &self.remains, at).await,
            Side::Fbo => stocks::read_marketplace(&self.api, at).await,
            Side::Fbs if self.has_seller_warehouses => seller_stock::read(&self.api, known, at).await,
            Side::Fbs => stocks::read_seller(&self.api, at).await,
        }
    }

    async fn orders(
        &self,
        since: Option<&Position>,
        at: Option<&Position>,
    ) -> Result<ReadPage<OrderRow>, Error> {
        orders::read(&self.api, &self.orders, since, at).await
    }

    async fn assemblies(&self, from: Timestamp, at: Option<&Position>) -> Result<ReadPage<Assembly>, Error> {
        assemblies::read(&self.api, from, at).await
    }
}
