ALTER TABLE product DROP COLUMN partly_measured;
ALTER TABLE account_reading DROP COLUMN drifted_at;
ALTER TABLE account_reading DROP COLUMN source;
ALTER TABLE marketplace_account DROP COLUMN credential_notes;
ALTER TABLE marketplace_account DROP COLUMN credential_kind;
