//! One request and its answer: sent once, and taken in within bounds.

use std::error::Error as _;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};

use super::{caller::Plan, guard::Refused};
use crate::{error::Error, factory::CredentialProblem};

/// An answer; of one that is read while it arrives, its head and its first bytes.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Whether it is a page for people, whatever it says it is: the word of a proxy, not of the marketplace.
    pub(crate) fn is_html(&self) -> bool {
        let declared = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        declared.is_some_and(|value| value.to_ascii_lowercase().contains("html"))
            || self.body.trim_ascii_start().starts_with(b"<")
    }
}

/// One way to send a call once and to take its answer in.
#[async_trait]
pub(super) trait Intake: Sync {
    /// What a good answer means.
    type Output;

    /// The status, if the answer got so far, and what the answer means.
    async fn take_in(&self, plan: &Plan) -> (Option<StatusCode>, Result<Self::Output, Error>);
}

/// The answer is held whole.
pub(super) struct Whole<R, J> {
    pub request: R,
    pub judge: J,
}

#[async_trait]
impl<T, R, J> Intake for Whole<R, J>
where
    R: Fn() -> RequestBuilder + Sync,
    J: Fn(&Answer) -> Result<T, Error> + Sync,
{
    type Output = T;

    async fn take_in(&self, plan: &Plan) -> (Option<StatusCode>, Result<T, Error>) {
        match exchange((self.request)(), plan).await {
            Ok(answer) => (Some(answer.status), (self.judge)(&answer)),
            Err(error) => (None, Err(error)),
        }
    }
}

/// What reads an answer while it arrives.
pub(crate) trait Arrival: Send {
    /// What has been read in the end.
    type Output: Send;

    /// Reads what has come; rows may be cut anywhere.
    fn take(&mut self, piece: &[u8]) -> Result<(), Error>;

    /// Learns that nothing more comes.
    fn end(self) -> Result<Self::Output, Error>;
}

/// The answer is read while it arrives.
pub(super) struct InParts<R, J, A> {
    pub request: R,
    pub judge: J,
    pub begin: fn() -> A,
}

#[async_trait]
impl<R, J, A> Intake for InParts<R, J, A>
where
    R: Fn() -> RequestBuilder + Sync,
    J: Fn(&Answer) -> Result<(), Error> + Sync,
    A: Arrival,
{
    type Output = Option<A::Output>;

    async fn take_in(&self, plan: &Plan) -> (Option<StatusCode>, Result<Self::Output, Error>) {
        let mut response = match (self.request)().send().await {
            Ok(response) => response,
            Err(error) => return (None, Err(broken(plan, error))),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let first = match response.chunk().await {
            Ok(first) => first.unwrap_or_default(),
            Err(error) => return (None, Err(broken(plan, error))),
        };
        if !status.is_success() || status == StatusCode::NO_CONTENT {
            return match rest_of(first, response, plan).await {
                Ok(body) => (Some(status), (self.judge)(&Answer { status, headers, body }).map(|()| None)),
                Err(error) => (None, Err(error)),
            };
        }
        if let Err(error) = (self.judge)(&Answer { status, headers, body: first.clone() }) {
            return (Some(status), Err(error));
        }
        (Some(status), arrive((self.begin)(), first, response, plan).await.map(Some))
    }
}

/// Reads a body whose first bytes have come already.
async fn arrive<A: Arrival>(
    mut arrival: A,
    first: Bytes,
    mut response: Response,
    plan: &Plan,
) -> Result<A::Output, Error> {
    let (mut length, mut piece) = (0, first);
    loop {
        length += piece.len();
        if length > plan.max_bytes {
            return Err(too_large(plan));
        }
        arrival.take(&piece)?;
        piece = match response.chunk().await.map_err(|error| broken(plan, error))? {
            Some(piece) => piece,
            None => return arrival.end(),
        };
    }
}

/// Sends once and reads the answer, as far as it is allowed to go.
async fn exchange(request: RequestBuilder, plan: &Plan) -> Result<Answer, Error> {
    let response = request.send().await.map_err(|error| broken(plan, error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = rest_of(Bytes::new(), response, plan).await?;
    Ok(Answer { status, headers, body })
}

/// A body whose first bytes have been read already.
async fn rest_of(first: Bytes, mut response: Response, plan: &Plan) -> Result<Bytes, Error> {
    let mut body = BytesMut::from(first);
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(plan, error))? {
        if body.len() + chunk.len() > plan.max_bytes {
            return Err(too_large(plan));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What it means that a call could not be carried through.
fn broken(plan: &Plan, error: reqwest::Error) -> Error {
    if error.is_builder() {
        return Error::InvalidRequest { endpoint: plan.operation, what: describe(error) };
    }
    if let (Some(field), Some(refused)) = (plan.entered_in, refused(&error)) {
        return CredentialProblem { field, what: refused.advice() }.into();
    }
    Error::Transient { operation: plan.operation, what: describe(error), retry_after: None }
}

/// The word of the guard, where it was the guard that let nobody connect.
fn refused(error: &reqwest::Error) -> Option<Refused> {
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(refused) = next.downcast_ref::<Refused>() {
            return Some(*refused);
        }
        cause = next.source();
    }
    None
}

/// An answer that goes on and on.
fn too_large(plan: &Plan) -> Error {
    let what = format!("the answer is larger than {} bytes", plan.max_bytes);
    Error::ContractChanged { endpoint: plan.operation, what }
}

/// The whole chain of causes, without the address.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
