DELETE FROM stock_movement WHERE after IS NULL;
ALTER TABLE stock_movement ALTER COLUMN after SET NOT NULL;

DROP TABLE stock_reading;
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
ALTER TABLE stock_reading ENABLE ROW LEVEL SECURITY;
ALTER TABLE stock_reading FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON stock_reading
    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY owner_rows ON stock_reading TO CURRENT_USER USING (true) WITH CHECK (true);
