//! `/api/v1/auth`.

use actix_web::{
    HttpRequest, HttpResponse, get, post,
    web::{Data, Json},
};
use app::{App, Error, Registration, Unauthenticated};

use super::{
    inputs::{LoginInput, RefreshInput, RegistrationInput},
    views::{MeView, SignedInView},
};
use crate::{
    context::Client,
    extract::{Authenticated, Body, NoBody, NoQuery},
    problem::{Problem, ProblemBody},
    service::Shared,
};

/// Register a company and its owner.
///
/// Signs the owner in. Free of charge; the address need not be proven.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "register",
    security(()),
    request_body = RegistrationInput,
    responses(
        (status = 201, description = "Registered and signed in", body = SignedInView),
        (status = 409, description = "`email_taken`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/auth/register")]
pub(super) async fn register(
    app: Data<App>,
    client: Client,
    _query: NoQuery,
    body: Body<RegistrationInput>,
) -> Result<HttpResponse, Problem> {
    let RegistrationInput { email, password, company_name } = body.0;
    let registration = Registration { email: email.0, password: password.0, company_name: company_name.0 };
    let signed_in = app.auth().register(registration, &client.0).await?;
    Ok(HttpResponse::Created().json(SignedInView::from(signed_in)))
}

/// Sign in.
///
/// An unknown address and a wrong password are answered alike, after the same time. After ten attempts that failed for
/// one address from one network within five minutes, further ones from there are refused for a while.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "login",
    security(()),
    request_body = LoginInput,
    responses(
        (status = 200, description = "Signed in", body = SignedInView),
        (status = 401, description = "`invalid_credentials`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/auth/login")]
pub(super) async fn login(
    app: Data<App>,
    shared: Data<Shared>,
    request: HttpRequest,
    client: Client,
    _query: NoQuery,
    body: Body<LoginInput>,
) -> Result<Json<SignedInView>, Problem> {
    let LoginInput { email, password } = body.0;
    let attempt = shared.limits.attempt(&request, &email.0).await?;
    let signed_in = app.auth().login(&email.0, password.0, &client.0).await;
    if !matches!(signed_in, Err(Error::Unauthenticated(Unauthenticated::WrongCredentials))) {
        attempt.forgive();
    }
    Ok(Json(signed_in?.into()))
}

/// Trade a refresh token for a new pair of tokens.
///
/// A refresh token works once. One that comes a second time ends its whole session, because one of the two senders
/// may be a thief; of two that come at once, one wins.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "refresh",
    security(()),
    request_body = RefreshInput,
    responses(
        (status = 200, description = "A new pair", body = SignedInView),
        (status = 401, description = "`invalid_token`, `token_expired`, `session_ended`, `refresh_token_reused`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/auth/refresh")]
pub(super) async fn refresh(
    app: Data<App>,
    client: Client,
    _query: NoQuery,
    body: Body<RefreshInput>,
) -> Result<Json<SignedInView>, Problem> {
    use secrecy::ExposeSecret as _;
    let token = body.0.refresh_token.0;
    Ok(Json(app.auth().refresh(token.expose_secret(), &client.0).await?.into()))
}

/// End the session.
///
/// Its access and refresh tokens stop working at once, everywhere.
#[utoipa::path(tag = "Authentication", operation_id = "logout", responses((status = 204, description = "Ended")))]
#[post("/auth/logout")]
pub(super) async fn logout(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    app.auth().logout(&caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The caller and the caller's company.
#[utoipa::path(tag = "Authentication", operation_id = "me", responses((status = 200, description = "Who you are", body = MeView)))]
#[get("/auth/me")]
pub(super) async fn me(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
) -> Result<Json<MeView>, Problem> {
    Ok(Json(app.auth().me(&caller).await?.into()))
}
