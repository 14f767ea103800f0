//! `ETag` and `If-None-Match` for what is read, and who may keep answers.
//!
//! The tag is a hash of the body. A tag made of the tenant's catalogue version would save the reading, but not every
//! change of a body has a version: `stale` turns with the clock, a sync's progress and an account's state are no
//! figures. A hash is right by itself.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH},
    },
    middleware::Next,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::edge::is_health;

/// Bytes of the hash that are kept; enough that no two bodies ever share a tag.
const TAG_BYTES: usize = 16;

/// For answers that a browser may keep if it asks each time.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// For answers that nobody may keep.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

pub(super) async fn layer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let under_api = request.path().starts_with("/api/v1/") && !is_health(request.path());
    if !under_api {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let readable = request.method() == Method::GET;
    let known = known_tags(request.headers());
    let response = next.call(request).await?;
    let mut response = if readable && response.status() == StatusCode::OK {
        tagged(response, &known)
    } else {
        response.map_into_boxed_body()
    };
    if !response.headers().contains_key(CACHE_CONTROL) {
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    }
    Ok(response)
}

/// The answer with its tag, or 304 where the client knows it. Streams have no tag.
fn tagged(
    response: ServiceResponse<impl MessageBody + 'static>,
    known: &[String],
) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(stream) => return ServiceResponse::new(request, head.set_body(stream).map_into_boxed_body()),
    };
    let tag = tag(&bytes);
    let mut answer = if known.iter().any(|known| known == "*" || *known == tag) {
        HttpResponse::new(StatusCode::NOT_MODIFIED)
    } else {
        head.set_body(BoxBody::new(bytes))
    };
    let tag = HeaderValue::from_str(&format!("\"{tag}\"")).expect("a tag is plain ASCII");
    answer.headers_mut().insert(ETAG, tag);
    answer.headers_mut().insert(CACHE_CONTROL, REVALIDATE);
    ServiceResponse::new(request, answer)
}

fn tag(body: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(body)[..TAG_BYTES])
}

/// The tags that the client has: bare, whether weak or strong, of whichever encoding.
fn known_tags(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(|tag| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            let tag =
                ["-gzip", "-br", "-deflate"].iter().find_map(|end| tag.strip_suffix(end)).unwrap_or(tag);
            tag.to_owned()
        })
        .collect()
}
