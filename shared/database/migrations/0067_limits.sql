-- Tokens may be limited to clients, services and teams, as grants are (null: no limit).
ALTER TABLE access.tokens
    ADD COLUMN clients text[],
    ADD COLUMN services text[],
    ADD COLUMN teams text[];
-- Who was removed: their links and feeds end, and the tokens that they had by then, for
-- good. A role that is granted later brings the person back.
CREATE TABLE access.removed_people (
    person      text PRIMARY KEY,
    removed_at  timestamptz NOT NULL,
    removed_by  text NOT NULL,
    returned_at timestamptz
);
GRANT SELECT ON access.removed_people
TO desk_intake, desk_projections, desk_sla_watcher, desk_escalation, desk_admin;
GRANT INSERT, UPDATE ON access.removed_people TO desk_intake;
-- People of a client may read what is theirs.
ALTER TABLE access.tokens DROP CONSTRAINT tokens_scopes_check;
ALTER TABLE access.tokens ADD CONSTRAINT tokens_scopes_check CHECK (
    scopes <@ ARRAY['source', 'agent', 'manager', 'auditor', 'admin', 'client']
    AND scopes <> '{}');
