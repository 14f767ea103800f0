-- People, and what must be found before a tenant is known. None of these tables has row-level security; each is named
-- in `storage::isolation::BEFORE_TENANT`.
CREATE TABLE identity (
    id             UUID        NOT NULL PRIMARY KEY,
    email          TEXT        NOT NULL,
    email_folded   TEXT        NOT NULL UNIQUE,
    email_verified BOOLEAN     NOT NULL DEFAULT FALSE,
    password_hash  TEXT        NOT NULL,
    disabled_at    TIMESTAMPTZ,
    last_login_at  TIMESTAMPTZ,
    created_at     TIMESTAMPTZ NOT NULL
);

CREATE TABLE tenant (
    id                       UUID        NOT NULL PRIMARY KEY,
    name                     TEXT        NOT NULL,
    slug                     TEXT        NOT NULL UNIQUE,
    zone                     TEXT        NOT NULL,
    locale                   TEXT        NOT NULL,
    low_stock_units          BIGINT      NOT NULL,
    low_stock_days           BIGINT,
    sync_interval_minutes    INTEGER     NOT NULL,
    -- Bumped by every transaction that changes a figure.
    catalogue_version        BIGINT      NOT NULL DEFAULT 0,
    suspended_at             TIMESTAMPTZ,
    created_at               TIMESTAMPTZ NOT NULL
);

CREATE TABLE membership (
    tenant_id   UUID        NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    identity_id UUID        NOT NULL REFERENCES identity (id) ON DELETE CASCADE,
    role        TEXT        NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, identity_id)
);
CREATE INDEX membership_by_identity ON membership (identity_id, created_at);

-- A signed-in device. It outlives the rotation of its refresh tokens and dies with their family.
CREATE TABLE session (
    id          UUID        NOT NULL PRIMARY KEY,
    tenant_id   UUID        NOT NULL,
    identity_id UUID        NOT NULL,
    user_agent  TEXT,
    address     TEXT,
    created_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    revoked_at  TIMESTAMPTZ,
    FOREIGN KEY (tenant_id, identity_id) REFERENCES membership (tenant_id, identity_id) ON DELETE CASCADE
);
CREATE INDEX session_by_member ON session (tenant_id, identity_id);
CREATE INDEX session_by_expiry ON session (expires_at);

-- Every refresh token ever given in a session, so that a second use of one is seen.
CREATE TABLE refresh_token (
    hash       TEXT        NOT NULL PRIMARY KEY,
    session_id UUID        NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    issued_at  TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ
);
CREATE INDEX refresh_token_by_session ON refresh_token (session_id);
