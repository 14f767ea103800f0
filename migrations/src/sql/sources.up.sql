-- What type a credential is, and what its seller should know of it.
ALTER TABLE marketplace_account ADD COLUMN credential_kind TEXT;
ALTER TABLE marketplace_account ADD COLUMN credential_notes TEXT NOT NULL DEFAULT '[]';

-- By which call a subject was last read completely, and since when its marketplace answers something else than before.
ALTER TABLE account_reading ADD COLUMN source TEXT;
ALTER TABLE account_reading ADD COLUMN drifted_at TIMESTAMPTZ;

-- Whether the totals leave out variants that nobody counts.
ALTER TABLE product ADD COLUMN partly_measured BOOLEAN NOT NULL DEFAULT FALSE;
