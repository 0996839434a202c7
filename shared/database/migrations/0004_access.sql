-- Who may call: bearer tokens of people and tools, keys of monitoring sources. Only hashes.

CREATE SCHEMA access;

CREATE TABLE access.tokens (
    token_id   text PRIMARY KEY CHECK (token_id ~ '^[0-9a-f]{12}$'),
    hash       bytea NOT NULL,                          -- SHA-256 of the whole token
    actor      text  NOT NULL,                          -- person:<id> or source:<id>
    scopes     text[] NOT NULL CHECK (
        scopes <@ ARRAY['source', 'agent', 'manager', 'auditor', 'admin'] AND scopes <> '{}'),
    label      text  NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);

GRANT USAGE ON SCHEMA access TO desk_intake, desk_projections, desk_admin;
GRANT SELECT ON access.tokens TO desk_intake, desk_projections;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON access.tokens TO desk_admin;
