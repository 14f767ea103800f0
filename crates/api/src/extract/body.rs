//! JSON bodies.

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap},
    web::{self, Bytes},
};
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::{Deserialize, de::DeserializeOwned};

use super::{field::Object, words::Complaint};
use crate::problem::{Problem, ProblemCode};

/// Most bytes of a body.
pub(crate) const LIMIT: usize = 256 * 1024;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move {
            let bytes = read(&request, payload).await?;
            if bytes.is_empty() {
                return Err(Problem::new(ProblemCode::InvalidJson, "This operation needs a JSON body."));
            }
            check_media_type(request.headers())?;
            parse(&bytes).map(Self)
        }
        .boxed_local()
    }
}

/// No body, or an empty JSON object.
pub(crate) struct NoBody;

impl FromRequest for NoBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}

        let (request, payload) = (request.clone(), payload.take());
        async move {
            let bytes = read(&request, payload).await?;
            if !bytes.is_empty() {
                check_media_type(request.headers())?;
                let Empty {} = parse(&bytes)?;
            }
            Ok(Self)
        }
        .boxed_local()
    }
}

/// The whole body, if it is not too large.
pub(crate) async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let mut payload = payload;
    let body = web::Payload::from_request(request, &mut payload)
        .await
        .map_err(|_| Problem::new(ProblemCode::InvalidRequest, "The body cannot be read."))?;
    match body.to_bytes_limited(LIMIT).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            Err(Problem::new(ProblemCode::InvalidRequest, "The body ended before it was complete."))
        }
        Err(_) => Err(Problem::new(ProblemCode::BodyTooLarge, "The body is larger than 256 KiB.")),
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |detail: &str| Err(Problem::new(ProblemCode::UnsupportedMediaType, detail));
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return refuse("Send the body as `Content-Type: application/json`.");
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return refuse("Send the body without `Content-Encoding`.");
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let syntax = |error: &serde_json::Error| {
        let place = format!("The body is not valid JSON (line {}, column {}).", error.line(), error.column());
        Problem::new(ProblemCode::InvalidJson, place)
    };
    let Object(value) = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // A wrong field is told before wrong syntax behind it is seen, and some wrong types as wrong syntax.
        if let Err(wrong) = serde_json::from_slice::<serde_json::Value>(bytes) {
            return syntax(&wrong);
        }
        let Complaint { pointer, detail } = Complaint::new("", error.path(), &error.inner().to_string());
        Problem::invalid(pointer, detail)
    })?;
    reader.end().map_err(|error| syntax(&error))?;
    Ok(value)
}
