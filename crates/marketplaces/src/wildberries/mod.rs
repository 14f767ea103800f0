//! The connector to wildberries.ru, for Personal and Service tokens.

mod api;
mod assemblies;
mod cards;
mod endpoints;
mod errors;
mod hosts;
mod orders;
mod stocks;
mod token;
mod verify;
mod wall_clock;
mod warehouses;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    clock::{Clock, Timestamp},
    marketplace::{
        AccountInfo, Capability, Credential, CredentialField, Descriptor, MarketplaceCode, Seller, Side,
    },
    reading::{Assembly, Location, OrderRow, Position, ProductRow, ReadPage, StockRow},
};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::{
    connector::{CatalogueScope, KnownCatalogue, Marketplace},
    error::Error,
    factory::CredentialProblem,
    http::Caller,
};
use api::Api;
use hosts::Hosts;
use token::Token;

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
        secret: true,
        max_length: 4096,
    }],
    notes: "Make a token with the categories Content, Marketplace, Statistics and Analytics, read only. Wildberries \
            allows cloud services Service tokens only; a Personal token is for software that you run yourself. A \
            token is valid for 180 days.",
};

/// One Wildberries account.
pub(crate) struct Wildberries {
    api: Api,
}

impl Wildberries {
    /// Opens an account without a call.
    pub(crate) fn connect(
        caller: Arc<Caller>,
        clock: Arc<dyn Clock>,
        base_url: Option<&Url>,
        credential: &Credential,
        seller: Option<&Seller>,
    ) -> Result<Self, CredentialProblem> {
        let problem = |what| CredentialProblem { field: TOKEN_FIELD, what };
        let text = credential.field(TOKEN_FIELD).ok_or_else(|| problem("Enter the API token."))?;
        let token = Token::parse(text.expose_secret()).map_err(problem)?;
        let hosts = Hosts::new(base_url);
        Ok(Self { api: Api::new(caller, clock, hosts, token, seller) })
    }
}

#[async_trait]
impl Marketplace for Wildberries {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
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
            Side::Fbo => stocks::read_marketplace(&self.api, at).await,
            Side::Fbs => stocks::read_seller(&self.api, known, at).await,
        }
    }

    async fn orders(
        &self,
        since: Option<&Position>,
        at: Option<&Position>,
    ) -> Result<ReadPage<OrderRow>, Error> {
        orders::read(&self.api, since, at).await
    }

    async fn assemblies(&self, from: Timestamp, at: Option<&Position>) -> Result<ReadPage<Assembly>, Error> {
        assemblies::read(&self.api, from, at).await
    }
}
