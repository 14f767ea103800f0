-- What the operator is told of all tenants together: sums, and nothing of a single one. On PostgreSQL a view reads as its
-- owner, so that the application, which sees the rows of one tenant at a time, can read these.

-- Active products. One is low as its tenant says: see `domain::figures::is_low`.
CREATE VIEW product_overview AS
SELECT COUNT(*) AS products,
       CAST(COALESCE(SUM(CASE WHEN p.total_stock > 0 THEN p.total_stock END), 0) AS BIGINT) AS stock_units,
       COUNT(CASE WHEN p.total_stock > 0
                   AND (p.total_stock < t.low_stock_units
                        OR (p.ordered_units > 0 AND p.total_stock * 7 < p.ordered_units * t.low_stock_days))
                  THEN 1 END) AS low_stock
FROM product p
JOIN tenant t ON t.id = p.tenant_id
WHERE p.active = TRUE;

-- Accounts on schedule, by how often they are to be synced: when the one that waits longest was last read, or made if
-- nothing of it has been read yet.
CREATE VIEW sync_overview AS
SELECT a.marketplace,
       COALESCE(a.sync_interval_minutes, t.sync_interval_minutes) AS interval_minutes,
       MIN(COALESCE((SELECT MAX(r.completed_at) FROM account_reading r
                     WHERE r.tenant_id = a.tenant_id AND r.account_id = a.id), a.created_at)) AS oldest_reading
FROM account_schedule s
JOIN marketplace_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
JOIN tenant t ON t.id = a.tenant_id
WHERE s.next_sync_at IS NOT NULL
GROUP BY a.marketplace, COALESCE(a.sync_interval_minutes, t.sync_interval_minutes);
