//! Reporting what failed.

use std::borrow::Cow;

use sentry::{
    Hub, Level,
    protocol::{Event, Exception, User, Value},
};
use uuid::Uuid;

/// Characters of a text that are told, and of those that tell one failure from another.
const LONGEST_TEXT: usize = 4_000;
const FINGERPRINT: usize = 200;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// A defect.
    Error,
    /// Something that others have to mend.
    Warning,
}

/// What failed.
#[derive(Debug, Clone)]
pub struct Failure<'a> {
    /// The kind of failure in one word, the same for every occurrence.
    pub kind: &'a str,
    /// What happened this time.
    pub text: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// Where it happened: a route, a task. Failures of one kind, place and text are one issue, whatever numbers are in
    /// the text.
    pub place: &'a str,
    /// What else is known.
    pub extras: Vec<(&'static str, Value)>,
}

/// Reports a failure, with what is known of the request or job at hand. Returns its id, by which it can be found.
pub fn capture(failure: Failure<'_>) -> Option<Uuid> {
    let hub = Hub::current();
    hub.client()?;
    let Failure { kind, text, severity, place, extras } = failure;
    let text: String = text.chars().take(LONGEST_TEXT).collect();
    let words: String = text.chars().filter(|c| !c.is_ascii_digit()).take(FINGERPRINT).collect();
    let parts = [kind.to_owned(), place.to_owned(), words];
    let exception = Exception { ty: kind.to_owned(), value: Some(text), ..Exception::default() };
    let event = Event {
        level: match severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        },
        exception: vec![exception].into(),
        transaction: Some(place.to_owned()),
        fingerprint: parts.into_iter().map(Cow::Owned).collect(),
        extra: extras.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Event::default()
    };
    Some(hub.capture_event(event)).filter(|id| !id.is_nil())
}

/// Marks the request or job at hand: its trace, and what is reported of it from now on.
pub fn tag(name: &str, value: &str) {
    let hub = Hub::current();
    if hub.client().is_some() {
        hub.configure_scope(|scope| {
            scope.set_tag(name, value);
            if let Some(trace) = scope.get_span() {
                trace.set_tag(name, value);
            }
        });
    }
}

/// Begins the request at hand anew: what is reported of it is named so, and nothing that happened before it is told.
/// `name` is one of few.
pub fn begin(name: &str) {
    let hub = Hub::current();
    if hub.client().is_some() {
        hub.configure_scope(|scope| {
            scope.clear_breadcrumbs();
            scope.set_transaction(Some(name));
        });
    }
}

/// Names the user for whom the request is answered, by id.
pub fn user(id: &str) {
    let hub = Hub::current();
    if hub.client().is_some() {
        let user = User { id: Some(id.to_owned()), ..User::default() };
        hub.configure_scope(|scope| scope.set_user(Some(user)));
        tag("user_id", id);
    }
}

/// The last report of the request or job at hand: of a panic, for one, which reports itself.
pub fn last() -> Option<Uuid> {
    Hub::current().last_event_id()
}
