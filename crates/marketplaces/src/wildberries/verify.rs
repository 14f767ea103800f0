//! Whose token it is and what it can read, by the marketplace's own word.

use domain::marketplace::{AccountInfo, Capabilities, Capability, CredentialFacts, Seller};
use serde::Deserialize;

use super::{
    api::Api,
    endpoints::{self, SELLER},
    hosts::Category,
    token::Kind,
};
use crate::{
    decode::{self, Text},
    error::{AuthProblem, Error},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SellerInfo {
    sid: Option<Text>,
    name: Option<Text>,
    trade_mark: Option<Text>,
}

/// Pings every host that is needed, then asks for the seller. A category that is missing takes its capabilities with
/// it; without product cards nothing else can be told apart, so a token without them is refused.
pub(super) async fn verify(api: &Api) -> Result<AccountInfo, Error> {
    if matches!(api.token.kind(), Kind::Basic | Kind::Test) {
        return Err(Error::Auth { kind: AuthProblem::Unsupported, operation: "verify" });
    }
    let granted = granted(api).await?;
    if !granted.contains(&Category::Content) {
        let kind = AuthProblem::Scope(Capability::Products);
        return Err(Error::Auth { kind, operation: "verify" });
    }
    let seller = seller(api).await?;
    let facts = CredentialFacts {
        masked: api.token.masked(),
        expires_at: api.token.expires_at(),
        scopes: granted.iter().map(|category| category.name().to_owned()).collect(),
    };
    let capabilities: Capabilities =
        granted.iter().flat_map(|category| capabilities_of(*category)).copied().collect();
    Ok(AccountInfo { seller, facts, capabilities })
}

const fn capabilities_of(category: Category) -> &'static [Capability] {
    match category {
        Category::Common => &[],
        Category::Content => &[Capability::Products],
        Category::Marketplace => &[Capability::Locations, Capability::StockSeller],
        Category::Statistics => &[Capability::Orders],
        Category::Analytics => &[Capability::StockMarketplace],
    }
}

/// The categories whose host takes the token. Where one origin stands for all hosts, one ping proves the token, and
/// what it says of its categories is all there is to go by.
async fn granted(api: &Api) -> Result<Vec<Category>, Error> {
    if api.hosts.is_one() {
        ping(api, Category::Content).await?;
        let claimed = |category: &Category| api.token.claims(*category).unwrap_or(true);
        return Ok(Category::NEEDED.into_iter().filter(claimed).collect());
    }
    let mut granted = Vec::new();
    for category in Category::NEEDED {
        if is_granted(ping(api, category).await)? {
            granted.push(category);
        }
    }
    Ok(granted)
}

/// What the ping of one host says of its category. Only a refusal of the category itself narrows the token; whatever
/// else goes wrong says nothing about it.
fn is_granted(ping: Result<(), Error>) -> Result<bool, Error> {
    match ping {
        Ok(()) => Ok(true),
        Err(Error::Auth { kind: AuthProblem::Scope(_), .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Any good answer will do; what it says is the time.
async fn ping(api: &Api, category: Category) -> Result<(), Error> {
    api.get(&endpoints::ping(category), "/ping", &[], |_| Ok(())).await
}

async fn seller(api: &Api) -> Result<Seller, Error> {
    let endpoint = SELLER.operation;
    let info: SellerInfo = api
        .get_as(api.proven_budget(), &SELLER, "/api/v1/seller-info", |body| decode::page(endpoint, body))
        .await?;
    let external_id = Text::filled(info.sid)
        .ok_or_else(|| Error::ContractChanged { endpoint, what: "sid: missing".to_owned() })?;
    let name = Text::filled(info.name).or_else(|| Text::filled(info.trade_mark));
    Ok(Seller { name: name.unwrap_or_else(|| external_id.clone()), external_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refused_category_narrows_a_token() {
        let auth = |kind| Err(Error::Auth { kind, operation: "ping" });
        assert!(is_granted(Ok(())).unwrap());
        assert!(!is_granted(auth(AuthProblem::Scope(Capability::Orders))).unwrap());
        assert!(is_granted(auth(AuthProblem::Invalid)).is_err());
        let busy = Error::Transient { operation: "ping", what: "busy".to_owned(), retry_after: None };
        assert!(is_granted(Err(busy)).is_err(), "a host that is down does not take a capability away");
    }
}
