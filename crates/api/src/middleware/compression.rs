//! What actix's `Compress` does not know: which bodies are too small, and that each encoding is another entity.

use actix_web::{
    Error,
    body::{BodySize, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue},
    middleware::Next,
};

/// Bytes up to which a body is sent as it is.
const SMALL: u64 = 1000;

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// Marks what must not be compressed: small bodies, and event streams, which would wait in the compressor's buffer.
pub(super) async fn inner<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let small = matches!(response.response().body().size(), BodySize::Sized(size) if size <= SMALL);
    if small || is_event_stream(response.headers()) {
        response.headers_mut().insert(CONTENT_ENCODING, IDENTITY);
    }
    Ok(response)
}

/// Takes the mark off again, and tells the entity tag of a compressed body from that of the plain one.
pub(super) async fn outer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    match headers.get(CONTENT_ENCODING).cloned() {
        Some(encoding) if encoding == IDENTITY => {
            headers.remove(CONTENT_ENCODING);
        }
        Some(encoding) => {
            if let Some(tagged) = headers.get(ETAG).and_then(|tag| tag_of(tag, &encoding)) {
                headers.insert(ETAG, tagged);
            }
        }
        None => {}
    }
    Ok(response)
}

/// The entity tag of the encoded form: `"abc"` becomes `"abc-gzip"`.
fn tag_of(tag: &HeaderValue, encoding: &HeaderValue) -> Option<HeaderValue> {
    let plain = tag.to_str().ok()?.strip_suffix('"')?;
    HeaderValue::from_str(&format!("{plain}-{}\"", encoding.to_str().ok()?)).ok()
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
