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
use serde_json::Value;

use crate::faults::FaultKind;
use crate::limits::{Group, Rule, Verdict};
use crate::state::{LoggedRequest, Shared, State};
use crate::wildberries::{endpoints, errors};

const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");

/// Who calls, for the methods behind the gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) seller: usize,
}

/// A request that may go through.
struct Pass {
    seller: usize,
    group: Group,
    rule: Rule,
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
    let (fault, now) = {
        let mut state = shared.present();
        let now = state.now;
        entry.seller = state.tokens.check(token.as_deref(), now).ok().map(|token| token.seller);
        (state.faults.strike(&entry.path, entry.seller), now)
    };
    if let Some(FaultKind::Slow { milliseconds }) = fault {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    let response = if let Some(response) = fault.as_ref().and_then(|fault| instead(fault, now)) {
        request.into_response(response)
    } else {
        let admitted = admit(&mut shared.present(), &entry, token.as_deref());
        match admitted {
            Ok(pass) => spoil(through(&shared, request, next, &pass).await?, fault.as_ref()).await?,
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
        FaultKind::Status { status } => Some(errors::problem(valid(status), "requested by a fault", now)),
        FaultKind::Html { status } => {
            let page =
                "<!DOCTYPE html><html><head><title>nginx</title></head><body><h1>Error</h1></body></html>";
            Some(HttpResponse::build(valid(status)).content_type("text/html; charset=utf-8").body(page))
        }
        FaultKind::Truncated | FaultKind::Slow { .. } | FaultKind::Rewrite { .. } => None,
    }
}

/// Token, method, category and limit, in this order.
fn admit(state: &mut State, entry: &LoggedRequest, token: Option<&str>) -> Result<Pass, Error> {
    let now = state.now;
    let family = endpoints::family(&entry.path);
    let token = state
        .tokens
        .check(token, now)
        .map_err(|detail| errors::refusal(errors::unauthorized(detail, now)))?;
    let endpoint = endpoints::find(&entry.method, &entry.path)
        .ok_or_else(|| errors::refusal(errors::unknown_path(family, now)))?;
    let (seller, group) = (token.seller, endpoint.group);
    let rule = group.rule(token.is_basic());
    let denied = if endpoint.category.is_some_and(|category| !token.opens(category)) {
        Some("token scope not allowed")
    } else if token.is_basic() && !endpoint.basic_tokens {
        Some("base token is not allowed")
    } else {
        None
    };
    match state.limits.take(seller, group, rule, now) {
        Verdict::Refused { retry, reset, limit } => {
            Err(errors::refusal(errors::too_many_requests(retry, reset, limit, now)))
        }
        Verdict::Granted { remaining } => match denied {
            None => Ok(Pass { seller, group, rule, remaining }),
            Some(detail) => {
                state.limits.charge(seller, group, rule, group.error_cost() - 1, now);
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
    pass: &Pass,
) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extensions_mut().insert(Caller { seller: pass.seller });
    let mut response = next.call(request).await?.map_into_boxed_body();
    let extra = pass.group.error_cost() - 1;
    let mut remaining = pass.remaining;
    if response.status().is_client_error() && extra > 0 {
        let mut state = shared.present();
        let now = state.now;
        state.limits.charge(pass.seller, pass.group, pass.rule, extra, now);
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
    let Some(fault @ (FaultKind::Truncated | FaultKind::Rewrite { .. })) = fault else {
        return Ok(response);
    };
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = to_bytes(body).await?;
    let body = if let FaultKind::Rewrite { pointer, value } = fault {
        BoxBody::new(rewritten(body, pointer, value))
    } else {
        // The full length is promised and half of it sent: the connection breaks under the reader. The pause
        // makes the server write that half out before it finds the stream at its end.
        let half = body.slice(..body.len() / 2);
        let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let pause = stream::once(tokio::task::yield_now()).filter_map(|()| ready(None));
        BoxBody::new(SizedStream::new(length, stream::iter([Ok::<_, Error>(half)]).chain(pause)))
    };
    Ok(ServiceResponse::new(request, head.set_body(body)))
}

fn rewritten(body: web::Bytes, pointer: &str, value: &Value) -> web::Bytes {
    let Ok(mut json) = serde_json::from_slice::<Value>(&body) else {
        return body;
    };
    let Some(field) = json.pointer_mut(pointer) else {
        return body;
    };
    *field = value.clone();
    json.to_string().into()
}
