//! The last step before the network.

use std::{sync::Arc, time::Duration};

use sentry::{
    Envelope, Transport, TransportFactory, TransportOptions,
    protocol::{EnvelopeItem, Event, Transaction},
};
use serde::{Serialize, de::DeserializeOwned};

use super::scrub::Scrubber;

/// Scrubs everything that another transport sends.
struct ScrubbingTransport {
    inner: Arc<dyn Transport>,
    scrubber: Scrubber,
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
        Arc::new(ScrubbingTransport { inner, scrubber: Scrubber::new() })
    }
}

impl Transport for ScrubbingTransport {
    /// What cannot be scrubbed is not sent.
    fn send_envelope(&self, envelope: Envelope) {
        let mut scrubbed = Envelope::new().with_headers(envelope.headers().clone());
        let mut anything = false;
        for item in envelope.into_items() {
            let item = match item {
                EnvelopeItem::Event(event) => self.scrubbed::<Event<'static>>(&event).map(EnvelopeItem::from),
                EnvelopeItem::Transaction(transaction) => {
                    self.scrubbed::<Transaction<'static>>(&transaction).map(EnvelopeItem::from)
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
        if anything {
            self.inner.send_envelope(scrubbed);
        }
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.inner.flush(timeout)
    }

    fn shutdown(&self, timeout: Duration) -> bool {
        self.inner.shutdown(timeout)
    }
}

impl ScrubbingTransport {
    fn scrubbed<T: Serialize + DeserializeOwned>(&self, item: &T) -> Option<T> {
        let mut value = serde_json::to_value(item).ok()?;
        self.scrubber.scrub(&mut value);
        serde_json::from_value(value).ok()
    }
}
