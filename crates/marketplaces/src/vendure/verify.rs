//! Whose key it is and what it can read, by the shop's own word.

use domain::marketplace::{AccountInfo, Capabilities, Capability, CredentialFacts, Seller};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;

use super::{
    api::{Api, Query},
    catalogue::PRODUCTS,
    errors::no_channel,
    list,
    locations::LOCATIONS,
    orders::ORDERS,
    stock::STOCK,
};
use crate::{
    decode::{self, Id, Text},
    error::{AuthProblem, Error},
};

const CHANNEL: Query = Query {
    operation: "channel",
    capability: None,
    text: "{ activeChannel { id code token seller { name } } }",
};

/// The code of the channel that every shop has.
const DEFAULT_CHANNEL: &str = "__default_channel__";

/// The seller that every shop has; a name that says nothing.
const DEFAULT_SELLER: &str = "Default Seller";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    active_channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    id: Id,
    code: Id,
    token: Option<Text>,
    seller: Option<ChannelSeller>,
}

#[derive(Deserialize)]
struct ChannelSeller {
    name: Option<Text>,
}

/// Asks for the channel, then each thing once, since Vendure does not say what a key may read. A shop is one seller
/// for each of its channels, whatever key it is read with.
pub(super) async fn verify(api: &Api) -> Result<AccountInfo, Error> {
    let data: Data = api.ask_first(&CHANNEL, |data| decode::page(CHANNEL.operation, data.as_bytes())).await?;
    let channel = data.active_channel;
    // A shop with a single channel does not mind what channel it is asked for.
    if let (Some(named), Some(Text(token))) = (&api.channel, &channel.token)
        && !named.is(token)
    {
        return Err(no_channel().into());
    }
    let mut capabilities = Capabilities::new();
    let mut scopes = Vec::new();
    let mut notes = Vec::new();
    for probe in &PROBES {
        match ask(api, probe.query).await {
            Ok(()) => {
                capabilities.insert(probe.capability);
                scopes.push(probe.scope.to_owned());
            }
            Err(error @ Error::Auth { kind: AuthProblem::Scope(Capability::Products), .. }) => {
                return Err(error);
            }
            Err(Error::Auth { kind: AuthProblem::Scope(_), .. }) => notes.push(probe.without.to_owned()),
            Err(error) => return Err(error),
        }
    }
    let facts = CredentialFacts { masked: api.key.masked(), expires_at: None, scopes, kind: None, notes };
    Ok(AccountInfo { seller: seller(api, channel), facts, capabilities, slowest_interval_minutes: None })
}

/// Something to read, and what it means not to be allowed to.
struct Probe {
    capability: Capability,
    query: &'static Query,
    scope: &'static str,
    without: &'static str,
}

static PROBES: [Probe; 4] = [
    Probe { capability: Capability::Products, query: &PRODUCTS, scope: "productVariants", without: "" },
    Probe {
        capability: Capability::Locations,
        query: &LOCATIONS,
        scope: "stockLocations",
        without: "This API key does not show your stock locations: only those that hold stock are known. Give its role \
                  ReadStockLocation.",
    },
    Probe {
        capability: Capability::StockSeller,
        query: &STOCK,
        scope: "stockLevels",
        without: "This API key does not show your stock. Give its role ReadCatalog.",
    },
    Probe {
        capability: Capability::Orders,
        query: &ORDERS,
        scope: "orders",
        without: "This API key does not show your orders: demand and days of cover are unknown. Give its role ReadOrder.",
    },
];

/// Asks the very question that a reading asks, for one row.
async fn ask(api: &Api, query: &Query) -> Result<(), Error> {
    let mut take = 1;
    let variables = |take| match query.capability {
        Some(Capability::Orders) => json!({ "take": take, "skip": 0, "after": api.now() }),
        _ => json!({ "take": take, "skip": 0 }),
    };
    let row = |_: &Option<IgnoredAny>, _: IgnoredAny| Some(());
    list::page(api, query, &mut take, variables, |_| Some(0), row).await.map(drop)
}

fn seller(api: &Api, channel: Channel) -> Seller {
    let place = api.address.place();
    let external_id = format!("{place}#{}", channel.id.0);
    let company = Text::filled(channel.seller.and_then(|seller| seller.name));
    let company = company.filter(|name| name != DEFAULT_SELLER);
    let name = match (company, channel.code.0.as_str()) {
        (Some(company), DEFAULT_CHANNEL) => company,
        (Some(company), code) => format!("{company} ({code})"),
        (None, DEFAULT_CHANNEL) => place.to_owned(),
        (None, code) => format!("{place} ({code})"),
    };
    Seller { external_id, name }
}
