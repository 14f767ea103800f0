-- Marketplace accounts and what is read from them. Every table is keyed by its tenant first.
CREATE TABLE marketplace_account (
    tenant_id             UUID        NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    id                    UUID        NOT NULL,
    marketplace           TEXT        NOT NULL,
    name                  TEXT        NOT NULL,
    state                 TEXT        NOT NULL CHECK (state IN ('active', 'auth_failed', 'paused', 'limited')),
    seller_external_id    TEXT        NOT NULL,
    seller_name           TEXT        NOT NULL,
    capabilities          TEXT        NOT NULL,
    credential_sealed     TEXT        NOT NULL,
    credential_masked     TEXT        NOT NULL,
    credential_expires_at TIMESTAMPTZ,
    credential_scopes     TEXT        NOT NULL,
    sync_interval_minutes INTEGER,
    last_sync_state       TEXT,
    last_sync_at          TIMESTAMPTZ,
    created_at            TIMESTAMPTZ NOT NULL,
    updated_at            TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, marketplace, seller_external_id)
);

-- When each account is due. Read across tenants by the scheduler, so without row-level security; it holds no more
-- than is needed to find who is due.
CREATE TABLE account_schedule (
    tenant_id    UUID NOT NULL,
    account_id   UUID NOT NULL,
    -- None while the account is not synced on schedule.
    next_sync_at TIMESTAMPTZ,
    -- The moment from which the figures of the account count another window; none before its orders are known.
    next_turn_at TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, account_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES marketplace_account (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX account_schedule_by_sync ON account_schedule (next_sync_at) WHERE next_sync_at IS NOT NULL;
CREATE INDEX account_schedule_by_turn ON account_schedule (next_turn_at) WHERE next_turn_at IS NOT NULL;

-- What has last been read completely of an account, subject by subject, and from where the next reading can start.
CREATE TABLE account_reading (
    tenant_id         UUID NOT NULL,
    account_id        UUID NOT NULL,
    subject           TEXT NOT NULL CHECK (subject IN ('products', 'fbo', 'fbs', 'orders')),
    watermark         TEXT,
    -- When the last complete reading began: nothing it read is older.
    completed_at      TIMESTAMPTZ,
    -- The last reading from the very beginning, where others may start at the watermark.
    full_completed_at TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, account_id, subject),
    FOREIGN KEY (tenant_id, account_id) REFERENCES marketplace_account (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE warehouse (
    tenant_id   UUID        NOT NULL,
    id          UUID        NOT NULL,
    account_id  UUID        NOT NULL,
    kind        TEXT        NOT NULL CHECK (kind IN ('marketplace', 'seller', 'aggregate')),
    external_id TEXT,
    name        TEXT{bytes} NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES marketplace_account (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX warehouse_by_account ON warehouse (tenant_id, account_id, id);
CREATE UNIQUE INDEX warehouse_by_external_id ON warehouse (tenant_id, account_id, kind, external_id)
    WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX warehouse_by_name ON warehouse (tenant_id, account_id, kind, name) WHERE external_id IS NULL;

-- Figures are stored, so that lists can be ordered by them. In this table an unknown figure is -1: an order with
-- NULLs inside cannot be paged through by key.
CREATE TABLE product (
    tenant_id              UUID        NOT NULL,
    id                     UUID        NOT NULL,
    account_id             UUID        NOT NULL,
    marketplace            TEXT        NOT NULL,
    external_id            TEXT{bytes} NOT NULL,
    seller_article         TEXT{bytes} NOT NULL DEFAULT '',
    name                   TEXT{bytes} NOT NULL DEFAULT '',
    brand                  TEXT,
    category               TEXT,
    active                 BOOLEAN     NOT NULL,
    search_text            TEXT{bytes} NOT NULL,
    -- The sync that last saw it in the catalogue.
    seen_by                UUID,
    total_stock            BIGINT      NOT NULL DEFAULT -1,
    fbo_stock              BIGINT      NOT NULL DEFAULT -1,
    fbs_stock              BIGINT      NOT NULL DEFAULT -1,
    in_transit_to_customer BIGINT      NOT NULL DEFAULT -1,
    in_transit_returns     BIGINT      NOT NULL DEFAULT -1,
    ordered_units          BIGINT      NOT NULL DEFAULT -1,
    cancelled_units        BIGINT      NOT NULL DEFAULT -1,
    ordered_today          BIGINT      NOT NULL DEFAULT -1,
    revenue_minor          BIGINT      NOT NULL DEFAULT -1,
    currency               TEXT,
    -- Orders products by days of cover: thousandths of a day; above every number where nothing was ordered.
    cover_rank             BIGINT      NOT NULL DEFAULT -1,
    created_at             TIMESTAMPTZ NOT NULL,
    updated_at             TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, account_id, external_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES marketplace_account (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX product_by_name ON product (tenant_id, active, name, id);
CREATE INDEX product_by_seller_article ON product (tenant_id, active, seller_article, id);
CREATE INDEX product_by_total_stock ON product (tenant_id, active, total_stock, id);
CREATE INDEX product_by_ordered_units ON product (tenant_id, active, ordered_units, id);
CREATE INDEX product_by_cover ON product (tenant_id, active, cover_rank, id);
CREATE INDEX product_by_revenue ON product (tenant_id, active, revenue_minor, id);
CREATE INDEX product_by_in_transit ON product (tenant_id, active, in_transit_to_customer, id);
CREATE INDEX product_by_updated_at ON product (tenant_id, active, updated_at, id);

CREATE TABLE variant (
    tenant_id              UUID        NOT NULL,
    id                     UUID        NOT NULL,
    account_id             UUID        NOT NULL,
    product_id             UUID        NOT NULL,
    external_id            TEXT{bytes} NOT NULL,
    sku                    TEXT,
    name                   TEXT,
    barcodes               TEXT        NOT NULL,
    active                 BOOLEAN     NOT NULL,
    seen_by                UUID,
    first_seen_at          TIMESTAMPTZ NOT NULL,
    fbo_stock              BIGINT,
    fbs_stock              BIGINT,
    in_transit_to_customer BIGINT,
    in_transit_returns     BIGINT,
    ordered_units          BIGINT,
    cancelled_units        BIGINT,
    ordered_today          BIGINT,
    revenue_minor          BIGINT,
    currency               TEXT,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, account_id, external_id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX variant_by_product ON variant (tenant_id, product_id);

CREATE TABLE variant_barcode (
    tenant_id  UUID NOT NULL,
    account_id UUID NOT NULL,
    barcode    TEXT NOT NULL,
    variant_id UUID NOT NULL,
    PRIMARY KEY (tenant_id, account_id, barcode, variant_id),
    FOREIGN KEY (tenant_id, variant_id) REFERENCES variant (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX variant_barcode_by_variant ON variant_barcode (tenant_id, variant_id);
