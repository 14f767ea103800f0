//! The page for Prometheus.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{AUTHORIZATION, HeaderValue},
    web::Data,
};
use monitoring::metrics::Metrics;
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use crate::{
    problem::{Problem, ProblemBody, ProblemCode},
    service::Shared,
};

/// Metrics for Prometheus.
///
/// Where the operator has set a token, a scraper sends it as `Authorization: Bearer`. Where metrics have an address of
/// their own, there are none here.
#[utoipa::path(
    tag = "Root",
    operation_id = "metrics",
    security((), ("metrics_token" = [])),
    responses(
        (status = 200, description = "The page, in the text format of Prometheus", body = String, content_type = "text/plain"),
        (status = 401, description = "The scraper's token is missing or wrong", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[get("/metrics")]
pub(super) async fn page(shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if let Some(token) = &shared.settings.metrics_token {
        let given = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let given = given.and_then(|value| value.strip_prefix(b"Bearer ")).unwrap_or_default();
        if !bool::from(given.ct_eq(token.expose_secret().as_bytes())) {
            return Err(Problem::unauthenticated(
                ProblemCode::Unauthenticated,
                "Send `Authorization: Bearer` and the metrics token.",
            ));
        }
    }
    let page = shared.metrics.render().map_err(Problem::internal)?;
    Ok(HttpResponse::Ok().content_type(Metrics::CONTENT_TYPE).body(page))
}
