//! Giving a problem its body, counting it and logging its cause: once, wherever it came from.

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::ServiceResponse,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    },
};

use monitoring::error_reports::{self, Failure, Severity};
use uuid::Uuid;

use super::{Problem, ProblemBody, ProblemCode};
use crate::{context::RequestContext, service::Shared};

/// The media type of problems.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A problem ready to be sent.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Problem {
    /// The body and headers for a request, counted and logged. `route` is the template of its route.
    pub(crate) fn rendered(
        &self,
        shared: &Shared,
        request_id: &str,
        path: &str,
        route: Option<&str>,
    ) -> Rendered {
        shared.metrics.errors().record(self.code.code(), route);
        let status = self.code.status();
        let event_id = if status.is_server_error() { self.report(route) } else { None };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(
                request_id,
                code = self.code.code(),
                cause = self.cause,
                event_id = event_id.map(tracing::field::display),
                "a request failed"
            );
        } else if let Some(cause) = &self.cause {
            tracing::warn!(request_id, code = self.code.code(), cause, "a request was refused");
        }
        let body = ProblemBody {
            kind: self.code.type_uri(),
            title: self.code.title(),
            status: status.as_u16(),
            detail: self.detail.clone(),
            instance: path.to_owned(),
            code: self.code.code(),
            request_id: request_id.to_owned(),
            event_id: event_id.map(|id| id.simple().to_string()),
            errors: self.errors.clone(),
            errors_total: self.errors_total,
            rate_limit: self.rate_limit.as_deref().cloned(),
            debug: self.cause.as_deref().filter(|_| shared.settings.debug).map(str::to_owned),
        };
        let mut headers: HeaderMap = self.headers.iter().cloned().collect();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        let body = serde_json::to_vec(&body).expect("a problem has only strings and numbers");
        Rendered { status, headers, body }
    }

    /// Reports a failure of ours, unless that was done already. Returns the report's id.
    fn report(&self, route: Option<&str>) -> Option<Uuid> {
        if self.reported {
            return error_reports::last();
        }
        let severity = match self.code.status() {
            StatusCode::INTERNAL_SERVER_ERROR => Severity::Error,
            _ => Severity::Warning,
        };
        error_reports::capture(Failure {
            kind: self.code.code(),
            text: self.cause.as_deref().unwrap_or(&self.detail),
            severity,
            place: route.unwrap_or("unmatched"),
            extras: Vec::new(),
        })
    }

    /// The answer to a request.
    pub(crate) fn respond(&self, shared: &Shared, request: &HttpRequest) -> HttpResponse {
        let context = RequestContext::of(request);
        let route = request.match_pattern();
        self.rendered(shared, &context.id, request.path(), route.as_deref()).into()
    }
}

impl From<Rendered> for HttpResponse {
    fn from(rendered: Rendered) -> Self {
        let mut response = HttpResponse::new(rendered.status).set_body(BoxBody::new(rendered.body));
        for (name, value) in rendered.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

/// Gives an error its body. What already has one is left as it is: a problem, or a health report that says no.
pub(crate) fn render<B: MessageBody + 'static>(
    shared: &Shared,
    response: ServiceResponse<B>,
) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response.map_into_boxed_body();
    }
    let rendered = match response.response().error().and_then(|error| error.as_error::<Problem>()) {
        Some(problem) => problem.respond(shared, response.request()),
        None if is_json(response.headers()) => return response.map_into_boxed_body(),
        None => {
            let code = ProblemCode::of_status(status);
            Problem::new(code, code.title()).respond(shared, response.request())
        }
    };
    // What middleware has added meanwhile stays: CORS, for one.
    let (request, old) = response.into_parts();
    let mut answer = rendered;
    let own = answer.headers().clone();
    for (name, value) in old.headers().iter().filter(|(name, _)| !own.contains_key(*name)) {
        answer.headers_mut().append(name.clone(), value.clone());
    }
    ServiceResponse::new(request, answer)
}

fn is_json(headers: &HeaderMap) -> bool {
    let json = |value: &HeaderValue| value.to_str().is_ok_and(|kind| kind.contains("json"));
    headers.get(CONTENT_TYPE).is_some_and(json)
}
