//! The body of an import: received into a temporary file, so that a slow client costs disk and no memory.

use std::{
    fs::File,
    future::{Ready, ready},
    io::SeekFrom,
    time::Duration,
};

use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap},
    middleware::Next,
    web,
};
use futures::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncSeekExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::file::Format;
use crate::problem::{Problem, ProblemCode};

/// Most bytes of a file.
pub(in crate::resources) const UPLOAD_LIMIT: u64 = 16 * 1024 * 1024;

/// How long a client may take for the next piece of its file.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body that has been received before its handler is called.
pub(crate) struct Received {
    /// Its hash, in hexadecimal digits.
    pub(crate) hash: String,
    file: File,
}

/// Receives the body. Goes around the layer for idempotency keys, which asks for its hash.
pub(super) async fn layer(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let payload = request.take_payload();
    match receive(request.request(), payload).await {
        Ok(received) => {
            request.extensions_mut().insert(received);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(problem) => Ok(request.error_response(problem)),
    }
}

async fn receive(request: &HttpRequest, mut payload: Payload) -> Result<Received, Problem> {
    let mut body = web::Payload::from_request(request, &mut payload)
        .await
        .map_err(|_| Problem::new(ProblemCode::InvalidRequest, "The body cannot be read."))?;
    let file = tempfile::tempfile().map_err(Problem::internal)?;
    let mut file = tokio::fs::File::from_std(file);
    let (mut hash, mut length) = (Sha256::new(), 0);
    loop {
        let piece = timeout(PATIENCE, body.next())
            .await
            .map_err(|_| Problem::new(ProblemCode::InvalidRequest, "The body did not arrive in time."))?;
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|_| {
            Problem::new(ProblemCode::InvalidRequest, "The body ended before it was complete.")
        })?;
        length += piece.len() as u64;
        if length > UPLOAD_LIMIT {
            return Err(Problem::new(ProblemCode::BodyTooLarge, "The file is larger than 16 MiB."));
        }
        hash.update(&piece);
        file.write_all(&piece).await.map_err(Problem::internal)?;
    }
    file.flush().await.map_err(Problem::internal)?;
    file.seek(SeekFrom::Start(0)).await.map_err(Problem::internal)?;
    Ok(Received { hash: format!("{:x}", hash.finalize()), file: file.into_std().await })
}

/// The file of an import, and what its client says it is.
pub(super) struct Upload {
    file: File,
    format: Result<Format, Problem>,
}

impl Upload {
    /// The file, if it is one that is read here.
    pub(super) fn open(self) -> Result<(File, Format), Problem> {
        Ok((self.file, self.format?))
    }
}

impl FromRequest for Upload {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let format = format(request.headers());
        let received = request.extensions_mut().remove::<Received>();
        ready(match received {
            Some(Received { file, .. }) => Ok(Self { file, format }),
            None => Err(Problem::internal("the body of an import was not received before its handler")),
        })
    }
}

fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let refuse = |detail: &str| Err(Problem::new(ProblemCode::UnsupportedMediaType, detail));
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return refuse("Send the file without `Content-Encoding`.");
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match Format::of(kind) {
        Some(format) => Ok(format),
        None => refuse(&format!(
            "Send a file as `Content-Type: text/csv` or `Content-Type: {}`.",
            Format::XLSX_MEDIA_TYPE
        )),
    }
}
