//! What an event must say.

use anyhow::{Result, bail};
use serde_json::Value;

/// What a field must hold.
#[derive(Clone, Debug)]
pub(super) enum Want {
    Is(String),
    /// An id that only whoever reported knows.
    Id,
}

/// A report that must arrive.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) what: &'static str,
    /// The request that it came of, which tells it from others.
    pub(super) request: String,
    /// JSON pointers into the event.
    pub(super) fields: Vec<(&'static str, Want)>,
}

impl Expected {
    pub(super) fn with(mut self, fields: Vec<(&'static str, Want)>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Whether an event came of the same request.
    pub(super) fn is_about(&self, event: &Value) -> bool {
        event["tags"]["request_id"] == self.request.as_str()
    }

    /// Looks for an event with all of the fields, and gives them as text.
    pub(super) fn found(&self, events: &[Value]) -> Result<String> {
        let mut nearest: Option<Vec<String>> = None;
        for event in events.iter().filter(|event| self.is_about(event)) {
            let wrong = self.wrong(event);
            if wrong.is_empty() {
                let told = |(pointer, _): &(&str, Want)| {
                    let name = pointer.trim_start_matches("/tags/").trim_start_matches('/');
                    format!("{name}={}", event.pointer(pointer).and_then(Value::as_str).unwrap_or_default())
                };
                let fields: Vec<_> = self.fields.iter().map(told).collect();
                return Ok(format!("{} [{}]", title(event), fields.join(", ")));
            }
            if nearest.as_ref().is_none_or(|nearest| nearest.len() > wrong.len()) {
                nearest = Some(wrong);
            }
        }
        match nearest {
            Some(wrong) => bail!("arrived with {}", wrong.join(", ")),
            None => bail!("nothing of {} arrived", self.request),
        }
    }

    fn wrong(&self, event: &Value) -> Vec<String> {
        let is_right = |value: Option<&Value>, want: &Want| match (value.and_then(Value::as_str), want) {
            (Some(text), Want::Is(wanted)) => text == wanted,
            (Some(text), Want::Id) => text.parse::<uuid::Uuid>().is_ok(),
            (None, _) => false,
        };
        let fields = self.fields.iter().filter(|(pointer, want)| !is_right(event.pointer(pointer), want));
        fields
            .map(|(pointer, want)| {
                let value = event.pointer(pointer).unwrap_or(&Value::Null);
                format!("{pointer} {value} instead of {want:?}")
            })
            .collect()
    }
}

/// What an event is about, in a line.
pub(super) fn title(event: &Value) -> String {
    let word = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (kind, text) = (word("/exception/values/0/type"), word("/exception/values/0/value"));
    let text = if kind.is_empty() { word("/message").to_owned() } else { format!("{kind}: {text}") };
    text.replace('\n', " ").chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_needs_every_field_and_the_right_request() {
        let expected = Expected { what: "an error", request: "r-1".to_owned(), fields: Vec::new() }
            .with(vec![("/release", Want::Is("a@1".to_owned())), ("/tags/tenant_id", Want::Id)]);
        let event = |request: &str, tenant: &str| {
            let tags = json!({ "request_id": request, "tenant_id": tenant });
            json!({ "release": "a@1", "tags": tags })
        };
        let id = uuid::Uuid::now_v7().to_string();
        assert!(expected.found(&[event("r-2", ""), event("r-1", &id)]).is_ok());
        assert!(expected.found(&[event("r-2", &id)]).is_err());
        let wrong = expected.found(&[event("r-1", "x")]).unwrap_err().to_string();
        assert!(wrong.contains("/tags/tenant_id") && !wrong.contains("/release"), "{wrong}");
    }
}
