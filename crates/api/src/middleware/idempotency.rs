//! Requests that a client may repeat without anything happening twice.

use std::pin::Pin;

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{self, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use app::{Answer, App, Attempt, Ticket};
use futures::stream;
use monitoring::error_reports;
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;

use crate::{
    extract::{self, Authenticated},
    problem::{Problem, ProblemCode, render},
    resources::Received,
    service::Shared,
};

/// The header that carries the client's key.
const KEY: &str = "idempotency-key";
/// Tells that the answer is an earlier one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The headers that belong to an answer and are kept with it.
const KEPT: [HeaderName; 2] = [CONTENT_TYPE, LOCATION];

/// Answers a request with a key once: whoever repeats it gets the first answer again.
pub(crate) async fn layer(
    app: Data<App>,
    shared: Data<Shared>,
    caller: Authenticated,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = match key(request.headers()) {
        Ok(None) => return Ok(next.call(request).await?.map_into_boxed_body()),
        Ok(Some(key)) => begin(&app, &caller, &mut request, &key).await,
        Err(problem) => Err(problem),
    };
    let refusal = match begun {
        Ok(Attempt::First(ticket)) => {
            let ticket = Held { app: App::clone(&app), ticket: Some(ticket) };
            // A task of its own: the work ends, and its answer is kept, even when the client does not wait for it.
            let work = error_reports::with_scope(answer(shared, ticket, request, next).in_current_span());
            return match actix_web::rt::spawn(work).await {
                Ok(answered) => answered,
                Err(failed) => match failed.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(cancelled) => Err(Problem::internal(cancelled).into()),
                },
            };
        }
        Ok(Attempt::Kept(answer)) => return Ok(request.into_response(replay(answer))),
        Ok(Attempt::Busy) => Problem::new(
            ProblemCode::IdempotencyInProgress,
            "The first request with this key is still being answered.",
        ),
        Ok(Attempt::Mismatch) => {
            Problem::new(ProblemCode::IdempotencyKeyReused, "This key was used for a different request.")
                .with_error("/header/idempotency-key", "was used for a different request")
        }
        Err(problem) => problem,
    };
    Ok(request.error_response(refusal))
}

/// The client's key, if it gave one.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(KEY);
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| {
        (1..=255).contains(&key.len()) && key.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
    });
    match (key, values.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => Err(Problem::invalid(
            "/header/idempotency-key",
            "must be given once and have 1 to 255 printable ASCII characters",
        )),
    }
}

/// Looks the key up. The body is read for it and put back, unless it has been received already.
async fn begin(
    app: &App,
    caller: &Authenticated,
    request: &mut ServiceRequest,
    key: &str,
) -> Result<Attempt, Problem> {
    let received = request.extensions().get::<Received>().map(|received| Bytes::from(received.hash.clone()));
    let body = if let Some(hash) = received {
        hash
    } else {
        let payload = request.take_payload();
        let body = extract::read(request.request(), payload).await?;
        request.set_payload(replayed_payload(body.clone()));
        body
    };
    let mut hash = Sha256::new();
    let (path, query) = (request.path(), request.query_string());
    for part in [request.method().as_str(), " ", path, "?", query, "\n"] {
        hash.update(part);
    }
    hash.update(&body);
    let route = request.match_pattern().unwrap_or_default();
    let operation = format!("{} {route}", request.method());
    Ok(app.idempotency().begin(caller, &operation, key, &format!("{:x}", hash.finalize())).await?)
}

fn replayed_payload(body: Bytes) -> Payload {
    let once: Pin<Box<dyn futures::Stream<Item = _>>> = Box::pin(stream::iter([Ok(body)]));
    Payload::Stream { payload: once }
}

/// Answers for the first time and keeps the answer, unless another try may have a better one.
async fn answer(
    shared: Data<Shared>,
    ticket: Held,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = render(&shared, next.call(request).await?);
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = body::to_bytes(body).await.map_err(|_| Problem::internal("the answer has no end"))?;
    let headers = KEPT
        .iter()
        .filter_map(|name| Some((name.to_string(), head.headers().get(name)?.to_str().ok()?.to_owned())))
        .collect();
    ticket.keep(&Answer { status: status.as_u16(), headers, body: body.to_vec() }).await;
    Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(body))))
}

fn replay(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::new(status).set_body(BoxBody::new(answer.body));
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// A ticket that is given back if it is not used, whatever happens: an error, a panic.
struct Held {
    app: App,
    ticket: Option<Ticket>,
}

impl Held {
    /// An answer that cannot be kept has still been given; the key then stays taken until it expires.
    async fn keep(mut self, answer: &Answer) {
        if let Some(ticket) = self.ticket.take()
            && let Err(error) = self.app.idempotency().finish(ticket, answer).await
        {
            tracing::error!(%error, "an answer could not be kept for its idempotency key");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let app = self.app.clone();
            // Without a runtime the process is ending; the key then becomes free by itself.
            let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
            runtime.spawn(error_reports::with_scope(async move {
                if let Err(error) = app.idempotency().abandon(ticket).await {
                    tracing::error!(%error, "an idempotency key could not be given back");
                }
            }));
        }
    }
}
