//! How the work goes that any process may do: as the database knows it.

use async_trait::async_trait;
use monitoring::health::{QueueReport, Work, WorkProbe};
use storage::{Db, Error, jobs, schedule};

/// Asks the tables of jobs and of the schedule.
pub(super) struct StoredWork(pub(super) Db);

#[async_trait]
impl WorkProbe for StoredWork {
    async fn look(&self) -> Option<Work> {
        let looked = async {
            let queues = jobs::depth(&self.0).await?.into_iter().map(|depth| QueueReport {
                name: depth.queue.name(),
                waiting: depth.due,
                oldest_seconds: depth.oldest.as_secs_f64(),
            });
            Ok::<_, Error>(Work { queues: queues.collect(), last_tick: schedule::last_tick(&self.0).await? })
        };
        // A database that is away is told of as such, once.
        looked.await.inspect_err(|error| tracing::debug!(%error, "the work could not be asked for")).ok()
    }
}
