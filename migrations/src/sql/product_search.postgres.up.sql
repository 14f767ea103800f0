-- What search looks in, apart from the products: an index on their own table would be written again with every change of
-- a figure, and trigrams are many. Both extensions are trusted: the owner of a database may create them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

CREATE TABLE product_text (
    tenant_id  UUID             NOT NULL,
    product_id UUID             NOT NULL,
    text       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, product_id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id) ON DELETE CASCADE
);
ALTER TABLE product_text ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_text FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON product_text
    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY owner_rows ON product_text TO CURRENT_USER USING (true) WITH CHECK (true);
INSERT INTO product_text (tenant_id, product_id, text) SELECT tenant_id, id, search_text FROM product;
-- The tenant stands in the index as a text, since no other index knows it so: whatever the planner expects of a tenant,
-- the primary key is no way to a text. Every search reads the list of what is not in the index yet, so it is kept short.
CREATE INDEX product_text_trigrams ON product_text USING gin ((tenant_id::text), text gin_trgm_ops)
    WITH (gin_pending_list_limit = 256);

CREATE FUNCTION keep_product_text() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO public.product_text (tenant_id, product_id, text) VALUES (NEW.tenant_id, NEW.id, NEW.search_text)
    ON CONFLICT (tenant_id, product_id) DO UPDATE SET text = EXCLUDED.text;
    RETURN NULL;
END
$$;
CREATE TRIGGER product_text_added AFTER INSERT ON product
    FOR EACH ROW EXECUTE FUNCTION keep_product_text();
CREATE TRIGGER product_text_changed AFTER UPDATE OF search_text ON product
    FOR EACH ROW WHEN (OLD.search_text IS DISTINCT FROM NEW.search_text) EXECUTE FUNCTION keep_product_text();

-- Products of the transaction's tenant whose text is LIKE this. LIKE is not leakproof, so that row-level security would
-- keep it from the index: the function runs as the owner and names the tenant itself, by the same setting as the
-- policies. With other scans off, the trigrams are all there is to find a text by.
CREATE FUNCTION product_search(pattern text) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_indexscan = off
ROWS 4000
AS $$
    SELECT t.product_id FROM public.product_text t
    WHERE t.tenant_id::text = NULLIF(current_setting('app.tenant_id', true), '')::uuid::text AND t.text LIKE pattern
$$;
REVOKE ALL ON FUNCTION product_search(text) FROM PUBLIC;
