//! An HTTP server on loopback, for what the product and its monitors send to others.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

/// A status, and a body of JSON.
pub(crate) type Answer = (StatusCode, String);

/// A server. Its connections end when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts one that answers with what `answer` makes of each request.
    pub(crate) async fn start(answer: impl Fn(Request) -> Answer + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listening on loopback")?;
        let address = listener.local_addr()?;
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                let service = service_fn(move |request| respond(request, Arc::clone(&answer)));
                let served = http1::Builder::new().serve_connection(TokioIo::new(connection), service);
                connections.spawn(async move {
                    // A client that is killed resets its connections.
                    if let Err(error) =
                        served.await.or_else(|error| if error.is_parse() { Err(error) } else { Ok(()) })
                    {
                        eprintln!("a request to {address} was not understood: {error}");
                    }
                });
            }
        });
        Ok(Self { address, task })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers a request whose whole body has come.
async fn respond(
    request: hyper::Request<Incoming>,
    answer: Arc<impl Fn(Request) -> Answer>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    let (status, text) =
        answer(Request { method: head.method.to_string(), path: head.uri.path().to_owned(), body });
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_are_answered_with_what_is_made_of_them() {
        let server = Server::start(|request| {
            (
                StatusCode::CREATED,
                format!("{} {} {}", request.method, request.path, String::from_utf8_lossy(&request.body)),
            )
        })
        .await
        .unwrap();
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for (path, body) in [("/a", "hello"), ("/b", "")] {
            let answer =
                client.post(format!("http://{}{path}", server.address())).body(body).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 201);
            assert_eq!(answer.text().await.unwrap(), format!("POST {path} {body}"));
        }
    }
}
