-- How people are reached: the values of their contact methods. The log has id and kind of
-- each, and which are verified; an address or a number is here, and can be forgotten.

CREATE TABLE directory.contact_methods (
    person      text NOT NULL REFERENCES directory.people,
    method      text NOT NULL CHECK (length(method) <= 140),
    kind        text NOT NULL CHECK (length(kind) <= 20),
    value       text NOT NULL CHECK (length(value) BETWEEN 1 AND 500),
    added_at    timestamptz NOT NULL,
    verified_at timestamptz,
    PRIMARY KEY (person, method),
    CONSTRAINT readable CHECK (
        least(added_at, verified_at) > '2000-01-01'
        AND greatest(added_at, verified_at) < '2300-01-01')
);
GRANT SELECT, INSERT, UPDATE (value, verified_at), DELETE ON directory.contact_methods TO desk_intake;
GRANT SELECT ON directory.contact_methods TO desk_escalation, desk_projections;
GRANT SELECT, DELETE ON directory.contact_methods TO desk_admin;

-- Codes that were sent. A code follows from the id of its request and the vault's key, so
-- it is stored nowhere: neither here nor in a backup.
CREATE TABLE directory.contact_codes (
    request_id   uuid PRIMARY KEY,
    person       text NOT NULL,
    method       text NOT NULL,
    requested_at timestamptz NOT NULL,
    tries        int NOT NULL DEFAULT 0,
    used_at      timestamptz,
    CONSTRAINT readable CHECK (
        least(requested_at, used_at) > '2000-01-01'
        AND greatest(requested_at, used_at) < '2300-01-01')
);
CREATE INDEX contact_codes_of_person ON directory.contact_codes (person, requested_at);
GRANT SELECT, INSERT, UPDATE (tries, used_at), DELETE ON directory.contact_codes TO desk_intake;
GRANT SELECT ON directory.contact_codes TO desk_escalation;
GRANT SELECT, DELETE ON directory.contact_codes TO desk_admin;

-- The channels that escalation can send over: it writes them when it starts, and intake
-- accepts contact methods of these kinds only.
CREATE TABLE directory.channels (kind text PRIMARY KEY CHECK (length(kind) <= 20));
GRANT SELECT ON directory.channels TO desk_intake, desk_projections, desk_admin;
GRANT SELECT, INSERT, DELETE ON directory.channels TO desk_escalation;

-- Codes, and notices of changes, are sent like mail about signing in.
ALTER TABLE access.sign_in_mail DROP CONSTRAINT sign_in_mail_kind_check;
ALTER TABLE access.sign_in_mail ADD CONSTRAINT sign_in_mail_kind_check CHECK (
    kind IN ('link', 'invitation', 'break_glass', 'contact_code', 'contact_change'));
ALTER TABLE access.sign_in_mail DROP CONSTRAINT sign_in_mail_check2;
ALTER TABLE access.sign_in_mail ADD CONSTRAINT sign_in_mail_person_check CHECK (
    (kind IN ('invitation', 'contact_code', 'contact_change')) = (person IS NOT NULL));

-- A notification goes to one contact method of a person; empty: the address in the directory.
ALTER TABLE escalation.outbox ADD COLUMN method text NOT NULL DEFAULT '';

-- People whose managers heard that they have no verified contact method: once until they do.
CREATE TABLE escalation.unreachable_people (
    person   text PRIMARY KEY,
    position bigint NOT NULL
);
GRANT SELECT, INSERT, DELETE ON escalation.unreachable_people TO desk_escalation;
GRANT SELECT ON escalation.unreachable_people TO desk_admin;
