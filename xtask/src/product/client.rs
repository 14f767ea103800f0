//! The API as its clients see it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

/// A client, with a session once it has registered.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base_url: String,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(base_url: impl Into<String>) -> Result<Self> {
        // Another client of this process may have been first.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        // Answers come as they are: squeezing them takes time that says nothing about the list.
        let http = reqwest::Client::builder().no_proxy().no_gzip().timeout(Duration::from_mins(5)).build();
        Ok(Self { http: http.context("building an HTTP client")?, base_url: base_url.into(), token: None })
    }

    /// Registers a tenant and goes on as its owner. Gives the tenant's id.
    pub(crate) async fn register(&mut self) -> Result<uuid::Uuid> {
        let person = json!({
            "email": "owner@example.com", "password": "correct-horse-battery", "company_name": "Bench",
        });
        let signed_in = self.post("/api/v1/auth/register", &person).await?;
        self.token = signed_in["access_token"].as_str().map(str::to_owned);
        signed_in["tenant"]["id"].as_str().context("no tenant")?.parse().context("the tenant's id")
    }

    /// The access token of the session.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.send(self.http.get(self.address(path)), path).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(self.http.post(self.address(path)).json(body), path).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(self.http.put(self.address(path)).json(body), path).await
    }

    /// How long an answer takes, from the request to the last byte.
    pub(crate) async fn time(&self, path: &str) -> Result<Duration> {
        let request = self.authorized(self.http.get(self.address(path)));
        let started = Instant::now();
        let answer = request.send().await.with_context(|| path.to_owned())?;
        let status = answer.status();
        let body = answer.bytes().await.with_context(|| path.to_owned())?;
        let took = started.elapsed();
        ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        Ok(took)
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    fn authorized(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> Result<Value> {
        let answer = self.authorized(request).send().await.with_context(|| path.to_owned())?;
        let status = answer.status();
        let body = answer.text().await.with_context(|| path.to_owned())?;
        ensure!(status.is_success(), "{path}: {status} {body}");
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&body).with_context(|| format!("{path}: the answer is no JSON"))
    }
}
