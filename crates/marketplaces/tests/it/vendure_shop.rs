//! A shop that answers as Vendure does, and that a test can change between two questions.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use domain::marketplace::{Capabilities, Credential, MarketplaceCode, Seller};
use marketplaces::{ConnectError, Marketplace, Proven, Settings};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::{
    server::{Asked, Reply, Server},
    support::World,
};

/// A key as Vendure makes them.
pub(crate) const KEY: &str = "0123456789abcdef01234567:fedcba9876543210fedcba9876543210";

/// A change of the shop, told how manieth question of its list was answered.
type After = Box<dyn FnMut(&mut Shop, usize) + Send>;

/// What is in the shop.
pub(crate) struct Shop {
    /// In the order in which lists give them.
    pub(crate) variants: Vec<Value>,
    pub(crate) locations: Vec<Value>,
    pub(crate) orders: Vec<Value>,
    pub(crate) settings: Value,
    pub(crate) channel: Value,
    /// Fields that the key's role may not ask for.
    pub(crate) forbidden: Vec<&'static str>,
    /// Most rows at once.
    pub(crate) limit: usize,
    /// Changes the shop after the answer to a question, of which the number in its list is given.
    pub(crate) after: Option<After>,
}

impl Shop {
    fn new() -> Self {
        Self {
            variants: Vec::new(),
            locations: Vec::new(),
            orders: Vec::new(),
            settings: json!({ "trackInventory": true, "serverConfig": { "moneyStrategyPrecision": 2 } }),
            channel: json!({ "id": "1", "code": "__default_channel__", "token": "t0", "seller": { "name": "Default Seller" } }),
            forbidden: Vec::new(),
            limit: 1000,
            after: None,
        }
    }

    fn answer(&mut self, asked: &Asked, earlier: usize) -> Reply {
        let query = asked.body["query"].as_str().unwrap_or_default();
        let field = ["productVariants", "stockLocations", "orders", "activeChannel"];
        let field = field.into_iter().find(|field| query.contains(field)).expect("a known field");
        if self.forbidden.contains(&field) {
            return fault("FORBIDDEN", "You are not currently authorized to perform this action");
        }
        if field == "activeChannel" {
            return Reply::json(&json!({ "data": { "activeChannel": self.channel } }));
        }
        let variables = &asked.body["variables"];
        let number = |name: &str| usize::try_from(variables[name].as_u64().unwrap()).unwrap();
        let (take, skip) = (number("take"), number("skip"));
        if take > self.limit {
            let limit = self.limit;
            return fault(
                "USER_INPUT_ERROR",
                &format!("Cannot take more than {limit} results from a list query"),
            );
        }
        let rows: Vec<Value> = match field {
            "productVariants" => self.variants.clone(),
            "stockLocations" => self.locations.clone(),
            _ => {
                let after = variables["after"].as_str().unwrap();
                let changed = |order: &&Value| order["updatedAt"].as_str().is_none_or(|at| at > after);
                self.orders.iter().filter(changed).cloned().collect()
            }
        };
        let items: Vec<_> = rows.iter().skip(skip).take(take).collect();
        let list = json!({ "totalItems": rows.len(), "items": items });
        let reply = Reply::json(&json!({ "data": { "list": list, "settings": self.settings } }));
        if let Some(mut after) = self.after.take() {
            after(self, earlier);
            self.after.get_or_insert(after);
        }
        reply
    }
}

/// A refusal in the words of GraphQL.
pub(crate) fn fault(code: &str, message: &str) -> Reply {
    let error = json!({ "message": message, "path": ["x"], "extensions": { "code": code } });
    Reply::json(&json!({ "errors": [error], "data": null }))
}

/// A variant of which there are so many, in each of the locations.
pub(crate) fn variant(id: usize, product: usize, levels: &[(&str, i64, i64)]) -> Value {
    let level = |(location, on_hand, allocated): &(&str, i64, i64)| {
        json!({
            "stockOnHand": on_hand, "stockAllocated": allocated,
            "stockLocation": { "id": location, "name": format!("Location {location}") },
        })
    };
    json!({
        "id": id.to_string(), "sku": format!("SKU-{id}"), "name": format!("Thing {product} of {id}"),
        "enabled": true, "options": [{ "name": format!("Size {id}") }], "trackInventory": "INHERIT",
        "product": { "id": product.to_string(), "name": format!("Thing {product}"), "enabled": true },
        "stockLevels": levels.iter().map(level).collect::<Vec<_>>(),
    })
}

/// A running shop, and accounts opened in it.
pub(crate) struct Open {
    pub(crate) server: Server,
    pub(crate) world: World,
    shop: Arc<Mutex<Shop>>,
}

impl Open {
    pub(crate) fn new(fill: impl FnOnce(&mut Shop)) -> Self {
        let mut shop = Shop::new();
        fill(&mut shop);
        let shop = Arc::new(Mutex::new(shop));
        let answering = Arc::clone(&shop);
        let asked_before = Mutex::new(BTreeMap::<String, usize>::new());
        let server = Server::start(move |asked| {
            let mut before = asked_before.lock().unwrap();
            let earlier = before.entry(asked.body["query"].to_string()).or_default();
            *earlier += 1;
            answering.lock().unwrap().answer(asked, *earlier - 1)
        });
        Self { world: world(&server), server, shop }
    }

    pub(crate) fn shop(&self) -> MutexGuard<'_, Shop> {
        self.shop.lock().unwrap()
    }

    /// An account that has proven itself.
    pub(crate) fn account(&self) -> Box<dyn Marketplace> {
        account(&self.world, &self.server)
    }

    /// An account that is to prove itself.
    pub(crate) fn unproven(&self, channel: Option<&str>) -> Box<dyn Marketplace> {
        connect(&self.world, self.server.url().as_str(), KEY, channel).unwrap()
    }

    /// The variables of every question about one field.
    pub(crate) fn asked_of(&self, field: &str) -> Vec<Value> {
        let of_field =
            |asked: &Asked| asked.body["query"].as_str().is_some_and(|query| query.contains(field));
        self.server
            .asked()
            .into_iter()
            .filter(of_field)
            .map(|asked| asked.body["variables"].clone())
            .collect()
    }
}

/// A world in which shops may be on this machine.
pub(crate) fn world(server: &Server) -> World {
    let settings = Settings { limit_scale: 0.001, allow_private: true, ..Settings::default() };
    World::with_settings(server.url(), &settings)
}

pub(crate) fn account(world: &World, server: &Server) -> Box<dyn Marketplace> {
    let seller = Seller { external_id: "here#1".to_owned(), name: "here".to_owned() };
    let capabilities = Capabilities::new();
    let proven = Proven { seller: &seller, capabilities: &capabilities };
    let credential = credential(&server.url(), KEY, None);
    world.factory.connect(MarketplaceCode::Vendure, &credential, Some(proven)).unwrap()
}

pub(crate) fn connect(
    world: &World,
    address: &str,
    key: &str,
    channel: Option<&str>,
) -> Result<Box<dyn Marketplace>, ConnectError> {
    world.factory.connect(MarketplaceCode::Vendure, &fields(address, key, channel), None)
}

fn credential(url: &Url, key: &str, channel: Option<&str>) -> Credential {
    fields(url.as_str(), key, channel)
}

fn fields(address: &str, key: &str, channel: Option<&str>) -> Credential {
    let fields = [("base_url", Some(address)), ("api_key", Some(key)), ("channel_token", channel)];
    let named =
        fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), SecretString::from(text?))));
    Credential::new(named.collect())
}
