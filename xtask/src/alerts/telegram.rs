//! The part of Telegram that Alertmanager speaks to.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use hyper::StatusCode;
use serde_json::{Value, json};

use crate::loopback::{Request, Server};
use crate::monitoring::alertmanager::{CHAT, TOKEN};

/// A message as it came.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) text: String,
    /// Whether the phones of the chat ring.
    pub(super) rings: bool,
}

/// A Telegram that keeps what it is told.
pub(super) struct Telegram {
    server: Server,
    messages: Arc<Mutex<Vec<Result<Message>>>>,
}

impl Telegram {
    pub(super) async fn start() -> Result<Self> {
        let messages = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&messages);
        let server = Server::start(move |request| {
            let message = read(&request);
            let is_good = message.is_ok();
            keeps.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            if is_good {
                let sent = json!({ "message_id": 1, "date": 1, "chat": { "id": CHAT, "type": "group" } });
                (StatusCode::OK, json!({ "ok": true, "result": sent }).to_string())
            } else {
                (
                    StatusCode::BAD_REQUEST,
                    json!({ "ok": false, "error_code": 400, "description": "Bad Request" }).to_string(),
                )
            }
        })
        .await?;
        Ok(Self { server, messages })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// What came since the last look. A message that Telegram would not take is an error.
    pub(super) fn take(&self) -> Result<Vec<Message>> {
        std::mem::take(&mut *self.messages.lock().unwrap_or_else(PoisonError::into_inner))
            .into_iter()
            .collect()
    }
}

/// Reads a call as Telegram would.
fn read(request: &Request) -> Result<Message> {
    let told = || format!("{} {}: {}", request.method, request.path, String::from_utf8_lossy(&request.body));
    ensure!(
        request.method == "POST" && request.path == format!("/bot{TOKEN}/sendMessage"),
        "Telegram was called otherwise: {}",
        told()
    );
    let body: Value = serde_json::from_slice(&request.body).with_context(told)?;
    let chat = &body["chat_id"];
    ensure!(
        chat.as_i64() == Some(CHAT) || chat.as_str() == Some(&CHAT.to_string()),
        "another chat: {}",
        told()
    );
    ensure!(body["parse_mode"] == "HTML", "not HTML: {}", told());
    let text = body["text"].as_str().with_context(told)?.to_owned();
    ensure!((1..=4096).contains(&text.chars().count()), "Telegram refuses a text of such length: {}", told());
    // Booleans are texts to the client that Alertmanager uses.
    let rings = match &body["disable_notification"] {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::String(text) if text == "false" => true,
        Value::String(text) if text == "true" => false,
        _ => bail!("disable_notification is neither true nor false: {}", told()),
    };
    Ok(Message { text, rings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str, body: &Value) -> Request {
        Request { method: "POST".to_owned(), path: path.to_owned(), body: body.to_string().into_bytes() }
    }

    #[test]
    fn only_what_telegram_would_take_is_a_message() {
        let body =
            json!({ "chat_id": "1", "parse_mode": "HTML", "text": "a", "disable_notification": "true" });
        let message = read(&call("/bot1:a/sendMessage", &body)).unwrap();
        assert_eq!((message.text.as_str(), message.rings), ("a", false));
        assert!(read(&call("/bot2:b/sendMessage", &body)).is_err());
        for (field, value) in [("chat_id", json!(2)), ("parse_mode", json!("")), ("text", json!(""))] {
            let mut wrong = body.clone();
            wrong[field] = value;
            assert!(read(&call("/bot1:a/sendMessage", &wrong)).is_err(), "{field}");
        }
    }
}
