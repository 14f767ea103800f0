//! `ReDoc`: the OpenAPI document as a page to read, all from our own origin.

use actix_web::{
    HttpResponse, get,
    http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY},
    web::Path,
};

use crate::problem::Problem;

/// `ReDoc` makes its styles while it draws, and searches in a worker that it makes from its own text. Its makers' logo,
/// which it asks a foreign host for, is not shown.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const PAGE: &str = include_str!("redoc.html");

/// A file beside the page.
struct File {
    name: &'static str,
    content_type: &'static str,
    gzipped: bool,
    bytes: &'static [u8],
}

const FILES: [File; 3] = [
    File {
        name: "redoc.standalone.js",
        content_type: "text/javascript; charset=utf-8",
        gzipped: true,
        bytes: include_bytes!("../../../assets/redoc/redoc.standalone.js.gz"),
    },
    File {
        name: "redoc.standalone.js.LICENSE.txt",
        content_type: "text/plain; charset=utf-8",
        gzipped: false,
        bytes: include_bytes!("../../../assets/redoc/redoc.standalone.js.LICENSE.txt"),
    },
    File {
        name: "LICENSE.txt",
        content_type: "text/plain; charset=utf-8",
        gzipped: false,
        bytes: include_bytes!("../../../assets/redoc/LICENSE.txt"),
    },
];

/// `ReDoc`.
#[utoipa::path(tag = "Root", operation_id = "redoc", security(()), responses((status = 200, description = "The page", body = String, content_type = "text/html")))]
#[get("/redoc")]
pub(super) async fn index() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(PAGE)
}

/// A file of `ReDoc`.
#[utoipa::path(
    tag = "Root",
    operation_id = "redocAsset",
    security(()),
    params(("file" = String, Path, description = "Name of the file", example = "redoc.standalone.js")),
    responses((status = 200, description = "The file", body = String, content_type = "application/octet-stream")),
)]
#[get("/redoc/{file}")]
pub(super) async fn asset(name: Path<String>) -> Result<HttpResponse, Problem> {
    let file = FILES.iter().find(|file| file.name == *name).ok_or_else(Problem::not_found)?;
    let mut response = HttpResponse::Ok();
    response.content_type(file.content_type);
    if file.gzipped {
        // As with Swagger UI's files: kept packed, and every browser unpacks it.
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(response.body(file.bytes))
}
