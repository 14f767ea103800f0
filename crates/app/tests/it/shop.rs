//! A shop on this machine that answers as Vendure does.

use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{Data, Json},
};
use app::{Caller, NewAccount};
use domain::marketplace::Account;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::product::{Product, Tenant};

/// Rows that the shop gives at once.
const LIMIT: usize = 5;

/// What is in the shop.
#[derive(Default)]
pub(crate) struct Stock {
    pub(crate) locations: Vec<Value>,
    pub(crate) variants: Vec<Value>,
    pub(crate) orders: Vec<Value>,
    /// The first variant goes when stock has been asked for so often.
    pub(crate) lose_after: Option<usize>,
}

struct Inside {
    stock: Mutex<Stock>,
    /// The question about orders that is not answered before it may be; none is 0.
    held: AtomicUsize,
    arrived: Semaphore,
    released: Semaphore,
}

/// The running shop; ends when it is dropped.
pub(crate) struct Shop {
    inside: Arc<Inside>,
    handle: ServerHandle,
    address: String,
}

impl Shop {
    pub(crate) fn open(stock: Stock) -> Self {
        let inside = Arc::new(Inside {
            stock: Mutex::new(stock),
            held: AtomicUsize::new(0),
            arrived: Semaphore::new(0),
            released: Semaphore::new(0),
        });
        let data = Data::from(Arc::clone(&inside));
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).route("/admin-api", actix_web::web::post().to(answer))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a free port");
        let address = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { inside, handle, address }
    }

    /// What is in it, to be changed.
    pub(crate) fn stock(&self) -> MutexGuard<'_, Stock> {
        self.inside.stock.lock().expect("no test has failed meanwhile")
    }

    /// Keeps the question about orders waiting that comes as the so many-th from now.
    pub(crate) fn hold_orders(&self, nth: usize) {
        self.inside.held.store(nth, Ordering::SeqCst);
    }

    /// Waits until that question has come.
    pub(crate) async fn held(&self) {
        self.inside.arrived.acquire().await.expect("the shop is open").forget();
    }

    /// Lets it be answered.
    pub(crate) fn release(&self) {
        self.inside.released.add_permits(1);
    }

    /// What a seller enters to connect it.
    pub(crate) fn account(&self) -> NewAccount {
        let fields = [("base_url", self.address.clone()), ("api_key", "key:of-the-shop".to_owned())];
        NewAccount {
            marketplace: "vendure".into(),
            name: "Shop".into(),
            credentials: fields.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect(),
        }
    }

    /// A new company that has connected the shop and read it once.
    pub(crate) async fn of_new_company(&self, product: &Product) -> Tenant {
        let caller = product.company("Shopkeeper").await;
        let account = self.connect(product, &caller).await;
        product.carry_all().await;
        Tenant { caller, account: account.id, seller: 0 }
    }

    pub(crate) async fn connect(&self, product: &Product, caller: &Caller) -> Account {
        product.app.accounts().connect(caller, self.account()).await.expect("a shop that accepts its key")
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(question: Json<Value>, inside: Data<Inside>) -> HttpResponse {
    let query = question["query"].as_str().unwrap_or_default().to_owned();
    let variables = &question["variables"];
    let is_orders = query.contains("orders(");
    if is_orders && inside.held.load(Ordering::SeqCst) > 0 && inside.held.fetch_sub(1, Ordering::SeqCst) == 1
    {
        inside.arrived.add_permits(1);
        inside.released.acquire().await.expect("the shop is open").forget();
    }
    let mut stock = inside.stock.lock().expect("no test has failed meanwhile");
    let rows: Vec<Value> = if query.contains("activeChannel") {
        let channel = json!({ "id": "1", "code": "__default_channel__", "token": "default", "seller": null });
        return HttpResponse::Ok().json(json!({ "data": { "activeChannel": channel } }));
    } else if is_orders {
        let after = variables["after"].as_str().unwrap_or_default();
        let changed = |order: &&Value| order["updatedAt"].as_str().is_some_and(|at| at > after);
        stock.orders.iter().filter(changed).cloned().collect()
    } else if query.contains("stockLocations(") {
        stock.locations.clone()
    } else {
        stock.variants.clone()
    };
    let number = |name: &str| usize::try_from(variables[name].as_u64().unwrap_or_default()).unwrap_or(0);
    if number("take") > LIMIT {
        let message = format!("Cannot take more than {LIMIT} results from a list query");
        let error = json!({ "message": message, "extensions": { "code": "USER_INPUT_ERROR" } });
        return HttpResponse::Ok().json(json!({ "errors": [error], "data": null }));
    }
    let items: Vec<_> = rows.iter().skip(number("skip")).take(number("take")).collect();
    let settings = json!({ "trackInventory": true, "serverConfig": { "moneyStrategyPrecision": 2 } });
    let list = json!({ "totalItems": rows.len(), "items": items });
    if query.contains("stockLevels") {
        stock.lose_after = match stock.lose_after {
            Some(1) => {
                stock.variants.remove(0);
                None
            }
            left => left.map(|left| left - 1),
        };
    }
    HttpResponse::Ok().json(json!({ "data": { "list": list, "settings": settings } }))
}

/// A location of the shop.
pub(crate) fn location(id: &str) -> Value {
    json!({ "id": id, "name": format!("Location {id}") })
}

/// A variant, two of which make a product; on hand and allocated by location.
pub(crate) fn variant(id: u32, levels: &[(&str, i64, i64)]) -> Value {
    let level = |(place, on_hand, allocated): &(&str, i64, i64)| json!({ "stockOnHand": on_hand, "stockAllocated": allocated, "stockLocation": location(place) });
    let product = id.div_ceil(2);
    json!({
        "id": id.to_string(), "sku": format!("SKU-{id}"), "name": format!("Thing {id}"), "enabled": true,
        "options": [], "trackInventory": "INHERIT",
        "product": { "id": product.to_string(), "name": format!("Product {product}"), "enabled": true },
        "stockLevels": levels.iter().map(level).collect::<Vec<_>>(),
    })
}

/// An order of the first variant, by its number: what is left, what was ordered, and when.
pub(crate) fn order(id: usize, left: i64, ordered: i64, placed_at: &str) -> Value {
    let line = json!({
        "id": id.to_string(), "quantity": left, "orderPlacedQuantity": ordered, "unitPriceWithTax": 12_000,
        "proratedUnitPriceWithTax": 10_000, "productVariant": { "id": "1", "product": { "id": "1" } },
    });
    json!({
        "id": id.to_string(), "code": format!("CODE{id}"), "type": "Regular", "state": "PaymentSettled",
        "orderPlacedAt": placed_at, "updatedAt": format!("2026-11-20T08:{:02}:00.000Z", id % 60),
        "currencyCode": "RUB", "lines": [line],
    })
}
