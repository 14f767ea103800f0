//! The connector to shops run on Vendure, over their Admin API.

mod address;
mod api;
mod catalogue;
mod errors;
mod key;
mod list;
mod locations;
mod orders;
mod stock;
mod verify;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    clock::{Clock, Timestamp},
    marketplace::{AccountInfo, Capability, Credential, CredentialField, Descriptor, MarketplaceCode, Side},
    reading::{Assembly, Location, OrderRow, Position, ProductRow, ReadPage, StockRow},
};
use secrecy::ExposeSecret;

use crate::{
    connector::{CatalogueScope, KnownCatalogue, Marketplace},
    error::Error,
    factory::{CredentialProblem, Proven},
    http::{Caller, guard::Guard},
};
use address::Address;
use api::Api;
use catalogue::PRODUCTS;
use key::Key;
use locations::LOCATIONS;
use orders::ORDERS;
use stock::STOCK;

/// The names under which calls are reported.
pub(crate) const OPERATIONS: &[&str] =
    &["channel", PRODUCTS.operation, LOCATIONS.operation, STOCK.operation, ORDERS.operation];

/// The field of the credential that holds the address.
const ADDRESS_FIELD: &str = "base_url";

/// The field that holds the API key.
const KEY_FIELD: &str = "api_key";

/// The field that holds the token of the channel.
const CHANNEL_FIELD: &str = "channel_token";

/// The one budget that all questions share.
const GROUP: &str = "admin_api";

/// What the connector says of itself.
pub(crate) static DESCRIPTOR: Descriptor = Descriptor {
    code: MarketplaceCode::Vendure,
    title: "Vendure",
    docs_url: "https://docs.vendure.io/guides/core-concepts/auth/",
    capabilities: &[Capability::Products, Capability::Locations, Capability::StockSeller, Capability::Orders],
    credential_fields: &[
        CredentialField {
            name: ADDRESS_FIELD,
            title: "Server address",
            optional: false,
            secret: false,
            max_length: 2048,
        },
        CredentialField {
            name: KEY_FIELD,
            title: "API key",
            optional: false,
            secret: true,
            max_length: key::LONGEST,
        },
        CredentialField {
            name: CHANNEL_FIELD,
            title: "Channel token",
            optional: true,
            secret: true,
            max_length: key::LONGEST,
        },
    ],
    notes: "API keys need Vendure 3.6 or newer, with `api-key` among `authOptions.tokenMethod`. Make a role with \
            ReadCatalog, ReadStockLocation and ReadOrder and nothing else, and an API key with that role. The address \
            is that of the server, without /admin-api. For another channel than the default one, make the key in that \
            channel and enter its token too; each channel is an account of its own.",
};

/// One channel of one shop.
pub(crate) struct Vendure {
    api: Api,
}

impl Vendure {
    /// Opens a shop without a call.
    pub(crate) fn connect(
        caller: Arc<Caller>,
        clock: Arc<dyn Clock>,
        guard: Guard,
        credential: &Credential,
        proven: Option<Proven<'_>>,
    ) -> Result<Self, CredentialProblem> {
        let text = |field| credential.field(field).map(ExposeSecret::expose_secret);
        let problem = |field| move |what| CredentialProblem { field, what };
        let address = Address::parse(text(ADDRESS_FIELD).unwrap_or_default(), guard);
        let address = address.map_err(problem(ADDRESS_FIELD))?;
        let key = Key::parse(text(KEY_FIELD).unwrap_or_default()).map_err(problem(KEY_FIELD))?;
        let channel = text(CHANNEL_FIELD).map(Key::parse).transpose().map_err(problem(CHANNEL_FIELD))?;
        Ok(Self { api: Api::new(caller, clock, address, key, channel, proven.is_some()) })
    }
}

#[async_trait]
impl Marketplace for Vendure {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn source(&self, what: Capability) -> &'static str {
        match what {
            Capability::Products => "POST /admin-api productVariants",
            Capability::Locations => "POST /admin-api stockLocations",
            Capability::StockSeller | Capability::StockMarketplace => {
                "POST /admin-api productVariants.stockLevels"
            }
            Capability::Orders => "POST /admin-api orders",
        }
    }

    async fn verify(&self) -> Result<AccountInfo, Error> {
        verify::verify(&self.api).await
    }

    /// There is no telling what was deleted since: the catalogue is always read in full.
    async fn products(
        &self,
        _scope: &CatalogueScope,
        at: Option<&Position>,
    ) -> Result<ReadPage<ProductRow>, Error> {
        catalogue::read(&self.api, at).await
    }

    async fn locations(&self, at: Option<&Position>) -> Result<ReadPage<Location>, Error> {
        locations::read(&self.api, at).await
    }

    async fn stock(
        &self,
        side: Side,
        known: &dyn KnownCatalogue,
        at: Option<&Position>,
    ) -> Result<ReadPage<StockRow>, Error> {
        stock::read(&self.api, side, known, at).await
    }

    async fn orders(
        &self,
        since: Option<&Position>,
        at: Option<&Position>,
    ) -> Result<ReadPage<OrderRow>, Error> {
        orders::read(&self.api, since, at).await
    }

    /// Order lines of a shop name no warehouse.
    async fn assemblies(
        &self,
        _from: Timestamp,
        _at: Option<&Position>,
    ) -> Result<ReadPage<Assembly>, Error> {
        Ok(ReadPage::last(Vec::new()))
    }
}
