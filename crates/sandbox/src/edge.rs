//! The gateway in front of the marketplace's methods: faults, tokens, limits, the request log.

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody, SizedStream, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderName};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use chrono::{DateTime, Utc};
use futures::future::ready;
use futures::{StreamExt, stream};

use crate::faults::FaultKind;
use crate::limits::{Bucket, Verdict};
use crate::rewriting::rewritten;
use crate::state::{LoggedRequest, Shared, State};
use crate::wildberries::endpoints::{self, Operation};
use crate::wildberries::errors;
use crate::wildberries::groups::Profile;
use crate::wildberries::reports::ReportEnd;

const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");

/// Who calls, for the methods behind the gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) seller: usize,
    /// What a fault does to the asynchronous report that the request is about.
    pub(crate) end_report: Option<ReportEnd>,
}

/// A request that may go through.
struct Pass {
    seller: usize,
    bucket: Bucket,
    remaining: i64,
}

/// Middleware around all methods of the marketplace.
pub(crate) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let shared = request.app_data::<web::Data<Shared>>().expect("the server registers its state").clone();
    let mut entry = LoggedRequest {
        at: DateTime::UNIX_EPOCH,
        seller: None,
        method: request.method().to_string(),
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        status: 0,
    };
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let operation = Operation::find(&entry.method, &entry.path);
    let (fault, now) = {
        let mut state = shared.present();
        let now = state.now;
        entry.seller = state.tokens.check(token.as_deref(), now).ok().map(|token| token.seller);
        let fault = state.faults.strike(&entry.path, operation, entry.seller);
        if let (Some(FaultKind::RevokedToken), Some(token)) = (&fault, &token) {
            state.tokens.revoke(token);
        }
        (fault, now)
    };
    if let Some(FaultKind::Slow { milliseconds }) = fault {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    let response = if let Some(response) = fault.as_ref().and_then(|fault| instead(fault, now)) {
        request.into_response(response)
    } else {
        let admitted = admit(&mut shared.present(), operation, &entry.path, token.as_deref());
        match admitted {
            Ok(pass) => {
                let end_report = match fault {
                    Some(FaultKind::EndReport { end }) => Some(end),
                    _ => None,
                };
                let caller = Caller { seller: pass.seller, end_report };
                spoil(through(&shared, request, next, caller, &pass).await?, fault.as_ref()).await?
            }
            Err(refusal) => request.error_response(refusal),
        }
    };
    let mut state = shared.present();
    entry.at = state.now;
    entry.status = response.status().as_u16();
    state.log(entry);
    Ok(response)
}

/// The answer that a fault gives without asking anybody.
fn instead(fault: &FaultKind, now: DateTime<Utc>) -> Option<HttpResponse> {
    let valid = |status| StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match *fault {
        FaultKind::RateLimited { retry_seconds } => {
            Some(errors::too_many_requests(retry_seconds, retry_seconds, 1, now))
        }
        FaultKind::Status { status: 402 } => Some(errors::payment_required()),
        FaultKind::Status { status } => Some(errors::problem(valid(status), "requested by a fault", now)),
        FaultKind::Html { status } => {
            let page =
                "<!DOCTYPE html><html><head><title>nginx</title></head><body><h1>Error</h1></body></html>";
            Some(HttpResponse::build(valid(status)).content_type("text/html; charset=utf-8").body(page))
        }
        FaultKind::Truncated
        | FaultKind::Slow { .. }
        | FaultKind::Rewrite { .. }
        | FaultKind::RenameField { .. }
        | FaultKind::RetypeField { .. }
        | FaultKind::RevokedToken
        | FaultKind::EndReport { .. } => None,
    }
}

/// Token, method, category and limit, in this order.
fn admit(
    state: &mut State,
    operation: Option<Operation>,
    path: &str,
    token: Option<&str>,
) -> Result<Pass, Error> {
    let now = state.now;
    let family = endpoints::family(path);
    let token = state
        .tokens
        .check(token, now)
        .map_err(|detail| errors::refusal(errors::unauthorized(detail, now)))?;
    let endpoint = operation.ok_or_else(|| errors::refusal(errors::unknown_path(family, now)))?.endpoint();
    let account_type = token.account_type();
    let denied = if endpoint.category.is_some_and(|category| !token.opens(category)) {
        Some("token scope not allowed")
    } else {
        endpoint.refusal_of(account_type)
    };
    let seller = token.seller;
    let bucket = Bucket::new(seller, endpoint.group, Profile::from(account_type));
    match state.limits.take(bucket, now) {
        Verdict::Refused { retry, reset, limit } => {
            Err(errors::refusal(errors::too_many_requests(retry, reset, limit, now)))
        }
        Verdict::Granted { remaining } => match denied {
            None => Ok(Pass { seller, bucket, remaining }),
            Some(detail) => {
                state.limits.charge(bucket, bucket.extra_cost_of_an_error(), now);
                Err(errors::refusal(errors::forbidden(family, detail, now)))
            }
        },
    }
}

/// Calls the method and settles its bill.
async fn through(
    shared: &Shared,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    caller: Caller,
    pass: &Pass,
) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extensions_mut().insert(caller);
    let mut response = next.call(request).await?.map_into_boxed_body();
    let extra = pass.bucket.extra_cost_of_an_error();
    let mut remaining = pass.remaining;
    if response.status().is_client_error() && extra > 0 {
        let mut state = shared.present();
        let now = state.now;
        state.limits.charge(pass.bucket, extra, now);
        remaining = (remaining - i64::from(extra)).max(0);
    }
    response.headers_mut().insert(REMAINING, remaining.into());
    Ok(response)
}

/// Carries out a fault that works on a finished answer.
async fn spoil(
    response: ServiceResponse<BoxBody>,
    fault: Option<&FaultKind>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(
        fault @ (FaultKind::Truncated
        | FaultKind::Rewrite { .. }
        | FaultKind::RenameField { .. }
        | FaultKind::RetypeField { .. }),
    ) = fault
    else {
        return Ok(response);
    };
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = to_bytes(body).await?;
    let body = if *fault == FaultKind::Truncated {
        // The full length is promised and half of it sent: the connection breaks under the reader. The pause
        // makes the server write that half out before it finds the stream at its end.
        let half = body.slice(..body.len() / 2);
        let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let pause = stream::once(tokio::task::yield_now()).filter_map(|()| ready(None));
        BoxBody::new(SizedStream::new(length, stream::iter([Ok::<_, Error>(half)]).chain(pause)))
    } else {
        BoxBody::new(rewritten(&body, fault).map_or(body, Into::into))
    };
    Ok(ServiceResponse::new(request, head.set_body(body)))
}
