//! Refusals and failures as `application/problem+json` (RFC 9457): the only way to HTTP for every error.
//!
//! A [`Problem`] says what went wrong; it becomes a body when the request is known ([`render`]), because the body
//! carries the request's id and path. No text of a third party, no SQL and no stack gets in.

mod body;
mod code;
mod from_app;
mod render;

use std::{fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};

use chrono::DateTime;
use ratelimit::Report;

pub use body::{ExceededLimit, FieldProblem, ProblemBody};
pub use code::{ProblemCode, errors_page};
pub(crate) use render::{Rendered, render};

/// A refused or failed request.
#[derive(Debug)]
pub struct Problem {
    code: ProblemCode,
    detail: String,
    pub(crate) errors: Vec<FieldProblem>,
    /// Everything that is wrong, where `errors` does not list all of it.
    errors_total: Option<u64>,
    rate_limit: Option<Box<ExceededLimit>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What the operator may know: logged, and shown in debug mode only.
    cause: Option<Box<str>>,
    /// Whether it was reported already.
    reported: bool,
}

impl Problem {
    /// A problem with words for this occurrence.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            errors_total: None,
            rate_limit: None,
            headers: Vec::new(),
            cause: None,
            reported: false,
        }
    }

    /// One wrong field.
    pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::ValidationFailed, "The request has fields that are not right; see `errors`.")
            .with_error(pointer, detail)
    }

    /// Nothing here, whatever the reason.
    pub(crate) fn not_found() -> Self {
        Self::new(ProblemCode::NotFound, "There is no such resource.")
    }

    /// A defect.
    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        Self::new(ProblemCode::InternalError, "Something went wrong on our side. It has been logged.")
            .because(cause)
    }

    /// A defect that ended a handler. Panics report themselves.
    pub(crate) fn panicked() -> Self {
        Self { reported: true, ..Self::internal("a handler panicked") }
    }

    /// More than a limit allows.
    pub(crate) fn rate_limited(report: &Report) -> Self {
        let seconds =
            report.retry_after().map(|wait| (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1));
        let detail = match seconds {
            Some(1) => "Too many requests. Try again in a second.".to_owned(),
            Some(seconds) => format!("Too many requests. Try again in {seconds} seconds."),
            None => "The request costs more than its limit allows.".to_owned(),
        };
        let code = ProblemCode::RateLimitExceeded;
        let limit = ExceededLimit {
            error: code.code(),
            message: detail.clone(),
            retry_after: seconds,
            reset_at: seconds.and_then(|_| {
                let at = report.now() + report.retry_after()?;
                DateTime::from_timestamp(i64::try_from(at.as_secs()).ok()?, at.subsec_nanos())
            }),
            violated_policies: report.refusing().map(|state| state.policy().to_string()).collect(),
        };
        let mut problem = Self::new(code, detail);
        problem.rate_limit = Some(Box::new(limit));
        match report.retry_after() {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }

    /// A method that the path does not have.
    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        Self::new(ProblemCode::MethodNotAllowed, format!("This path allows {allow}."))
            .with_header(ALLOW, HeaderValue::from_str(allow).ok())
    }

    /// No proof of identity, or a wrong one.
    pub(crate) fn unauthenticated(code: ProblemCode, detail: &str) -> Self {
        let challenge = match code {
            ProblemCode::Unauthenticated | ProblemCode::InvalidCredentials => "Bearer",
            _ => "Bearer error=\"invalid_token\"",
        };
        Self::new(code, detail).with_header(WWW_AUTHENTICATE, Some(HeaderValue::from_static(challenge)))
    }

    pub(crate) fn with_error(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(FieldProblem { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Asks the client to come back.
    pub(crate) fn retry_after(self, pause: Duration) -> Self {
        let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
        self.with_header(RETRY_AFTER, Some(HeaderValue::from(seconds.max(1))))
    }

    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string().into());
        self
    }

    fn with_header(mut self, name: HeaderName, value: Option<HeaderValue>) -> Self {
        self.headers.extend(value.map(|value| (name, value)));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.code())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// Without a body, which is added where the request is known.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.code.status())
    }
}
