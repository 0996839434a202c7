-- Who the people behind the ids are. Outside the log: this can be corrected and forgotten.

CREATE SCHEMA directory;

CREATE TABLE directory.people (
    id         text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
    name       text NOT NULL,
    email      text,
    phone      text,
    language   text CHECK (language ~ '^[a-z]{2}$'),    -- NULL: the desk's first language
    zone       text,                                    -- IANA; NULL: the desk's zone
    client     text,                                    -- the contract party they belong to
    updated_at timestamptz NOT NULL
);
-- Whose mail is this? An address may be shared.
CREATE INDEX people_by_email ON directory.people (lower(email)) WHERE email IS NOT NULL;
CREATE INDEX people_by_client ON directory.people (client, id) WHERE client IS NOT NULL;

GRANT USAGE ON SCHEMA directory TO desk_intake, desk_escalation, desk_projections, desk_admin;
GRANT SELECT ON directory.people TO desk_intake, desk_escalation, desk_projections, desk_admin;
GRANT INSERT, UPDATE ON directory.people TO desk_intake, desk_admin;
