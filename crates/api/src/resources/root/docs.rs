//! The OpenAPI document and Swagger UI, all from our own origin.

use std::sync::Arc;

use actix_web::{
    HttpResponse, get,
    http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY},
    web::{Data, Path},
};
use utoipa_swagger_ui::Config;

use crate::{problem::Problem, service::Shared};

/// Swagger UI sets styles on its elements and draws its icons from data URLs; scripts are files of ours only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; base-uri 'self'; frame-ancestors 'none'";

/// The OpenAPI document.
#[utoipa::path(tag = "Root", operation_id = "openapi", security(()), responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json")))]
#[get("/openapi.json")]
pub(super) async fn document(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(shared.document.clone())
}

/// Swagger UI.
#[utoipa::path(tag = "Root", operation_id = "docs", security(()), responses((status = 200, description = "The page", body = String, content_type = "text/html")))]
#[get("/docs")]
pub(super) async fn index() -> Result<HttpResponse, Problem> {
    serve("index.html")
}

/// A file of Swagger UI.
#[utoipa::path(
    tag = "Root",
    operation_id = "docsAsset",
    security(()),
    params(("file" = String, Path, description = "Name of the file", example = "swagger-ui.css")),
    responses((status = 200, description = "The file", body = String, content_type = "application/octet-stream")),
)]
#[get("/docs/{file}")]
pub(super) async fn asset(file: Path<String>) -> Result<HttpResponse, Problem> {
    serve(&file)
}

fn serve(file: &str) -> Result<HttpResponse, Problem> {
    let config = Config::from("/openapi.json").validator_url("none").persist_authorization(false);
    let found = utoipa_swagger_ui::serve(file, Arc::new(config)).map_err(Problem::internal)?;
    let found = found.ok_or_else(Problem::not_found)?;
    let mut response = HttpResponse::Ok();
    response.content_type(found.content_type).insert_header((CONTENT_SECURITY_POLICY, POLICY));
    if found.gzpipped {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    let mut bytes = found.bytes.into_owned();
    if file == "index.html" {
        // The page names its files relative to `/docs/`; it is also served as `/docs`.
        bytes = String::from_utf8_lossy(&bytes)
            .replacen("<head>", "<head><base href=\"/docs/\">", 1)
            .into_bytes();
    }
    Ok(response.body(bytes))
}
