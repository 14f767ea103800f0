-- PostgreSQL only. Each tenant table shows the application the rows of the tenant that the transaction has named, and
-- none without a name. The owner, who runs migrations and backups, keeps a policy of his own: row-level security is
-- forced, and without one an owner updates nothing, silently.
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY[
        'marketplace_account', 'account_reading', 'warehouse', 'product', 'variant', 'variant_barcode',
        'sync_run', 'sync_step', 'stock_reading', 'stock_level', 'stock_movement', 'order_line', 'order_day',
        'event', 'idempotent_request'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY tenant_rows ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')::uuid)', t);
        EXECUTE format('CREATE POLICY owner_rows ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
    END LOOP;

    ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
    ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant_rows ON tenant USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
    CREATE POLICY owner_rows ON tenant TO CURRENT_USER USING (true) WITH CHECK (true);
END
$$;

-- The one read of every authenticated request: the session with the state of its user and tenant. It must see a tenant
-- before the tenant is known, so it runs as the owner and gives away only what belongs to the session asked for.
CREATE FUNCTION session_context(wanted uuid)
RETURNS TABLE (
    tenant_id uuid, identity_id uuid, role text, expires_at timestamptz, revoked_at timestamptz,
    disabled_at timestamptz, suspended_at timestamptz, catalogue_version bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$
    SELECT s.tenant_id, s.identity_id, m.role, s.expires_at, s.revoked_at,
           i.disabled_at, t.suspended_at, t.catalogue_version
    FROM public.session s
    JOIN public.membership m ON m.tenant_id = s.tenant_id AND m.identity_id = s.identity_id
    JOIN public.identity i ON i.id = s.identity_id
    JOIN public.tenant t ON t.id = s.tenant_id
    WHERE s.id = wanted
$$;
REVOKE ALL ON FUNCTION session_context(uuid) FROM PUBLIC;
