-- What people may do: roles, each perhaps within clients, services or teams only.
-- Derived from the events of `person-` streams, in the transaction that appends them.

CREATE TABLE access.grants (
    grant_id     text PRIMARY KEY,
    person       text NOT NULL,
    role         text NOT NULL,
    clients      text[],                                -- null: no such limit
    services     text[],
    teams        text[],
    given_by     text NOT NULL,
    given_at     timestamptz NOT NULL,
    until        timestamptz,
    withdrawn_at timestamptz
);
CREATE INDEX grants_of_person ON access.grants (person) WHERE withdrawn_at IS NULL;
GRANT SELECT ON access.grants
TO desk_intake, desk_projections, desk_sla_watcher, desk_escalation, desk_admin;
GRANT INSERT, UPDATE ON access.grants TO desk_intake;
