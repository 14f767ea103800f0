-- What the operator is told of connected accounts, to see whose credential ends soon or allows little. On PostgreSQL a
-- view reads as its owner, so that the application can read it outside of every tenant. It names accounts as the schedule
-- does, by their ids, and holds nothing of a person or a shop.
CREATE VIEW account_overview AS
SELECT tenant_id, id AS account_id, marketplace, state, credential_kind, credential_expires_at
FROM marketplace_account;
