-- Stock as a pass over a side reads it: a sync, page by page, or an import. `available` is NULL where the marketplace
-- keeps no count of the variant; a row with the nil warehouse tells of units on their way alone. A sync that is under
-- way reads its side again. No reference to the account: an index more would cost every row of every sync, and whoever
-- removes an account removes these first.
DROP TABLE stock_reading;
CREATE TABLE stock_reading (
    tenant_id              UUID   NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    pass_id                UUID   NOT NULL,
    variant_id             UUID   NOT NULL,
    warehouse_id           UUID   NOT NULL,
    account_id             UUID   NOT NULL,
    product_id             UUID   NOT NULL,
    side                   TEXT   NOT NULL CHECK (side IN ('fbo', 'fbs')),
    available              BIGINT,
    reserved               BIGINT,
    on_hand                BIGINT,
    in_transit_to_customer BIGINT,
    in_transit_returns     BIGINT,
    PRIMARY KEY (tenant_id, pass_id, variant_id, warehouse_id)
);

-- The ledger says since when a level is unknown. SQLite changes a column only by making its table anew.
DROP INDEX stock_movement_once;
DROP INDEX stock_movement_by_level;
DROP INDEX stock_movement_by_warehouse;
DROP INDEX stock_movement_by_product;
ALTER TABLE stock_movement RENAME TO stock_movement_old;
CREATE TABLE stock_movement (
    tenant_id    UUID        NOT NULL,
    id           UUID        NOT NULL,
    account_id   UUID        NOT NULL,
    product_id   UUID        NOT NULL,
    variant_id   UUID        NOT NULL,
    warehouse_id UUID        NOT NULL,
    at           TIMESTAMPTZ NOT NULL,
    before       BIGINT,
    after        BIGINT,
    cause        TEXT        NOT NULL,
    sync_id      UUID,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, variant_id) REFERENCES variant (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, warehouse_id) REFERENCES warehouse (tenant_id, id) ON DELETE CASCADE
);
INSERT INTO stock_movement (tenant_id, id, account_id, product_id, variant_id, warehouse_id, at, before, after, cause, sync_id)
SELECT tenant_id, id, account_id, product_id, variant_id, warehouse_id, at, before, after, cause, sync_id
FROM stock_movement_old;
DROP TABLE stock_movement_old;
CREATE UNIQUE INDEX stock_movement_once ON stock_movement (tenant_id, sync_id, variant_id, warehouse_id)
    WHERE sync_id IS NOT NULL;
CREATE INDEX stock_movement_by_level ON stock_movement (tenant_id, variant_id, warehouse_id, at);
CREATE INDEX stock_movement_by_warehouse ON stock_movement (tenant_id, warehouse_id);
CREATE INDEX stock_movement_by_product ON stock_movement (tenant_id, product_id, id);
