-- Who is signed in, and the links and codes that sign somebody in once. Only hashes.
--
-- A row counts only with its seal, a MAC under the vault's master key: the password of a
-- role that may insert here signs nobody in.

CREATE TABLE access.sessions (
    session_id   text PRIMARY KEY CHECK (session_id ~ '^[0-9a-f]{12}$'),
    hash         bytea NOT NULL,                        -- SHA-256 of the whole secret
    actor        text NOT NULL CHECK (actor LIKE 'person:%'),
    method       text NOT NULL CHECK (
        method IN ('token', 'link', 'mail', 'provider', 'break_glass')),
    token_id     text REFERENCES access.tokens,         -- its rights are those of a token
    rights       jsonb,                                 -- given for this session alone
    device       text NOT NULL CHECK (length(device) <= 60),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    idle_seconds int NOT NULL CHECK (idle_seconds > 0),
    last_used    timestamptz NOT NULL,
    revoked_at   timestamptz,
    seal         bytea NOT NULL,
    CONSTRAINT readable CHECK (
        least(created_at, expires_at, last_used, revoked_at) > '2000-01-01'
        AND greatest(created_at, expires_at, last_used, revoked_at) < '2300-01-01')
);
CREATE INDEX sessions_of_actor ON access.sessions (actor, created_at)
WHERE revoked_at IS NULL;

CREATE TABLE access.sign_in_links (
    link_id    text PRIMARY KEY CHECK (link_id ~ '^[0-9a-f]{12}$'),
    hash       bytea NOT NULL,
    actor      text NOT NULL CHECK (actor LIKE 'person:%'),
    method     text NOT NULL CHECK (method IN ('link', 'mail', 'break_glass')),
    token_id   text REFERENCES access.tokens,
    rights     jsonb,
    label      text NOT NULL DEFAULT '' CHECK (length(label) <= 200),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    revoked_at timestamptz,
    seal       bytea NOT NULL,
    CONSTRAINT readable CHECK (
        least(created_at, expires_at, used_at, revoked_at) > '2000-01-01'
        AND greatest(created_at, expires_at, used_at, revoked_at) < '2300-01-01')
);
CREATE INDEX sign_in_links_of_actor ON access.sign_in_links (actor, created_at);

-- What was revoked or used up stays so, whatever a thief of a password updates.
ALTER TABLE access.sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON access.sessions FOR SELECT USING (true);
CREATE POLICY once ON access.sessions FOR INSERT WITH CHECK (revoked_at IS NULL);
CREATE POLICY while_living ON access.sessions FOR UPDATE
    USING (revoked_at IS NULL) WITH CHECK (true);
CREATE POLICY after_their_end ON access.sessions FOR DELETE
    USING (expires_at < now() - interval '30 days');
ALTER TABLE access.sign_in_links ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON access.sign_in_links FOR SELECT USING (true);
CREATE POLICY once ON access.sign_in_links FOR INSERT
    WITH CHECK (used_at IS NULL AND revoked_at IS NULL);
CREATE POLICY while_unused ON access.sign_in_links FOR UPDATE
    USING (used_at IS NULL AND revoked_at IS NULL) WITH CHECK (true);
CREATE POLICY after_their_end ON access.sign_in_links FOR DELETE
    USING (expires_at < now() - interval '30 days');

GRANT SELECT, UPDATE (last_used, revoked_at) ON access.sessions TO desk_intake;
GRANT SELECT, UPDATE (last_used) ON access.sessions TO desk_sla_watcher, desk_escalation;
GRANT SELECT, INSERT, UPDATE (last_used, revoked_at), DELETE ON access.sessions
    TO desk_projections;
GRANT SELECT, UPDATE (revoked_at) ON access.sessions TO desk_admin;

GRANT SELECT, UPDATE (revoked_at) ON access.sign_in_links TO desk_intake;
GRANT SELECT, UPDATE (used_at), DELETE ON access.sign_in_links TO desk_projections;
GRANT SELECT, INSERT ON access.sign_in_links TO desk_escalation;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON access.sign_in_links TO desk_admin;
