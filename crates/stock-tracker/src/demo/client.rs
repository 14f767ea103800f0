//! The API as its clients see it: the demo knows nothing that a seller's own software could not know.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header::RETRY_AFTER};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// A request that the API has refused.
#[derive(Debug, thiserror::Error)]
#[error("{request}: {status} {code}: {detail}")]
pub(super) struct Refused {
    request: String,
    pub(super) status: StatusCode,
    pub(super) code: String,
    detail: String,
}

/// The members of a problem that the demo looks at.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
    errors: Vec<FieldProblem>,
}

#[derive(Deserialize)]
struct FieldProblem {
    pointer: String,
    detail: String,
}

/// Tokens after signing in.
#[derive(Deserialize)]
pub(super) struct SignedIn {
    pub(super) access_token: SecretString,
    pub(super) refresh_token: SecretString,
    pub(super) expires_in: u64,
    pub(super) tenant: Named,
}

/// Anything with an id.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: Uuid,
}

/// A part of a list.
#[derive(Deserialize)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
}

/// A client with a session, or none yet.
pub(super) struct Client {
    http: reqwest::Client,
    base_url: String,
    access_token: Option<SecretString>,
}

impl Client {
    pub(super) fn new(base_url: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build();
        Ok(Self { http: http.context("building an HTTP client")?, base_url, access_token: None })
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// From now on requests carry this token.
    pub(super) fn sign_in(&mut self, token: &SecretString) {
        self.access_token = Some(token.clone());
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.send(Method::GET, path, |request| request).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.send(Method::POST, path, |request| request.json(body)).await
    }

    pub(super) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.send(Method::PATCH, path, |request| request.json(body)).await
    }

    /// Whether the API says that it can serve.
    pub(super) async fn is_ready(&self) -> bool {
        let url = format!("{}/api/v1/health/ready", self.base_url);
        self.http.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        with_body: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> anyhow::Result<T> {
        let request = format!("{method} {path}");
        let answer = loop {
            let mut builder = self.http.request(method.clone(), format!("{}{path}", self.base_url));
            if let Some(token) = &self.access_token {
                builder = builder.bearer_auth(token.expose_secret());
            }
            let answer = with_body(builder).send().await.with_context(|| request.clone())?;
            match pause(&answer) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => break answer,
            }
        };
        let status = answer.status();
        if !status.is_success() {
            return Err(refused(request, status, &answer.bytes().await.unwrap_or_default()).into());
        }
        answer.json().await.with_context(|| format!("{request}: the answer"))
    }
}

/// How long a client has to wait that has asked too often.
fn pause(answer: &Response) -> Option<Duration> {
    if answer.status() != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

fn refused(request: String, status: StatusCode, body: &[u8]) -> Refused {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let fields = problem.errors.iter().map(|error| format!("; {} {}", error.pointer, error.detail));
    let detail = problem.detail + &fields.collect::<String>();
    Refused { request, status, code: problem.code, detail }
}
