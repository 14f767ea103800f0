//! Finds out who calls, before anything else of the request is looked at.

use actix_web::{
    Error, HttpMessage as _, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use app::{App, VerifiedToken};

use super::identity::{Verified, bearer};
use crate::{context::Client, extract::Authenticated, problem::Problem, routes::Known, service::Shared};

/// Lets nobody without a live session through to an operation. A path or method that does not exist is answered as
/// such to everybody: the list of operations is public.
pub(crate) async fn layer(
    app: Data<App>,
    shared: Data<Shared>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if shared.routes.find(request.method(), request.match_info().as_str()) == Known::Operation {
        let verified = request.extensions().get::<Verified>().copied();
        let authenticated = match verified {
            Some(Verified(token)) => session(&app, token, request.request()).await,
            None => authenticate(&app, request.request()).await,
        };
        match authenticated {
            Ok(caller) => {
                shared.metrics.tenants().requested(caller.tenant_id().as_uuid());
                request.extensions_mut().insert(caller);
            }
            Err(problem) => return Ok(request.error_response(problem)),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The holder of the request's access token, if that is good now.
pub(crate) async fn authenticate(app: &App, request: &HttpRequest) -> Result<Authenticated, Problem> {
    session(app, app.auth().verify(bearer(request)?)?, request).await
}

async fn session(app: &App, token: VerifiedToken, request: &HttpRequest) -> Result<Authenticated, Problem> {
    Ok(Authenticated(app.auth().authenticate(token, &Client::of(request).0).await?))
}
