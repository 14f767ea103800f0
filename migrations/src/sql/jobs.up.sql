-- Background work. Rows are written in the transaction that makes the work necessary. Read across tenants by the
-- workers, so without row-level security. Times are milliseconds since 1970 by the clock of the database, so that
-- workers with different clocks agree.
CREATE TABLE job (
    id              UUID    NOT NULL PRIMARY KEY,
    tenant_id       UUID    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    queue           TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    payload_version INTEGER NOT NULL,
    payload         TEXT    NOT NULL,
    dedup_key       TEXT    NOT NULL,
    request_id      TEXT,
    state           TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'dead')),
    -- Failures so far.
    attempts        INTEGER NOT NULL DEFAULT 0,
    max_attempts    INTEGER NOT NULL,
    -- Runs so far, failed or not; tells a run from an earlier one of the same job.
    starts          BIGINT  NOT NULL DEFAULT 0,
    run_at          BIGINT  NOT NULL,
    locked_by       UUID,
    lease_until     BIGINT,
    error           TEXT,
    created_at      BIGINT  NOT NULL,
    finished_at     BIGINT
);
CREATE UNIQUE INDEX job_live ON job (queue, dedup_key) WHERE state IN ('queued', 'running');
CREATE INDEX job_queued ON job (queue, tenant_id, run_at, id) WHERE state = 'queued';
CREATE INDEX job_running ON job (queue, tenant_id, lease_until) WHERE state = 'running';
CREATE INDEX job_ended ON job (finished_at) WHERE state IN ('done', 'dead');

CREATE TABLE event (
    tenant_id  UUID        NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    id         UUID        NOT NULL,
    at         TIMESTAMPTZ NOT NULL,
    name       TEXT        NOT NULL,
    payload    TEXT        NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- Budgets of sellers with marketplaces, shared by every process and by every tenant that connects the seller.
CREATE TABLE seller_limit (
    marketplace  TEXT   NOT NULL,
    seller       TEXT   NOT NULL,
    method_group TEXT   NOT NULL,
    full_at_ms   BIGINT NOT NULL,
    PRIMARY KEY (marketplace, seller, method_group)
);

-- Answers kept for clients that repeat a request with the same Idempotency-Key.
CREATE TABLE idempotent_request (
    tenant_id    UUID        NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    identity_id  UUID        NOT NULL,
    operation    TEXT        NOT NULL,
    key          TEXT        NOT NULL,
    request_hash TEXT        NOT NULL,
    -- None while the first request is still being answered.
    answer       TEXT,
    created_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, identity_id, operation, key)
);
