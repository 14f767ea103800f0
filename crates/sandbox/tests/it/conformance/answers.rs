//! One answer of every kind that the sandbox gives, of every method.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Response;
use sandbox::{AccountType, Category, Fault, FaultKind, Operation, ReportEnd, Side, Times, TokenSpec};
use serde_json::{Value, json};

use crate::market::Market;

/// A task that nobody asked for.
const NO_TASK: &str = "00000000-0000-4000-8000-000000000000";

/// What a method answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) operation: Operation,
    pub(super) status: u16,
    /// Without its parameters; empty where there is none.
    pub(super) media_type: String,
    /// The JSON of the body; the plain text where it is none; none where there is no body.
    pub(super) body: Option<Value>,
}

impl Answer {
    async fn of(operation: Operation, response: Response) -> Self {
        let status = response.status().as_u16();
        let media_type = response.headers().get("content-type").map(|value| value.to_str().expect("ASCII"));
        let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default().to_owned();
        let text = response.text().await.expect("a body");
        let body = if media_type.ends_with("json") {
            Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{operation:?}: {error}: {text}")))
        } else {
            Some(text).filter(|text| !text.is_empty()).map(Value::from)
        };
        Self { operation, status, media_type, body }
    }
}

/// A market with something to tell by every method, and a report that is done.
pub(super) struct Told {
    pub(super) market: Market,
    task: String,
}

impl Told {
    pub(super) async fn new() -> Self {
        let market = Market::with(|options| {
            options.cards_per_seller = 12;
            options.history_days = 40;
            options.report_time = Duration::ZERO;
        })
        .await;
        let truth = market.truth();
        let mut goods = truth.variants.iter();
        let (_, trashed) = goods.next().expect("goods");
        market.sandbox.trash_card(0, trashed.nm_id).expect("the card is there");
        let (chrt_id, _) =
            goods.find(|(_, variant)| variant.nm_id != trashed.nm_id).expect("goods of another card");
        let own =
            truth.stock.iter().find(|stock| stock.side == Side::Fbs).expect("a warehouse of the seller");
        // Whatever else is sold: the warehouse that is asked for has something.
        for warehouse in [650_017, own.warehouse_id] {
            market.sandbox.set_stock(0, *chrt_id, warehouse, 40).expect("the warehouse is there");
            market.sandbox.place_order(0, *chrt_id, warehouse, 2).expect("the stock is there");
        }
        let created = market.call(Operation::RemainsCreate, &market.token(0), "").await;
        let created: Value = created.json().await.expect("JSON");
        let task = created["data"]["taskId"].as_str().expect("a task").to_owned();
        Self { market, task }
    }

    /// The answer to a request that is in order.
    pub(super) async fn good(&self, operation: Operation) -> Answer {
        self.call(operation, &self.market.token(0)).await
    }

    async fn call(&self, operation: Operation, token: &str) -> Answer {
        Answer::of(operation, self.market.call(operation, token, &self.task).await).await
    }

    async fn spoilt(&self, operation: Operation, kind: FaultKind) -> Answer {
        self.market.sandbox.inject(Fault::on(operation, Times::Next(1), kind));
        self.good(operation).await
    }

    fn token(&self, account_type: AccountType, categories: Vec<Category>) -> String {
        let spec = TokenSpec { account_type, categories, ..TokenSpec::default() };
        self.market.sandbox.issue_token(0, spec).expect("the first seller")
    }

    async fn get(&self, operation: Operation, path: &str) -> Answer {
        Answer::of(operation, self.market.get(path).await).await
    }

    async fn post(&self, operation: Operation, body: &Value) -> Answer {
        let path = operation.path().replace("{warehouseId}", "650017");
        Answer::of(operation, self.market.post(&path, body).await).await
    }

    async fn report(&self, operation: Operation, task: &str) -> Answer {
        self.get(operation, &operation.path().replace("{task_id}", task)).await
    }
}

