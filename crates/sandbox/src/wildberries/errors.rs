//! Error answers. The services of the marketplace speak five dialects.

use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::{Builder, Uuid};

/// The dialect of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Marketplace,
    Content,
    Statistics,
    Reports,
    Gateway,
}

/// Turns an answer into an error, so that `?` can give it.
pub(crate) fn refusal(response: HttpResponse) -> Error {
    InternalError::from_response("refused", response).into()
}

fn request_id() -> Uuid {
    Builder::from_random_bytes(rand::random()).into_uuid()
}

/// An answer of the gateway in front of all services: `application/problem+json`.
pub(crate) fn problem(status: StatusCode, detail: &str, now: DateTime<Utc>) -> HttpResponse {
    let text = status.canonical_reason().unwrap_or_default();
    let body = json!({
        "title": text.to_lowercase(),
        "detail": detail,
        "code": format!("sandbox-{}", request_id().simple()),
        "requestId": request_id().simple().to_string(),
        "origin": "s2s-api-auth-sandbox",
        "status": status.as_u16(),
        "statusText": text,
        "timestamp": now.to_rfc3339_opts(SecondsFormat::Secs, true),
    });
    problem_json(status, &body)
}

fn problem_json(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type("application/problem+json").body(body.to_string())
}

/// 401: no token, or none that this marketplace gave out.
pub(crate) fn unauthorized(detail: &str, now: DateTime<Utc>) -> HttpResponse {
    problem(StatusCode::UNAUTHORIZED, &format!("token problem; {detail}"), now)
}

/// 402: the cloud service that calls has not paid the marketplace.
pub(crate) fn payment_required() -> HttpResponse {
    let detail = "wb solution for business has insufficient funds on its balance";
    problem_json(StatusCode::PAYMENT_REQUIRED, &json!({"title": "payment required", "detail": detail}))
}

/// 403: the token is good, but not for this method.
pub(crate) fn forbidden(family: Family, detail: &str, now: DateTime<Utc>) -> HttpResponse {
    let mut response = HttpResponse::Forbidden();
    match family {
        Family::Marketplace => response.json(json!({"code": "AccessDenied", "message": detail})),
        Family::Content => response.json(
            json!({"data": null, "error": true, "errorText": "Access denied", "additionalErrors": detail}),
        ),
        Family::Reports | Family::Statistics | Family::Gateway => problem(StatusCode::FORBIDDEN, detail, now),
    }
}

/// 404 for a path that no service has.
pub(crate) fn unknown_path(family: Family, now: DateTime<Utc>) -> HttpResponse {
    match family {
        Family::Marketplace => marketplace(StatusCode::NOT_FOUND, "NotFound", "Not found"),
        Family::Reports => reports(StatusCode::NOT_FOUND, "not found", "not found"),
        Family::Content | Family::Statistics | Family::Gateway => {
            problem(StatusCode::NOT_FOUND, "path not found", now)
        }
    }
}

/// 429 with the headers that say when to come back.
pub(crate) fn too_many_requests(retry: i64, reset: i64, limit: i32, now: DateTime<Utc>) -> HttpResponse {
    let detail = format!("limited by {}", request_id());
    let mut response = problem(StatusCode::TOO_MANY_REQUESTS, &detail, now);
    for (name, value) in
        [("x-ratelimit-retry", retry), ("x-ratelimit-reset", reset), ("x-ratelimit-limit", i64::from(limit))]
    {
        let name = actix_web::http::header::HeaderName::from_static(name);
        response.headers_mut().insert(name, value.into());
    }
    response
}

/// An error of the services for seller warehouses and assembly orders.
pub(crate) fn marketplace(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({"code": code, "message": message}))
}

/// An error of the services for reports and analytics.
pub(crate) fn reports(status: StatusCode, title: &str, detail: &str) -> HttpResponse {
    HttpResponse::build(status).json(report_error(title, detail))
}

/// 404 for a report that was never asked for, or that cannot be downloaded now.
pub(crate) fn report_not_found() -> HttpResponse {
    problem_json(StatusCode::NOT_FOUND, &report_error("Not Found", "not found"))
}

fn report_error(title: &str, detail: &str) -> Value {
    json!({"title": title, "detail": detail, "requestId": request_id(), "origin": "analytics-sandbox"})
}

/// 400 of the content service for a request it understands but does not accept.
pub(crate) fn content(error_text: &str) -> HttpResponse {
    HttpResponse::BadRequest()
        .json(json!({"data": null, "error": true, "errorText": error_text, "additionalErrors": null}))
}

/// 400 of the content service for a body it cannot read: plain text.
pub(crate) fn undecodable() -> HttpResponse {
    HttpResponse::BadRequest()
        .content_type("text/plain; charset=utf-8")
        .body("Request body can not be decoded")
}
