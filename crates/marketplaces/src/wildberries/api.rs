//! A Wildberries method called for one account: address, token, limit, classification.

use std::{sync::Arc, time::Duration};

use domain::{
    clock::{Clock, Timestamp},
    limit::{BucketKey, Claim, Rate},
    marketplace::{MarketplaceCode, Seller},
    reading::Position,
};
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{ACCEPT, AUTHORIZATION},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    endpoints::Endpoint,
    errors,
    hosts::{Category, Hosts},
    token::Token,
};
use crate::{
    error::{AuthProblem, Error},
    http::{Answer, Arrival, Caller, Plan},
};

/// What all methods of one account share.
pub(super) struct Api {
    caller: Arc<Caller>,
    clock: Arc<dyn Clock>,
    pub(super) hosts: Hosts,
    pub(super) token: Token,
    /// Whose budget calls count in: the seller's own id, or the token's hash while it is not proven.
    budget: String,
}

impl Api {
    pub(super) fn new(
        caller: Arc<Caller>,
        clock: Arc<dyn Clock>,
        hosts: Hosts,
        token: Token,
        seller: Option<&Seller>,
    ) -> Self {
        let budget = seller.map_or_else(|| token.hash(), |seller| seller.external_id.clone());
        Self { caller, clock, hosts, token, budget }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads with `GET`.
    pub(super) async fn get<T>(
        &self,
        endpoint: &Endpoint,
        path: &str,
        query: &[(&str, &str)],
        read: impl Fn(&[u8]) -> Result<T, Error> + Sync,
    ) -> Result<T, Error> {
        self.call(
            endpoint,
            &self.budget,
            || self.request(Method::GET, endpoint.category, path).query(query),
            |answer| read(&answer.body),
        )
        .await
    }

    /// Reads with `GET` in the budget of a seller who has just been proven.
    pub(super) async fn get_as<T>(
        &self,
        budget: &str,
        endpoint: &Endpoint,
        path: &str,
        read: impl Fn(&[u8]) -> Result<T, Error> + Sync,
    ) -> Result<T, Error> {
        self.call(
            endpoint,
            budget,
            || self.request(Method::GET, endpoint.category, path),
            |answer| read(&answer.body),
        )
        .await
    }

    /// Reads with `POST`. None where the marketplace says that there is nothing (204).
    pub(super) async fn post<T>(
        &self,
        endpoint: &Endpoint,
        path: &str,
        body: &(impl Serialize + Sync),
        read: impl Fn(&[u8]) -> Result<T, Error> + Sync,
    ) -> Result<Option<T>, Error> {
        self.call(
            endpoint,
            &self.budget,
            || self.request(Method::POST, endpoint.category, path).json(body),
            |answer| {
                if answer.status == StatusCode::NO_CONTENT { Ok(None) } else { read(&answer.body).map(Some) }
            },
        )
        .await
    }

    /// The budget to count in once a ping has shown that the token is genuine.
    pub(super) fn proven_budget(&self) -> &str {
        match self.token.seller_id() {
            Some(seller) if self.budget == self.token.hash() => seller,
            _ => &self.budget,
        }
    }

    /// Reads an answer too large to be held with `GET`, while it arrives. None where the marketplace says that there is
    /// nothing (204).
    pub(super) async fn get_arriving<A: Arrival>(
        &self,
        endpoint: &Endpoint,
        path: &str,
        query: &[(&str, &str)],
        begin: fn() -> A,
    ) -> Result<Option<A::Output>, Error> {
        let plan = self.plan(endpoint, &self.budget)?;
        let request = || self.request(Method::GET, endpoint.category, path).query(query);
        let judge = |answer: &Answer| errors::classify(endpoint, slowest(&plan), &self.token, answer);
        self.caller.call_arriving(&plan, request, judge, begin).await
    }

    fn request(&self, method: Method, category: Category, path: &str) -> RequestBuilder {
        self.caller
            .client()
            .request(method, self.hosts.address(category, path))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, self.token.header())
    }

    async fn call<T>(
        &self,
        endpoint: &Endpoint,
        budget: &str,
        request: impl Fn() -> RequestBuilder + Sync,
        read: impl Fn(&Answer) -> Result<T, Error> + Sync,
    ) -> Result<T, Error> {
        let plan = self.plan(endpoint, budget)?;
        let judge = |answer: &Answer| {
            errors::classify(endpoint, slowest(&plan), &self.token, answer)?;
            read(answer)
        };
        self.caller.call(&plan, request, judge).await
    }

    /// Refuses where the token is known to have ended: the marketplace need not be asked.
    fn plan(&self, endpoint: &Endpoint, budget: &str) -> Result<Plan, Error> {
        if self.token.expires_at().is_some_and(|end| end <= self.now()) {
            return Err(Error::Auth { kind: AuthProblem::Expired, operation: endpoint.operation });
        }
        let claim = |group: String, rate| {
            let (marketplace, seller) = (MarketplaceCode::Wildberries, budget.to_owned());
            Claim { key: BucketKey { marketplace, seller, group }, rate }
        };
        let group = endpoint.group;
        let narrower = endpoint.narrower(self.token.kind());
        Ok(Plan {
            marketplace: MarketplaceCode::Wildberries,
            operation: endpoint.operation,
            claim: claim(group.name.to_owned(), group.rate(self.scaled(group.interval))),
            group: group.name,
            narrower: narrower
                .map(|(name, interval)| claim(name, Rate { interval: self.scaled(interval), burst: 1 })),
            single: group.burst == 1,
            error_cost: group.error_cost,
            max_bytes: endpoint.max_bytes,
            entered_in: None,
        })
    }

    /// A period of the marketplace as it counts here.
    pub(super) fn scaled(&self, period: Duration) -> Duration {
        self.caller.scaled(period)
    }
}

/// The interval to wait when a 429 does not say how long.
fn slowest(plan: &Plan) -> Duration {
    plan.narrower.as_ref().unwrap_or(&plan.claim).rate.interval
}

/// A position as its reading keeps it.
pub(super) fn parse_position<T: DeserializeOwned>(
    endpoint: &Endpoint,
    position: &Position,
) -> Result<T, Error> {
    serde_json::from_str(&position.0).map_err(|error| Error::InvalidRequest {
        endpoint: endpoint.operation,
        what: format!("not a position of this reading: {error}"),
    })
}

/// A position as others keep it.
pub(super) fn position(place: &impl Serialize) -> Position {
    Position(serde_json::to_string(place).expect("a position is made of texts and numbers"))
}
