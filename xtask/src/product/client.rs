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
    request_id: Option<&'static str>,
}

impl Client {
    pub(crate) fn new(base_url: impl Into<String>) -> Result<Self> {
        // Another client of this process may have been first.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        // Answers come as they are: squeezing them takes time that says nothing about the list.
        let http = reqwest::Client::builder().no_proxy().no_gzip().timeout(Duration::from_mins(5)).build();
        Ok(Self {
            http: http.context("building an HTTP client")?,
            base_url: base_url.into(),
            token: None,
            request_id: None,
        })
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

    /// The same client, whose requests all have this id.
    pub(crate) fn asking_as(&self, request_id: &'static str) -> Self {
        Self { request_id: Some(request_id), ..self.clone() }
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

    /// Asks for what may be refused. Gives the status and the body.
    pub(crate) async fn try_get(&self, path: &str) -> Result<(u16, Value)> {
        Self::answer(self.authorized(self.http.get(self.address(path))), path).await
    }

    /// Sends what may be refused. Gives the status and the body.
    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        Self::answer(self.authorized(self.http.post(self.address(path)).json(body)), path).await
    }

    /// The same session with another process of the product.
    pub(crate) fn at(&self, base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..self.clone() }
    }

    /// How long an answer takes, whatever it is, from the request to the last byte. Gives its status too.
    pub(crate) async fn time_any(&self, path: &str) -> Result<(u16, Duration)> {
        let request = self.authorized(self.http.get(self.address(path)));
        let started = Instant::now();
        let answer = request.send().await.with_context(|| path.to_owned())?;
        let status = answer.status().as_u16();
        answer.bytes().await.with_context(|| path.to_owned())?;
        Ok((status, started.elapsed()))
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
        let request = match self.request_id {
            Some(id) => request.header("X-Request-ID", id),
            None => request,
        };
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> Result<Value> {
        let (status, body) = Self::answer(self.authorized(request), path).await?;
        ensure!((200..300).contains(&status), "{path}: {status} {body}");
        Ok(body)
    }

    async fn answer(request: reqwest::RequestBuilder, path: &str) -> Result<(u16, Value)> {
        let answer = request.send().await.with_context(|| path.to_owned())?;
        let status = answer.status().as_u16();
        let body = answer.text().await.with_context(|| path.to_owned())?;
        if body.is_empty() {
            return Ok((status, Value::Null));
        }
        let body = serde_json::from_str(&body);
        Ok((status, body.with_context(|| format!("{path}: {status}, and the answer is no JSON"))?))
    }
}
