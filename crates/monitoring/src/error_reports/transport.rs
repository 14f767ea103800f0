//! The way to the network: a queue, a thread that scrubs whatever is in it, and Sentry's own transport at its end.
//!
//! Nobody waits on it, not even the end of the process for longer than it says: the thread is never joined, since what it
//! hands over to may wait for a server that does not answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use sentry::{
    Envelope, Transport, TransportFactory, TransportOptions,
    protocol::{EnvelopeItem, Event, Transaction},
    transports::ReqwestHttpTransportOptions,
};
use serde::{Serialize, de::DeserializeOwned};

use super::scrub::Scrubber;

/// Envelopes that wait at most.
const WAITING: usize = 100;
/// With more waiting, traces are dropped: there is to be room for failures.
const WAITING_FOR_TRACES: usize = WAITING / 4;
/// How long Sentry may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends over HTTP, and gives up in time: without a limit one request that is never answered would be the last.
pub(super) struct Http;

impl TransportFactory for Http {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build();
        let options = ReqwestHttpTransportOptions::from(options);
        let options = match client {
            Ok(client) => options.with_client(client),
            Err(error) => {
                tracing::warn!(%error, "reports are sent by Sentry's own HTTP client, which waits without a limit");
                options
            }
        };
        Arc::new(options.build())
    }
}

/// Makes transports that scrub.
pub(super) struct Scrubbing(Arc<dyn TransportFactory>);

impl Scrubbing {
    pub(super) fn around(inner: Arc<dyn TransportFactory>) -> Self {
        Self(inner)
    }
}

impl TransportFactory for Scrubbing {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let inner = self.0.create_transport_with_options(options);
        let (queue, tasks) = sync_channel(WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        let sending = Sending { inner, scrubber: Scrubber::new(), waiting: Arc::clone(&waiting) };
        let thread = std::thread::Builder::new().name("error-reports".to_owned());
        if let Err(error) = thread.spawn(move || sending.work(&tasks)) {
            tracing::warn!(%error, "nothing is reported: there is no thread for it");
        }
        Arc::new(ScrubbingTransport { queue, waiting })
    }
}

enum Task {
    Send(Box<Envelope>),
    /// Tells whether everything before it was sent within the time.
    Flush(Duration, SyncSender<bool>),
}

/// Puts everything into a queue, and drops what it does not hold.
struct ScrubbingTransport {
    queue: SyncSender<Task>,
    waiting: Arc<AtomicUsize>,
}

impl Transport for ScrubbingTransport {
    fn send_envelope(&self, envelope: Envelope) {
        let is_trace = envelope.items().any(|item| matches!(item, EnvelopeItem::Transaction(_)));
        if is_trace && self.waiting.load(Ordering::Relaxed) >= WAITING_FOR_TRACES {
            return;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(Task::Send(Box::new(envelope))).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn flush(&self, timeout: Duration) -> bool {
        let (tell, told) = sync_channel(1);
        self.queue.try_send(Task::Flush(timeout, tell)).is_ok() && told.recv_timeout(timeout).unwrap_or(false)
    }

    fn shutdown(&self, timeout: Duration) -> bool {
        self.flush(timeout)
    }
}

/// The other end of the queue.
struct Sending {
    inner: Arc<dyn Transport>,
    scrubber: Scrubber,
    waiting: Arc<AtomicUsize>,
}

impl Sending {
    fn work(&self, tasks: &Receiver<Task>) {
        for task in tasks {
            match task {
                Task::Send(envelope) => {
                    if let Some(scrubbed) = self.scrubbed(*envelope) {
                        self.inner.send_envelope(scrubbed);
                    }
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                }
                Task::Flush(timeout, tell) => {
                    // Whoever asked may not wait any more.
                    let _ = tell.send(self.inner.flush(timeout));
                }
            }
        }
    }

    fn scrubbed(&self, envelope: Envelope) -> Option<Envelope> {
        let mut scrubbed = Envelope::new().with_headers(envelope.headers().clone());
        let mut anything = false;
        for item in envelope.into_items() {
            let item = match item {
                EnvelopeItem::Event(event) => Some(self.event(&event).into()),
                EnvelopeItem::Transaction(transaction) => {
                    self.clean::<Transaction<'static>>(&transaction).map(EnvelopeItem::from)
                }
                // Numbers of what was dropped.
                report @ EnvelopeItem::ClientReport(_) => Some(report),
                _ => None,
            };
            if let Some(item) = item {
                scrubbed.add_item(item);
                anything = true;
            }
        }
        anything.then_some(scrubbed)
    }

    /// What is no event any more is told as one that says nothing but that it was.
    fn event(&self, event: &Event<'static>) -> Event<'static> {
        self.clean(event).unwrap_or_else(|| Event {
            event_id: event.event_id,
            level: event.level,
            timestamp: event.timestamp,
            release: event.release.clone(),
            environment: event.environment.clone(),
            message: Some("a report that is none any more without what was taken out of it".to_owned()),
            ..Event::default()
        })
    }

    fn clean<T: Serialize + DeserializeOwned>(&self, item: &T) -> Option<T> {
        let mut value = serde_json::to_value(item).ok()?;
        self.scrubber.scrub(&mut value);
        serde_json::from_value(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpListener,
        time::{Duration, Instant},
    };

    use super::super::{Failure, Settings, Severity, capture, init};
    use crate::metrics::labels::Role;

    #[test]
    fn a_server_that_never_answers_holds_nobody_up() {
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        // Accepted by the system, and read by nobody.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let dsn = format!("http://key@{}/1", silent.local_addr().unwrap());
        let settings = Settings {
            dsn: Settings::dsn(&dsn).unwrap(),
            environment: "test".to_owned(),
            release: "stock-tracker@1.2.3".to_owned(),
            role: Role::Api,
            traces_sample_rate: 1.0,
        };
        let reports = init(&settings);
        let began = Instant::now();
        for number in 0..1_000 {
            let text = number.to_string();
            let failure =
                Failure { kind: "k", text: &text, severity: Severity::Error, place: "p", extras: Vec::new() };
            assert!(capture(failure).is_some());
        }
        drop(reports);
        // Reports that are waited for one after the other would take more than a quarter of an hour.
        assert!(began.elapsed() < Duration::from_mins(2), "{:?}", began.elapsed());
    }
}
