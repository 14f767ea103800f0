//! Finds out who calls, before anything else of the request is looked at.

use actix_web::{
    Error, HttpMessage as _, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web::Data,
};
use app::App;

use crate::{
    context::{Client, Identity},
    extract::Authenticated,
    problem::{Problem, ProblemCode},
    routes::Known,
    service::Shared,
};

/// Longest access token that is looked at.
const TOKEN_LENGTH: usize = 4096;

/// Lets nobody without a live session through to an operation. A path or method that does not exist is answered as
/// such to everybody: the list of operations is public.
pub(crate) async fn layer(
    app: Data<App>,
    shared: Data<Shared>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if shared.routes.find(request.method(), request.path()) == Known::Operation {
        match authenticate(&app, request.request()).await {
            Ok(caller) => {
                shared.metrics.tenants().requested(caller.tenant_id().as_uuid());
                request.extensions_mut().insert(caller);
            }
            Err(problem) => return Ok(request.error_response(problem)),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The holder of the request's access token, noted for logs.
pub(crate) async fn authenticate(app: &App, request: &HttpRequest) -> Result<Authenticated, Problem> {
    let token = app.auth().verify(bearer(request)?)?;
    let identity = Identity { tenant_id: token.tenant_id(), user_id: token.user_id() };
    request.extensions_mut().insert(identity);
    tracing::Span::current()
        .record("tenant_id", tracing::field::display(identity.tenant_id))
        .record("user_id", tracing::field::display(identity.user_id));
    Ok(Authenticated(app.auth().authenticate(token, &Client::of(request).0).await?))
}

fn bearer(request: &HttpRequest) -> Result<&str, Problem> {
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
