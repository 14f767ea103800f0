//! A small HTTP server on loopback, for what the product and its monitors send to others.
//!
//! It takes bodies whose length is told, and connections that are kept. What it is not for is anybody but the programs
//! that this crate starts.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Bytes of a body that are taken at most.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

/// A status, and a body of JSON.
pub(crate) type Answer = (u16, String);

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
                connections.spawn(async move {
                    if let Err(error) = serve(connection, &*answer).await {
                        eprintln!("a request to {address} was not understood: {error:#}");
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

/// Answers the requests of a connection until the other side ends it.
async fn serve(connection: TcpStream, answer: &(dyn Fn(Request) -> Answer + Send + Sync)) -> Result<()> {
    let mut connection = BufReader::new(connection);
    while let Some(request) = read(&mut connection).await? {
        let (status, body) = answer(request);
        let head = format!(
            "HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(head.as_bytes()).await.context("answering")?;
    }
    Ok(())
}

/// The next request; none when the other side has ended the connection.
async fn read(connection: &mut BufReader<TcpStream>) -> Result<Option<Request>> {
    let mut line = String::new();
    // A client that is killed resets its connections.
    if connection.read_line(&mut line).await.unwrap_or_default() == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { bail!("no request: {line:?}") };
    let mut length = 0;
    loop {
        let mut header = String::new();
        connection.read_line(&mut header).await.context("reading headers")?;
        let Some((name, value)) = header.split_once(':') else { break };
        ensure!(!name.eq_ignore_ascii_case("transfer-encoding"), "a body whose length is not told");
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().context("content-length")?;
        }
    }
    ensure!(length <= LONGEST_BODY, "a body of {length} bytes");
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.context("reading a body")?;
    Ok(Some(Request { method, path, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_on_one_connection_are_answered_one_after_the_other() {
        let server = Server::start(|request| {
            (200, format!("{} {} {}", request.method, request.path, String::from_utf8_lossy(&request.body)))
        })
        .await
        .unwrap();
        let mut connection = TcpStream::connect(server.address()).await.unwrap();
        let requests = "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello\
                        GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        connection.write_all(requests.as_bytes()).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut answers = String::new();
        connection.read_to_string(&mut answers).await.unwrap();
        assert!(answers.contains("POST /a hello") && answers.contains("GET /b "), "{answers}");
    }
}
