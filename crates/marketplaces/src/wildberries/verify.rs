//! Whose token it is and what it can read, by the marketplace's own word.

use domain::marketplace::{AccountInfo, Capabilities, Capability, CredentialFacts, Seller};
use serde::Deserialize;

use super::{
    api::Api,
    endpoints::{self, BASIC_ORDERS, BASIC_REMAINS, SELLER},
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
    /// Never a number: one that has become so is the same for many.
    sid: Option<String>,
    name: Option<Text>,
    trade_mark: Option<Text>,
}

/// Pings every host that is needed, then asks for the seller. A category that is missing takes its capabilities with
/// it; without product cards nothing else can be told apart, so a token without them is refused.
///
/// A token that may ask whose it is only once a day is believed what it says of that itself, once a ping has shown that
/// it is genuine. Test tokens are for a marketplace that the operator has put up.
pub(super) async fn verify(api: &Api) -> Result<AccountInfo, Error> {
    let kind = api.token.kind();
    if kind == Kind::Test && !api.hosts.is_one() {
        return Err(Error::Auth { kind: AuthProblem::Unsupported, operation: "verify" });
    }
    let granted = granted(api).await?;
    if !granted.contains(&Category::Content) {
        let kind = AuthProblem::Scope(Capability::Products);
        return Err(Error::Auth { kind, operation: "verify" });
    }
    let seller = match (kind, api.token.seller_id()) {
        (Kind::Basic | Kind::Test | Kind::Unknown, Some(id)) => {
            Seller { external_id: id.to_owned(), name: id.to_owned() }
        }
        _ => seller(api).await?,
    };
    let capabilities = capabilities(kind, &granted);
    let facts = CredentialFacts {
        masked: api.token.masked(),
        expires_at: api.token.expires_at(),
        scopes: granted.iter().map(|category| category.name().to_owned()).collect(),
        kind: Some(kind.name().to_owned()),
        notes: notes(kind, &granted, &capabilities),
    };
    let slowest_interval_minutes = slowest_interval_minutes(kind, &capabilities);
    Ok(AccountInfo { seller, facts, capabilities, slowest_interval_minutes })
}

/// What a token of a type can read with these categories.
fn capabilities(kind: Kind, granted: &[Category]) -> Capabilities {
    let has = |category| granted.contains(&category);
    let has_reports = kind != Kind::Test;
    let has_reports_at_once = matches!(kind, Kind::Personal | Kind::Service | Kind::Unknown);
    let mut capabilities = Capabilities::from([Capability::Products]);
    if has(Category::Marketplace) {
        capabilities.extend([Capability::Locations, Capability::StockSeller]);
    }
    if has(Category::Statistics) && has_reports {
        capabilities.insert(Capability::Orders);
    }
    if has(Category::Analytics) && has_reports {
        capabilities.insert(Capability::StockMarketplace);
        if has_reports_at_once {
            capabilities.insert(Capability::StockSeller);
        }
    }
    capabilities
}

/// How long the limits of a token keep a sync waiting, in minutes, where that is worth a thought.
fn slowest_interval_minutes(kind: Kind, capabilities: &Capabilities) -> Option<i32> {
    if !matches!(kind, Kind::Basic | Kind::Unknown) {
        return None;
    }
    let by_report = kind == Kind::Basic && capabilities.contains(&Capability::StockMarketplace);
    let slowest = if capabilities.contains(&Capability::Orders) {
        BASIC_ORDERS
    } else if by_report {
        BASIC_REMAINS
    } else {
        return None;
    };
    i32::try_from(slowest.as_secs() / 60).ok()
}

/// What a seller should know of a token: what it does not allow, and what it slows down.
fn notes(kind: Kind, granted: &[Category], capabilities: &Capabilities) -> Vec<String> {
    let has = |category| granted.contains(&category);
    let mut notes = vec![match kind {
        Kind::Basic => {
            "This is a Basic token: Wildberries lets it ask for less, and less often, than a Service token."
        }
        Kind::Test => {
            "This is a Test token: it opens a test marketplace with product cards and your own warehouses."
        }
        Kind::Personal => {
            "This is a Personal token: Wildberries allows it in software that you run yourself, not in cloud services."
        }
        Kind::Service => "This is a Service token.",
        Kind::Unknown => {
            "This token does not say of which type it is: we keep to the slowest limits that Wildberries publishes."
        }
    }];
    if matches!(kind, Kind::Basic | Kind::Unknown) && capabilities.contains(&Capability::Orders) {
        notes.push("Orders can be asked for once in three hours, so order figures are hours old.");
    }
    if kind == Kind::Basic && has(Category::Analytics) {
        notes.push(
            "Stock in the marketplace's warehouses is read from a report that Wildberries makes for us, at most four \
             times an hour.",
        );
    }
    if kind != Kind::Test && !has(Category::Analytics) {
        notes.push("The category Analytics is missing: stock in the marketplace's warehouses is not read.");
    }
    if !has(Category::Marketplace) {
        notes.push(if capabilities.contains(&Capability::StockSeller) {
            "The category Marketplace is missing: stock in your own warehouses is read from a report that Wildberries \
             renews every half hour, and orders from warehouses of one name cannot be told apart."
        } else {
            "The category Marketplace is missing: stock in your own warehouses is not read."
        });
    }
    if kind != Kind::Test && !has(Category::Statistics) {
        notes.push("The category Statistics is missing: orders are not read.");
    }
    notes.push("Wildberries ends every token after 180 days: make a new one before that, and enter it here.");
    notes.into_iter().map(str::to_owned).collect()
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
    let external_id = info
        .sid
        .filter(|id| decode::tells_apart(id))
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
