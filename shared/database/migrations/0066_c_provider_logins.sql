-- Logins at an identity provider that were answered: each is accepted once.
CREATE TABLE access.provider_logins (
    state_hash bytea PRIMARY KEY,                       -- of what the browser sent back
    used_at    timestamptz NOT NULL
);
CREATE INDEX provider_logins_by_age ON access.provider_logins (used_at);
GRANT SELECT (state_hash, used_at), INSERT, DELETE ON access.provider_logins
    TO desk_projections;
