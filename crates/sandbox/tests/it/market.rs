//! A sandbox whose clock the test moves, and a client with the first seller's token.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, RequestBuilder, Response};
use sandbox::{Clock, Operation, Options, Sandbox, Truth};
use serde_json::{Value, json};

pub(crate) struct Market {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    now: Arc<AtomicI64>,
}

impl Market {
    /// A small market without limits at noon in Moscow.
    pub(crate) async fn open() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let noon: DateTime<Utc> = "2026-06-15T09:00:00Z".parse().expect("a moment");
        let now = Arc::new(AtomicI64::new(noon.timestamp_millis()));
        let hands = now.clone();
        let clock = Clock::new(move || {
            DateTime::from_timestamp_millis(hands.load(Ordering::Relaxed)).expect("a moment of this century")
        });
        let mut options =
            Options { sellers: 2, cards_per_seller: 60, limit_scale: 0.0, clock, ..Options::default() };
        change(&mut options);
        let sandbox = Sandbox::start(options).await.expect("a free port");
        // Another test of the same process may have installed it already.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        // A connection that is kept would be closed by the server under a test that pauses for some seconds.
        let client = Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        Self { sandbox, client, now }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now.load(Ordering::Relaxed)).expect("a moment of this century")
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.now.fetch_add(time.num_milliseconds(), Ordering::Relaxed);
    }

    pub(crate) fn truth(&self) -> Truth {
        self.sandbox.truth(0, self.now()).expect("the first seller")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    pub(crate) fn token(&self, seller: usize) -> String {
        self.sandbox.sellers()[seller].token.clone()
    }

    /// Calls a method with a request that is in order. Asynchronous reports are asked after by `task`.
    pub(crate) async fn call(&self, operation: Operation, token: &str, task: &str) -> Response {
        let path = operation.path().replace("{warehouseId}", "650017").replace("{task_id}", task);
        let (query, body) = match operation {
            Operation::Cards => ("?locale=ru", json!({"settings": {"cursor": {"limit": 100}}})),
            Operation::Trash => ("", json!({"settings": {"cursor": {"limit": 100}}})),
            Operation::SellerStock => ("", json!({"chrtIds": self.sizes()})),
            Operation::AssemblyOrders => ("?limit=1000&next=0", Value::Null),
            Operation::Orders | Operation::Sales => ("?dateFrom=2026-06-01", Value::Null),
            Operation::RemainsCreate => {
                ("?groupByNm=true&groupBySa=true&groupByBarcode=true&groupBySize=true", Value::Null)
            }
            _ => ("", json!({})),
        };
        let url = self.url(&format!("{path}{query}"));
        let request = match operation.method() {
            "GET" => self.client.get(url),
            _ => self.client.post(url).json(&body),
        };
        request.header("Authorization", token).send().await.expect("an answer")
    }

    fn sizes(&self) -> Vec<i64> {
        self.truth().variants.into_keys().collect()
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("Authorization", self.token(0))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.authorized(self.client.get(self.url(path))).send().await.expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.authorized(self.client.post(self.url(path)).json(body)).send().await.expect("an answer")
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        json(self.get(path).await, 200).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Value {
        json(self.post(path, body).await, 200).await
    }
}

/// The JSON of an answer that must have this status.
pub(crate) async fn json(response: Response, status: u16) -> Value {
    let found = response.status();
    let text = response.text().await.expect("a body");
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).expect("JSON")
}
