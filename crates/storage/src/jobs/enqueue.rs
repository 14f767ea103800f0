//! Asking for work.

use std::time::Duration;

use domain::{
    ids::{JobId, TenantId},
    job::Job,
};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, Statement};

use super::{millis, with_now};
use crate::{
    db::{SystemTx, WriteTx},
    error::Error,
};

/// What became of a request for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// A new job.
    New(JobId),
    /// The same job waits or runs already; nothing was added.
    Duplicate,
}

/// Asks for a job of the transaction's tenant, to run after `run_in`. The job exists if and when the transaction
/// commits.
///
/// A job that runs counts as the same job too, though it may have read old data already: a job that cares looks again
/// at its end.
pub async fn enqueue(tx: &WriteTx, job: &Job, run_in: Duration) -> Result<Enqueued, Error> {
    let scope = tx.scope();
    insert(tx.inner(), scope.tenant_id(), scope.actor().request_id.clone(), job, run_in).await
}

/// The same for a tenant that the schedule has found.
pub async fn enqueue_system(
    tx: &SystemTx,
    tenant: TenantId,
    job: &Job,
    run_in: Duration,
) -> Result<Enqueued, Error> {
    insert(tx.inner(), tenant, None, job, run_in).await
}

async fn insert(
    tx: &DatabaseTransaction,
    tenant: TenantId,
    request_id: Option<String>,
    job: &Job,
    run_in: Duration,
) -> Result<Enqueued, Error> {
    let id = JobId::generate();
    let payload = serde_json::to_string(job).map_err(|e| Error::damaged("job payload", &e))?;
    let sql = "INSERT INTO job (id, tenant_id, queue, kind, payload_version, payload, dedup_key, request_id, state, \
               max_attempts, run_at, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $9, {now} + $10, {now}) ON CONFLICT DO NOTHING";
    let values = [
        id.as_uuid().into(),
        tenant.as_uuid().into(),
        job.queue().name().into(),
        job.kind().into(),
        Job::VERSION.into(),
        payload.into(),
        job.dedup_key().into(),
        request_id.into(),
        job.max_attempts().into(),
        millis(run_in).into(),
    ];
    let backend = tx.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, with_now(backend, sql), values);
    Ok(match tx.execute_raw(statement).await?.rows_affected() {
        0 => Enqueued::Duplicate,
        _ => Enqueued::New(id),
    })
}
