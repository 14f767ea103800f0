//! Questions to one shop: address, key, limit, and what a refusal means.

use std::{sync::Arc, time::Duration};

use domain::{
    clock::{Clock, Timestamp},
    limit::{BucketKey, Claim, Rate},
    marketplace::{Capability, MarketplaceCode},
};
use reqwest::{RequestBuilder, header::ACCEPT};
use serde_json::{Value, json};

use super::{
    ADDRESS_FIELD, GROUP, KEY_FIELD,
    address::Address,
    errors::{self, TooMany, Trouble},
    key::Key,
};
use crate::{
    error::{AuthProblem, Error},
    factory::CredentialProblem,
    http::{Caller, Plan},
};

/// Time in which one question is earned back. Vendure sets no limit; this one keeps a shop's own customers served.
const INTERVAL: Duration = Duration::from_millis(200);

/// Questions that may be asked at once.
const BURST: u32 = 5;

/// Most bytes of an answer.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// A question in the words of GraphQL.
#[derive(Debug)]
pub(super) struct Query {
    pub operation: &'static str,
    /// What is off when the key's role may not ask it; none where every key may.
    pub capability: Option<Capability>,
    pub text: &'static str,
}

/// What every key may ask.
const WHO: Query = Query { operation: "channel", capability: None, text: "{ activeChannel { id } }" };

/// One shop, seen through one key.
pub(super) struct Api {
    caller: Arc<Caller>,
    clock: Arc<dyn Clock>,
    pub(super) address: Address,
    pub(super) key: Key,
    pub(super) channel: Option<Key>,
    /// Whose budget questions count in: the host's, or the key's own while the host has not accepted it.
    budget: String,
}

impl Api {
    pub(super) fn new(
        caller: Arc<Caller>,
        clock: Arc<dyn Clock>,
        address: Address,
        key: Key,
        channel: Option<Key>,
        is_proven: bool,
    ) -> Self {
        let budget = if is_proven { address.host().to_owned() } else { key.hash() };
        Self { caller, clock, address, key, channel, budget }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Asks, and reads the `data` of the answer. A key that is good, but not for this, is told from one that is not.
    pub(super) async fn ask<T: Send>(
        &self,
        query: &Query,
        variables: &Value,
        read: impl Fn(&str) -> Result<T, Error> + Sync,
    ) -> Result<Result<T, TooMany>, Error> {
        let answer = self.send(query, variables, &read, is_down(query)).await;
        match (answer, query.capability) {
            (Err(Error::Auth { kind: AuthProblem::Invalid, .. }), Some(capability)) => {
                Err(self.refusal(query, capability).await)
            }
            (Err(Error::Auth { kind: AuthProblem::Invalid, .. }), None) => Err(self.unknown_key().into()),
            (answer, _) => answer,
        }
    }

    /// Asks what every key may ask, of an address that has not shown yet that there is a shop.
    pub(super) async fn ask_first<T: Send>(
        &self,
        query: &Query,
        read: impl Fn(&str) -> Result<T, Error> + Sync,
    ) -> Result<T, Error> {
        match self.send(query, &Value::Null, &read, |_| no_shop().into()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(TooMany { what, .. })) => Err(Error::InvalidRequest { endpoint: query.operation, what }),
            Err(Error::Auth { kind: AuthProblem::Invalid, .. }) => Err(self.unknown_key().into()),
            // A server that does not know its own active channel is not Vendure, or much too old.
            Err(Error::ContractChanged { endpoint, what }) => {
                tracing::warn!(operation = endpoint, what, "an address is not that of a Vendure shop");
                Err(no_shop().into())
            }
            Err(error) => Err(error),
        }
    }

    /// Vendure refuses what a key may not ask, and what is no key, in the same words.
    async fn refusal(&self, query: &Query, capability: Capability) -> Error {
        match self.send(&WHO, &Value::Null, &|_| Ok(()), is_down(&WHO)).await {
            Ok(_) => Error::Auth { kind: AuthProblem::Scope(capability), operation: query.operation },
            Err(Error::Auth { kind: AuthProblem::Invalid, .. }) => self.unknown_key().into(),
            Err(error) => error,
        }
    }

    fn unknown_key(&self) -> CredentialProblem {
        let what = if self.channel.is_some() {
            "The shop does not accept this API key for this channel. Make one there, and enter it here."
        } else {
            "The shop does not accept this API key. Make a new one in its default channel, or enter the token of \
             the channel it was made in."
        };
        CredentialProblem { field: KEY_FIELD, what }
    }

    async fn send<T: Send>(
        &self,
        query: &Query,
        variables: &Value,
        read: &(impl Fn(&str) -> Result<T, Error> + Sync),
        no_shop: impl Fn(String) -> Error + Sync,
    ) -> Result<Result<T, TooMany>, Error> {
        let plan = Plan {
            marketplace: MarketplaceCode::Vendure,
            operation: query.operation,
            claim: Claim {
                key: BucketKey {
                    marketplace: MarketplaceCode::Vendure,
                    seller: self.budget.clone(),
                    group: GROUP.to_owned(),
                },
                rate: Rate { interval: self.caller.scaled(INTERVAL), burst: BURST },
            },
            group: GROUP,
            narrower: None,
            single: false,
            error_cost: 1,
            max_bytes: MAX_BYTES,
            entered_in: Some(ADDRESS_FIELD),
        };
        let body = json!({ "query": query.text, "variables": variables });
        let judge = |answer: &_| match errors::judge(query.operation, &self.key, answer) {
            Ok(data) => read(data).map(Ok),
            Err(Trouble::TooMany(refusal)) => Ok(Err(refusal)),
            Err(Trouble::Known(error)) => Err(error),
            Err(Trouble::NoShop(what)) => Err(no_shop(what)),
        };
        self.caller.call(&plan, || self.request(&body), judge).await
    }

    fn request(&self, body: &Value) -> RequestBuilder {
        let request = self
            .caller
            .guarded()
            .post(self.address.api().clone())
            .header(ACCEPT, "application/json")
            .header("vendure-api-key", self.key.header())
            .json(body);
        match &self.channel {
            Some(channel) => request.header("vendure-token", channel.header()),
            None => request,
        }
    }
}

/// A shop that was there before is being restarted, or moved: it may come back.
fn is_down(query: &Query) -> impl Fn(String) -> Error + Sync {
    let operation = query.operation;
    move |what| Error::Transient { operation, what, retry_after: None }
}

/// There never was a shop.
const fn no_shop() -> CredentialProblem {
    CredentialProblem {
        field: ADDRESS_FIELD,
        what: "There is no Vendure shop at this address. Enter the address of its server, where the Admin API is.",
    }
}