/// All of them, in no order.
pub(super) async fn all() -> Vec<Answer> {
    let told = Told::new().await;
    let mut answers = Vec::new();
    for operation in Operation::ALL {
        answers.push(told.good(operation).await);
        answers.push(told.call(operation, "a.b.c").await);
        answers.push(told.spoilt(operation, FaultKind::RateLimited { retry_seconds: 1 }).await);
        answers.push(told.spoilt(operation, FaultKind::Status { status: 402 }).await);
        if !matches!(operation, Operation::Ping | Operation::SellerInfo) {
            let closed = told.token(AccountType::Personal, Vec::new());
            answers.push(told.call(operation, &closed).await);
        }
    }
    let basic = told.token(AccountType::Basic, TokenSpec::default().categories);
    for operation in [Operation::WbStocksReport, Operation::SellerStocksReport] {
        answers.push(told.call(operation, &basic).await);
        answers.push(told.post(operation, &json!({"offset": 1_000_000})).await);
        answers.push(told.post(operation, &json!({"limit": 250_001})).await);
    }
    told.market.sandbox.set_masked(false);
    answers.push(told.good(Operation::WbStocksReport).await);
    for operation in [Operation::Cards, Operation::Trash] {
        answers.push(told.post(operation, &json!({"settings": {"cursor": {"limit": 101}}})).await);
        answers.push(told.post(operation, &json!({"settings": 5})).await);
        let late =
            json!({"updatedAt": "2030-01-01T00:00:00Z", "trashedAt": "2030-01-01T00:00:00Z", "nmID": 1});
        let ascending = json!({"sort": {"ascending": true}, "cursor": late});
        answers.push(told.post(operation, &json!({"settings": ascending})).await);
    }
    answers.push(told.post(Operation::SellerStock, &json!({"skus": []})).await);
    answers.push(told.get(Operation::AssemblyOrders, "/api/v3/orders?limit=0&next=0").await);
    for operation in [Operation::Orders, Operation::Sales] {
        for query in ["", "?dateFrom=soon", "?dateFrom=2030-01-01"] {
            answers.push(told.get(operation, &format!("{}{query}", operation.path())).await);
        }
    }
    let unknown = told.market.post("/api/v3/stocks/1", &json!({"chrtIds": []})).await;
    answers.push(Answer::of(Operation::SellerStock, unknown).await);
    answers.extend(reports(&told).await);
    answers.extend(nothing().await);
    answers
}

/// The asynchronous report in all its states and under all its names.
async fn reports(told: &Told) -> Vec<Answer> {
    let mut answers = Vec::new();
    let create = Operation::RemainsCreate.path();
    answers.push(told.get(Operation::RemainsCreate, &format!("{create}?groupByNm=")).await);
    for operation in [Operation::RemainsStatus, Operation::RemainsDownload] {
        answers.push(told.report(operation, NO_TASK).await);
        answers.push(told.report(operation, "17").await);
    }
    let switches = ["Brand", "Subject", "Sa", "Nm", "Barcode", "Size"];
    for switch in switches {
        let created = told.get(Operation::RemainsCreate, &format!("{create}?groupBy{switch}=true")).await;
        let task = created.body.expect("a body")["data"]["taskId"].as_str().expect("a task").to_owned();
        answers.push(told.report(Operation::RemainsDownload, &task).await);
    }
    told.market.sandbox.set_report_time(Duration::from_mins(4));
    for end in [None, Some(ReportEnd::Purged), Some(ReportEnd::Canceled)] {
        if let Some(end) = end {
            let kind = FaultKind::EndReport { end };
            told.market.sandbox.inject(Fault::on(Operation::RemainsCreate, Times::Next(1), kind));
        }
        let created = told.get(Operation::RemainsCreate, create).await;
        let task = created.body.expect("a body")["data"]["taskId"].as_str().expect("a task").to_owned();
        for _ in 0..3 {
            answers.push(told.report(Operation::RemainsStatus, &task).await);
            told.market.pass(TimeDelta::minutes(2));
        }
    }
    answers
}

/// What a seller without goods is told.
async fn nothing() -> Vec<Answer> {
    let market = Market::with(|options| {
        options.cards_per_seller = 0;
        options.report_time = Duration::ZERO;
    })
    .await;
    let created = market.get_json(Operation::RemainsCreate.path()).await;
    let task = created["data"]["taskId"].as_str().expect("a task").to_owned();
    let told = Told { market, task };
    let mut answers = Vec::new();
    for operation in Operation::ALL {
        answers.push(told.good(operation).await);
    }
    answers
}
