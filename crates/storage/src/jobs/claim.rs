//! Taking jobs, fairly over tenants.
//!
//! A job's rank is what its tenant has running plus its place in the tenant's own line; the lowest ranks are taken,
//! the oldest first. A tenant with ten thousand jobs waits behind another's first one. The queued tenants are found by
//! a loose scan of the index, one probe for each, not one for each job.

use std::time::Duration;

use domain::{
    actor::Actor,
    ids::{JobId, TenantId},
    job::{Job, Queue},
};
use sea_orm::{DbBackend, FromQueryResult};
use uuid::Uuid;

use super::{lease::RunKey, millis, rows};
use crate::{db::Db, error::Error, scope::TenantScope};

/// What a worker asks for.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// From which queue.
    pub queue: Queue,
    /// Who asks: new for every start of a process.
    pub worker: Uuid,
    /// How many jobs at most.
    pub limit: u32,
    /// How many jobs of one tenant may run at the same time in this queue, over all workers.
    pub per_tenant: u32,
    /// How long the jobs are the worker's before it has to renew.
    pub lease: Duration,
}

/// A job that is the caller's to run.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    /// Which job.
    pub id: JobId,
    /// The right to work for its tenant.
    pub scope: TenantScope,
    /// Its name. It may be one that this code does not know.
    pub kind: String,
    /// The payload as it is stored.
    pub payload: String,
    /// The version of the payload.
    pub payload_version: i32,
    /// Failures so far.
    pub attempts: i32,
    /// The failure after which it is given up.
    pub max_attempts: i32,
    /// Runs so far, this one included. A later run of the same job has a higher number.
    pub starts: i64,
    /// The request that caused it, if one did.
    pub request_id: Option<String>,
}

impl ClaimedJob {
    /// What is to be done. Fails with [`Error::Damaged`] when this code does not know how.
    pub fn decode(&self) -> Result<Job, Error> {
        if self.payload_version != Job::VERSION {
            let reason = format!("version {} where {} is known", self.payload_version, Job::VERSION);
            return Err(Error::damaged("job payload", &reason));
        }
        serde_json::from_str(&self.payload).map_err(|e| Error::damaged("job payload", &e))
    }

    /// Tells this run from any other.
    pub const fn key(&self) -> RunKey {
        RunKey { id: self.id, starts: self.starts }
    }

    /// Whether it is given up if this run fails.
    pub const fn is_last_attempt(&self) -> bool {
        self.attempts + 1 >= self.max_attempts
    }
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    tenant_id: Uuid,
    kind: String,
    payload: String,
    payload_version: i32,
    attempts: i32,
    max_attempts: i32,
    starts: i64,
    request_id: Option<String>,
    run_at: i64,
}

impl From<Row> for ClaimedJob {
    fn from(row: Row) -> Self {
        let id = JobId::from(row.id);
        let actor = Actor { request_id: row.request_id.clone(), ..Actor::job(id) };
        Self {
            id,
            scope: TenantScope::new(TenantId::from(row.tenant_id), actor),
            kind: row.kind,
            payload: row.payload,
            payload_version: row.payload_version,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            starts: row.starts,
            request_id: row.request_id,
        }
    }
}

/// States are literals: a partial index is only used when its condition is in the text of the statement.
const TENANTS: &str = "
WITH RECURSIVE tenant(t) AS (
  SELECT (SELECT tenant_id FROM job WHERE queue = $1 AND state = 'queued' ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (SELECT x.tenant_id FROM job x WHERE x.queue = $1 AND x.state = 'queued' AND x.tenant_id > tenant.t
          ORDER BY x.tenant_id LIMIT 1)
  FROM tenant WHERE tenant.t IS NOT NULL
),
busy AS (SELECT tenant_id, count(*) AS n FROM job WHERE queue = $1 AND state = 'running' GROUP BY tenant_id),";

/// More candidates than wanted, because another worker may lock some of them first.
const POSTGRES: &str = "
cand AS (
  SELECT j.id, coalesce(busy.n, 0) + j.rn AS rank, j.run_at
  FROM tenant
  CROSS JOIN LATERAL (
    SELECT x.id, x.run_at, row_number() OVER (ORDER BY x.run_at, x.id) AS rn FROM job x
    WHERE x.queue = $1 AND x.state = 'queued' AND x.tenant_id = tenant.t AND x.run_at <= {now}
    ORDER BY x.run_at, x.id LIMIT $5) j
  LEFT JOIN busy ON busy.tenant_id = tenant.t
  WHERE coalesce(busy.n, 0) + j.rn <= $6
  ORDER BY 2, 3 LIMIT $5
),
locked AS MATERIALIZED (
  SELECT job.id FROM job JOIN cand ON cand.id = job.id WHERE job.state = 'queued'
  ORDER BY cand.rank, cand.run_at LIMIT $4 FOR UPDATE OF job SKIP LOCKED
)
UPDATE job SET state = 'running', starts = starts + 1, locked_by = $2, lease_until = {now} + $3
FROM locked WHERE job.id = locked.id
RETURNING job.id, job.tenant_id, job.kind, job.payload, job.payload_version, job.attempts, job.max_attempts,
  job.starts, job.request_id, job.run_at";

/// One statement takes the write lock before it reads: nobody can come between.
const SQLITE: &str = "
cand AS (
  SELECT j.id, coalesce(busy.n, 0) + row_number() OVER (PARTITION BY j.tenant_id ORDER BY j.run_at, j.id) AS rank,
    j.run_at
  FROM tenant
  JOIN job j ON j.id IN (
    SELECT x.id FROM job x WHERE x.queue = $1 AND x.state = 'queued' AND x.tenant_id = tenant.t AND x.run_at <= {now}
    ORDER BY x.run_at, x.id LIMIT $5)
  LEFT JOIN busy ON busy.tenant_id = tenant.t
)
UPDATE job SET state = 'running', starts = starts + 1, locked_by = $2, lease_until = {now} + $3
WHERE id IN (SELECT id FROM cand WHERE rank <= $6 ORDER BY rank, run_at LIMIT $4)
RETURNING id, tenant_id, kind, payload, payload_version, attempts, max_attempts, starts, request_id, run_at";

/// Takes up to `limit` due jobs, the oldest first.
pub async fn claim(db: &Db, claim: &Claim) -> Result<Vec<ClaimedJob>, Error> {
    let limit = i64::from(claim.limit);
    let choice = if db.backend() == DbBackend::Postgres { POSTGRES } else { SQLITE };
    let values = [
        claim.queue.name().into(),
        claim.worker.into(),
        millis(claim.lease).into(),
        limit.into(),
        (4 * limit).into(),
        i64::from(claim.per_tenant).into(),
    ];
    let mut rows: Vec<Row> = rows(db, &format!("{TENANTS}{choice}"), values).await?;
    rows.sort_unstable_by_key(|row| (row.run_at, row.id));
    Ok(rows.into_iter().map(ClaimedJob::from).collect())
}
