//! Finds out whose token a request carries, by its signature alone, and tells callers of which tenant they are counted.

use actix_web::{
    Error, HttpMessage as _, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{AUTHORIZATION, HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use app::{App, VerifiedToken};

use crate::{
    context::Identity,
    problem::{Problem, ProblemCode},
};

/// Longest access token that is looked at.
const TOKEN_LENGTH: usize = 4096;

const TENANT: HeaderName = HeaderName::from_static("x-ratelimit-tenant");

/// A token whose signature, kind and time are right; whether its session lives is not known yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verified(pub(super) VerifiedToken);

/// A request without a good token goes on as a stranger's: the routes that need somebody refuse it.
pub(super) async fn layer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Without use cases, as in tests of the layers alone, nobody is known.
    let app = request.app_data::<Data<App>>();
    let token = app.and_then(|app| app.auth().verify(bearer(request.request()).ok()?).ok());
    let identity = token.map(|token| Identity { tenant_id: token.tenant_id(), user_id: token.user_id() });
    if let (Some(token), Some(identity)) = (token, identity) {
        tracing::Span::current()
            .record("tenant_id", tracing::field::display(identity.tenant_id))
            .record("user_id", tracing::field::display(identity.user_id));
        let mut extensions = request.extensions_mut();
        extensions.insert(Verified(token));
        extensions.insert(identity);
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(identity) = identity
        && response.headers().contains_key("ratelimit")
        && let Ok(tenant) = HeaderValue::from_str(&identity.tenant_id.to_string())
    {
        response.headers_mut().insert(TENANT, tenant);
    }
    Ok(response)
}

/// The access token that a request carries.
pub(super) fn bearer(request: &HttpRequest) -> Result<&str, Problem> {
    let missing = || {
        Problem::unauthenticated(
            ProblemCode::Unauthenticated,
            "Send `Authorization: Bearer` and an access token.",
        )
    };
    let header = request.headers().get(AUTHORIZATION).ok_or_else(missing)?;
    let malformed = || Problem::unauthenticated(ProblemCode::InvalidToken, "The token is not valid.");
    let (scheme, token) = header.to_str().map_err(|_| malformed())?.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let token = token.trim();
    if (1..=TOKEN_LENGTH).contains(&token.len()) { Ok(token) } else { Err(malformed()) }
}
