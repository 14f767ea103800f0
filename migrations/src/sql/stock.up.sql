-- A sync in all its runs: retries and resumes go on in one row.
CREATE TABLE sync_run (
    tenant_id        UUID        NOT NULL,
    id               UUID        NOT NULL,
    account_id       UUID        NOT NULL,
    marketplace      TEXT        NOT NULL,
    state            TEXT        NOT NULL
        CHECK (state IN ('pending', 'running', 'completed', 'partial', 'failed', 'skipped', 'cancelled')),
    cause            TEXT        NOT NULL CHECK (cause IN ('manual', 'schedule', 'retry')),
    phase            TEXT,
    waiting_until    TIMESTAMPTZ,
    rows_done        BIGINT      NOT NULL DEFAULT 0,
    rows_total       BIGINT,
    products         BIGINT      NOT NULL DEFAULT 0,
    variants         BIGINT      NOT NULL DEFAULT 0,
    stock_rows       BIGINT      NOT NULL DEFAULT 0,
    movements        BIGINT      NOT NULL DEFAULT 0,
    order_lines      BIGINT      NOT NULL DEFAULT 0,
    failed           BIGINT      NOT NULL DEFAULT 0,
    unmatched_units  BIGINT      NOT NULL DEFAULT 0,
    -- The job that carries it through.
    job_id           UUID,
    -- The run of that job that may write; an older one that wakes up again may not.
    fence            BIGINT      NOT NULL DEFAULT 0,
    cancel_requested BOOLEAN     NOT NULL DEFAULT FALSE,
    requested_at     TIMESTAMPTZ NOT NULL,
    started_at       TIMESTAMPTZ,
    finished_at      TIMESTAMPTZ,
    error_code       TEXT,
    error_message    TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES marketplace_account (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX sync_run_live ON sync_run (tenant_id, account_id) WHERE state IN ('pending', 'running');
CREATE INDEX sync_run_by_account ON sync_run (tenant_id, account_id, id);
CREATE INDEX sync_run_by_end ON sync_run (tenant_id, finished_at, id);

-- How far each phase of a sync is. The position moves in the transaction that keeps the page before it.
CREATE TABLE sync_step (
    tenant_id     UUID        NOT NULL,
    sync_id       UUID        NOT NULL,
    phase         TEXT        NOT NULL,
    state         TEXT        NOT NULL CHECK (state IN ('running', 'complete', 'partial', 'failed', 'not_granted')),
    -- Where the reading began: the watermark of the one before; none for the beginning.
    since         TEXT,
    position      TEXT,
    watermark     TEXT,
    rows_read     BIGINT      NOT NULL DEFAULT 0,
    rows_failed   BIGINT      NOT NULL DEFAULT 0,
    started_at    TIMESTAMPTZ NOT NULL,
    error_code    TEXT,
    error_message TEXT,
    PRIMARY KEY (tenant_id, sync_id, phase),
    FOREIGN KEY (tenant_id, sync_id) REFERENCES sync_run (tenant_id, id) ON DELETE CASCADE
);

-- Stock as a sync reads it, page by page. It becomes the stock level of a side at once, when the side is complete.
CREATE TABLE stock_reading (
    tenant_id              UUID        NOT NULL,
    sync_id                UUID        NOT NULL,
    variant_id             UUID        NOT NULL,
    warehouse_id           UUID        NOT NULL,
    product_id             UUID        NOT NULL,
    side                   TEXT        NOT NULL CHECK (side IN ('fbo', 'fbs')),
    available              BIGINT      NOT NULL,
    reserved               BIGINT,
    on_hand                BIGINT,
    in_transit_to_customer BIGINT,
    in_transit_returns     BIGINT,
    PRIMARY KEY (tenant_id, sync_id, variant_id, warehouse_id),
    FOREIGN KEY (tenant_id, sync_id) REFERENCES sync_run (tenant_id, id) ON DELETE CASCADE
);

-- Stock and orders of a variant in a warehouse. `available` is NULL where stock was never measured; the order figures
-- are NULL until the orders of the account have been read.
CREATE TABLE stock_level (
    tenant_id              UUID   NOT NULL,
    variant_id             UUID   NOT NULL,
    warehouse_id           UUID   NOT NULL,
    account_id             UUID   NOT NULL,
    product_id             UUID   NOT NULL,
    available              BIGINT,
    reserved               BIGINT,
    on_hand                BIGINT,
    in_transit_to_customer BIGINT,
    in_transit_returns     BIGINT,
    -- The sync that last changed the level. How old it is, is known of the whole side: see account_reading.
    written_by             UUID,
    ordered_units          BIGINT,
    cancelled_units        BIGINT,
    ordered_today          BIGINT,
    revenue_minor          BIGINT,
    PRIMARY KEY (tenant_id, variant_id, warehouse_id),
    FOREIGN KEY (tenant_id, variant_id) REFERENCES variant (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, warehouse_id) REFERENCES warehouse (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX stock_level_by_account ON stock_level (tenant_id, account_id, variant_id, warehouse_id);
CREATE INDEX stock_level_by_product ON stock_level (tenant_id, product_id, variant_id, warehouse_id);
CREATE INDEX stock_level_by_warehouse ON stock_level (tenant_id, warehouse_id, variant_id);

-- The ledger. A level is the sum of its movements; the first one starts from nothing known.
CREATE TABLE stock_movement (
    tenant_id    UUID        NOT NULL,
    id           UUID        NOT NULL,
    account_id   UUID        NOT NULL,
    product_id   UUID        NOT NULL,
    variant_id   UUID        NOT NULL,
    warehouse_id UUID        NOT NULL,
    at           TIMESTAMPTZ NOT NULL,
    before       BIGINT,
    after        BIGINT      NOT NULL,
    cause        TEXT        NOT NULL,
    sync_id      UUID,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, variant_id) REFERENCES variant (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, warehouse_id) REFERENCES warehouse (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX stock_movement_once ON stock_movement (tenant_id, sync_id, variant_id, warehouse_id)
    WHERE sync_id IS NOT NULL;
CREATE INDEX stock_movement_by_level ON stock_movement (tenant_id, variant_id, warehouse_id, at);
CREATE INDEX stock_movement_by_warehouse ON stock_movement (tenant_id, warehouse_id);
CREATE INDEX stock_movement_by_product ON stock_movement (tenant_id, product_id, id);

CREATE TABLE order_line (
    tenant_id           UUID        NOT NULL,
    id                  UUID        NOT NULL,
    account_id          UUID        NOT NULL,
    marketplace         TEXT        NOT NULL,
    external_id         TEXT        NOT NULL,
    basket_id           TEXT,
    product_id          UUID,
    variant_id          UUID,
    warehouse_id        UUID,
    product_external_id TEXT,
    variant_external_id TEXT,
    barcode             TEXT,
    size                TEXT,
    quantity            BIGINT      NOT NULL,
    price_minor         BIGINT,
    list_price_minor    BIGINT,
    paid_price_minor    BIGINT,
    currency            TEXT,
    ordered_at          TIMESTAMPTZ NOT NULL,
    -- The calendar day of `ordered_at` in the zone of the marketplace.
    ordered_on          DATE        NOT NULL,
    changed_at          TIMESTAMPTZ NOT NULL,
    cancelled_at        TIMESTAMPTZ,
    status              TEXT        NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, account_id, external_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES marketplace_account (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX order_line_by_time ON order_line (tenant_id, ordered_at, id);
CREATE INDEX order_line_by_account ON order_line (tenant_id, account_id, ordered_at, id);
CREATE INDEX order_line_by_product ON order_line (tenant_id, product_id, ordered_at, id);
CREATE INDEX order_line_by_day ON order_line (tenant_id, account_id, ordered_on);
CREATE INDEX order_line_unmatched ON order_line (tenant_id, account_id, id) WHERE variant_id IS NULL;

-- Orders counted by day. The nil id stands for a variant or a warehouse that is not known.
CREATE TABLE order_day (
    tenant_id       UUID   NOT NULL,
    account_id      UUID   NOT NULL,
    ordered_on      DATE   NOT NULL,
    variant_id      UUID   NOT NULL,
    warehouse_id    UUID   NOT NULL,
    ordered_units   BIGINT NOT NULL,
    cancelled_units BIGINT NOT NULL,
    revenue_minor   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, account_id, ordered_on, variant_id, warehouse_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES marketplace_account (tenant_id, id) ON DELETE CASCADE
);
