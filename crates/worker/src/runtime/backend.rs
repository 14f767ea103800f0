//! How apalis gets its jobs.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral, queue::Queue},
    task::{Task, builder::TaskBuilder, task_id::TaskId},
    worker::context::WorkerContext,
};
use uuid::Uuid;

use super::{
    settle::{Ending, SettleLayer},
    slots::Assignment,
};

/// A queue of the `job` table. It never fails: an error would end the apalis worker, so outages are waited out where
/// jobs are claimed.
pub(super) struct JobBackend {
    ending: Ending,
}

impl JobBackend {
    pub(super) const fn new(ending: Ending) -> Self {
        Self { ending }
    }
}

impl Backend for JobBackend {
    type Task = Task<Assignment>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        self.ending.slots().poll_next(cx).map(|assignment| {
            let job = &assignment.job;
            let task_id = TaskId::from_uuid(job.id.as_uuid());
            // apalis counts the attempt that starts now itself.
            let attempts = usize::try_from(job.attempts).unwrap_or(0);
            let max_attempts = usize::try_from(job.max_attempts).unwrap_or(0);
            let task = TaskBuilder::new(assignment)
                .task_id(task_id)
                .attempt(attempts)
                .max_attempts(max_attempts)
                .queue(Queue::from(self.ending.queue().name()));
            Some(Ok(task.build()))
        })
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for JobBackend {
    type Args = Assignment;
    type Id = Uuid;
    // Payloads are decoded by the handler: one that does not decode must not end the worker.
    type Kind = Ephemeral;
    type Config = ();
    type Layer = SettleLayer;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> SettleLayer {
        SettleLayer::new(self.ending.clone())
    }
}
