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
ALTER TABLE stock_reading ENABLE ROW LEVEL SECURITY;
ALTER TABLE stock_reading FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON stock_reading
    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY owner_rows ON stock_reading TO CURRENT_USER USING (true) WITH CHECK (true);

-- The ledger says since when a level is unknown.
ALTER TABLE stock_movement ALTER COLUMN after DROP NOT NULL;
