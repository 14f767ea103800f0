//! The product's API as a seller's own software would use it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A client, with a session once somebody has registered.
pub(super) struct Client {
    runtime: Runtime,
    http: reqwest::Client,
    base_url: String,
    token: Option<String>,
}

impl Client {
    /// A client of the API at `base_url`; makes no call.
    pub(super) fn new(base_url: String) -> Result<Self> {
        // Another client of this process may have been first.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // Between two calls nobody runs this runtime, so nobody would see a kept connection close.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
        Ok(Self {
            runtime: runtime.context("starting a runtime")?,
            http: http.timeout(Duration::from_mins(1)).build().context("building an HTTP client")?,
            base_url,
            token: None,
        })
    }

    /// Whether the API says that it can serve.
    pub(super) fn is_ready(&self) -> bool {
        self.answer(self.http.get(self.address("/api/v1/health/ready")))
            .is_ok_and(|(status, _)| status == 200)
    }

    /// Registers a company and goes on as its owner.
    pub(super) fn register(&mut self) -> Result<()> {
        let person = json!({
            "email": "owner@example.com", "password": "correct-horse-battery", "company_name": "End to end",
        });
        let signed_in = self.post("/api/v1/auth/register", &person)?;
        self.token = signed_in["access_token"].as_str().map(str::to_owned);
        Ok(())
    }

    /// The answer to a GET; an error unless it is a success.
    pub(super) fn get(&self, path: &str) -> Result<Value> {
        success(path, self.answer(self.http.get(self.address(path)))?)
    }

    /// The answer to a POST; an error unless it is a success.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        success(path, self.answer(self.http.post(self.address(path)).json(body))?)
    }

    /// The code of the problem with which a POST is refused; an error if it is not.
    pub(super) fn refusal(&self, path: &str, body: &Value) -> Result<String> {
        let (status, answer) = self.answer(self.http.post(self.address(path)).json(body))?;
        let code = answer["code"].as_str().with_context(|| format!("{path}: {status} {answer}"))?;
        Ok(format!("{status} {code}"))
    }

    /// Every item of a list, part by part.
    pub(super) fn all(&self, path: &str) -> Result<Vec<Value>> {
        let (mut items, mut next) = (Vec::new(), format!("{path}?limit=200"));
        loop {
            let mut part = self.get(&next)?;
            items.append(part["items"].as_array_mut().with_context(|| format!("{path} is no list"))?);
            let Some(cursor) = part["page"]["next_cursor"].as_str() else {
                return Ok(items);
            };
            next = format!("{path}?limit=200&cursor={cursor}");
        }
    }

    /// Lets some time pass before the next look at something.
    pub(super) fn pause(&self, time: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    fn answer(&self, request: RequestBuilder) -> Result<(u16, Value)> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        self.runtime.block_on(async {
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            let body = answer.text().await?;
            let body =
                serde_json::from_str(&body).with_context(|| format!("{status}, and no JSON: {body}"))?;
            Ok((status, body))
        })
    }
}

fn success(path: &str, (status, body): (u16, Value)) -> Result<Value> {
    ensure!((200..300).contains(&status), "{path}: {status} {body}");
    Ok(body)
}
