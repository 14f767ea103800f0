//! What requests and jobs spend their time on.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use sentry::{
    Hub, SentryFutureExt as _, TransactionContext,
    protocol::{SpanId, SpanStatus},
};

/// Statements that write many rows are long.
const LONGEST_DESCRIPTION: usize = 500;

/// A piece of work outside a request.
#[derive(Debug, Clone)]
pub struct Work {
    /// Its name, one of few.
    pub name: String,
    /// The kind of work, as Sentry spells it: `queue.process`.
    pub operation: &'static str,
    /// What is known of it.
    pub tags: Vec<(&'static str, String)>,
}

/// Does a piece of work as a transaction of its own. What is reported meanwhile carries its tags and nothing of other
/// work. `is_ok` says whether it ended well.
pub async fn observed<F: Future>(work: Work, future: F, is_ok: impl FnOnce(&F::Output) -> bool) -> F::Output {
    let main = Hub::main();
    if main.client().is_none() {
        return future.await;
    }
    let hub = Arc::new(Hub::new_from_top(main));
    let transaction = hub.start_transaction(TransactionContext::new(&work.name, work.operation));
    hub.configure_scope(|scope| {
        // What led to this work did not happen while the process started.
        scope.clear_breadcrumbs();
        for (name, value) in &work.tags {
            scope.set_tag(name, value);
        }
        scope.set_span(Some(transaction.clone().into()));
    });
    let output = future.bind_hub(Arc::clone(&hub)).await;
    transaction.set_status(if is_ok(&output) { SpanStatus::Ok } else { SpanStatus::InternalError });
    // A transaction takes the tags of the hub that is current.
    Hub::run(hub, || transaction.finish());
    output
}

/// Lets work that goes on in a task of its own stay part of the request or job at hand.
pub fn with_scope<F: Future>(future: F) -> impl Future<Output = F::Output> {
    future.bind_hub(Hub::current())
}

/// Adds something that has just ended to the trace at hand, if there is one. `description` holds no values: a statement
/// with placeholders, a name.
pub fn span(operation: &str, description: &str, elapsed: Duration, failed: bool) {
    let hub = Hub::current();
    if hub.client().is_none() {
        return;
    }
    let Some(parent) = hub.configure_scope(|scope| scope.get_span()) else { return };
    let ended = SystemTime::now();
    let began = ended.checked_sub(elapsed).unwrap_or(ended);
    let shown = &description[..description.floor_char_boundary(LONGEST_DESCRIPTION)];
    let span = parent.start_child_with_details(operation, shown, SpanId::default(), began);
    span.set_status(if failed { SpanStatus::InternalError } else { SpanStatus::Ok });
    span.finish_with_timestamp(ended);
}
