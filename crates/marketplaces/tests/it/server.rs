//! A marketplace that says what a test tells it to, and remembers what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::StatusCode,
    web::{Bytes, Data},
};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

/// One request, as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(crate) authorization: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) at: Instant,
    /// How many requests for the same path came before.
    pub(crate) earlier: usize,
}

/// What to answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    cut: bool,
    delay: Duration,
    rows: Option<(usize, Row)>,
    around: (&'static str, &'static str),
}

impl Reply {
    /// A list of so many rows, each made when it is sent.
    pub(crate) fn rows(count: usize, row: Row) -> Self {
        Self { rows: Some((count, row)), ..Self::new(200, "application/json", "") }
    }

    /// Puts the list of rows into something larger.
    pub(crate) fn within(self, before: &'static str, after: &'static str) -> Self {
        Self { around: (before, after), ..self }
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self::new(200, "application/json", &body.to_string())
    }

    pub(crate) fn new(status: u16, content_type: &'static str, body: &str) -> Self {
        let (headers, delay) = (Vec::new(), Duration::ZERO);
        Self {
            status,
            content_type,
            headers,
            body: body.into(),
            cut: false,
            delay,
            rows: None,
            around: ("", ""),
        }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::new(status, "application/problem+json", r#"{"title":"no","detail":"no"}"#)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Breaks the connection off in the middle of the body.
    pub(crate) fn cut(mut self) -> Self {
        self.cut = true;
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// Makes the row of a number.
type Row = fn(usize) -> String;

/// Rows that are sent at once.
const TOGETHER: usize = 64;

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    asked: Mutex<Vec<Asked>>,
}

/// The running server; stops when it is dropped.
pub(crate) struct Server {
    shared: Arc<Shared>,
    handle: ServerHandle,
    url: Url,
}

impl Server {
    pub(crate) fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared { script: Box::new(script), asked: Mutex::default() });
        let data = Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).default_service(actix_web::web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]).parse().unwrap();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { shared, handle, url }
    }

    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    /// Everything that was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// The paths that were asked for, in order.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let reply = {
        let mut all = shared.asked.lock().unwrap();
        let query = url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
        let header = request.headers().get("authorization");
        let headers = request.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let asked = Asked {
            path: request.path().to_owned(),
            query,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            authorization: header.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default(),
            headers,
            at: Instant::now(),
            earlier: all.iter().filter(|asked| asked.path == request.path()).count(),
        };
        all.push(asked.clone());
        drop(all);
        (shared.script)(&asked)
    };
    tokio::time::sleep(reply.delay).await;
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap());
    response.content_type(reply.content_type);
    for (name, value) in &reply.headers {
        response.insert_header((*name, value.as_str()));
    }
    if reply.cut {
        let half = Bytes::copy_from_slice(&reply.body[..reply.body.len() / 2]);
        let parts = futures::stream::iter([Ok(half), Err(std::io::Error::other("cut off"))]);
        return response.no_chunking(reply.body.len() as u64).streaming(parts);
    }
    if let Some((count, row)) = reply.rows {
        let (before, after) = reply.around;
        let parts = (0..count.max(1)).step_by(TOGETHER).map(move |from| {
            let to = count.min(from + TOGETHER);
            let rows = (from..to).map(row).collect::<Vec<_>>().join(",");
            let begin = if from == 0 { format!("{before}[") } else { ",".to_owned() };
            let end = if to == count { format!("]{after}") } else { String::new() };
            Ok::<_, std::io::Error>(Bytes::from(begin + &rows + &end))
        });
        return response.streaming(futures::stream::iter(parts));
    }
    response.body(reply.body)
}
