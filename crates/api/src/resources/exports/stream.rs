//! Rows on their way to a client, a part at a time.
//!
//! A task reads the next part while the client takes the one before, and holds the export's transaction. A client that
//! does not take a part in time loses it: the task ends, and with it the transaction. What has been sent then ends
//! without its proper end, so that nobody takes it for the whole.

use std::time::Duration;

use actix_web::web::Bytes;
use app::StockExport;
use domain::picture::Stock;
use futures::{Stream, stream};
use monitoring::error_reports;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{Instant, timeout_at},
};
use tracing::Instrument as _;

use crate::problem::Problem;

/// Longest time of a whole export, however fast its client takes parts: databases keep what an open transaction may
/// still read.
const LONGEST: Duration = Duration::from_mins(15);

/// How rows become bytes.
pub(super) trait Encode: 'static {
    /// What comes before the rows.
    fn begin(&mut self) -> Result<Vec<u8>, EncodeError>;
    /// Some rows.
    fn rows(&mut self, rows: Vec<Stock>) -> Result<Vec<u8>, EncodeError>;
}

/// A row that cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum EncodeError {
    /// As CSV.
    #[error("csv: {0}")]
    Csv(#[from] csv::Error),
    /// As JSON.
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
}

/// Ends an answer without its proper end.
#[derive(Debug, thiserror::Error)]
#[error("the export was not taken to its end")]
pub(super) struct Broken;

/// What the client gets next.
enum Part {
    Rows(Bytes),
    End,
}

/// Begins to send an export. The first part is read here, so that what cannot even begin is a problem.
pub(super) async fn send(
    mut export: StockExport,
    mut encode: impl Encode,
    patience: Duration,
) -> Result<impl Stream<Item = Result<Bytes, Broken>>, Problem> {
    let mut first = encode.begin().map_err(Problem::internal)?;
    if let Some(rows) = export.next().await? {
        first.extend(encode.rows(rows).map_err(Problem::internal)?);
    }
    let (sender, receiver) = mpsc::channel(1);
    let producer = Producer { encode, sender, patience, until: Instant::now() + LONGEST };
    let task = async move {
        match producer.run(export, first).await {
            Ok(()) | Err(Stop::Unwanted) => {}
            Err(Stop::Stalled) => {
                tracing::warn!("an export was given up: its client does not take it in time");
            }
            Err(Stop::Failed(cause)) => tracing::error!(cause, "an export failed"),
        }
    };
    actix_web::rt::spawn(error_reports::with_scope(task.in_current_span()));
    Ok(stream::unfold(Some(receiver), receive))
}

/// Reads part after part.
struct Producer<E> {
    encode: E,
    sender: Sender<Part>,
    /// How long the client may take for a part while the transaction is open.
    patience: Duration,
    /// When the transaction ends at the latest.
    until: Instant,
}

/// Why an export is not sent to its end.
enum Stop {
    /// The client has gone.
    Unwanted,
    /// The client did not take a part in time.
    Stalled,
    Failed(String),
}

impl<E: Encode> Producer<E> {
    async fn run(mut self, mut export: StockExport, first: Vec<u8>) -> Result<(), Stop> {
        let mut bytes = first;
        while !export.is_over() {
            let until = self.until.min(Instant::now() + self.patience);
            let sent = timeout_at(until, self.sender.send(Part::Rows(bytes.into()))).await;
            sent.map_err(|_| Stop::Stalled)?.map_err(|_| Stop::Unwanted)?;
            let rows = export.next().await.map_err(|error| Stop::Failed(error.to_string()))?;
            bytes = self.encode.rows(rows.unwrap_or_default()).map_err(|e| Stop::Failed(e.to_string()))?;
        }
        // What is left to send needs no database, and may wait for its client.
        drop(export);
        for part in [Part::Rows(bytes.into()), Part::End] {
            self.sender.send(part).await.map_err(|_| Stop::Unwanted)?;
        }
        Ok(())
    }
}

async fn receive(
    receiver: Option<Receiver<Part>>,
) -> Option<(Result<Bytes, Broken>, Option<Receiver<Part>>)> {
    let mut receiver = receiver?;
    loop {
        return match receiver.recv().await {
            // On the wire an empty piece would be the end.
            Some(Part::Rows(bytes)) if bytes.is_empty() => continue,
            Some(Part::Rows(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Part::End) => None,
            None => Some((Err(Broken), None)),
        };
    }
}
