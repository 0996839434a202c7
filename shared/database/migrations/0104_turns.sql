-- The last turn of each target that is paged by turns.
CREATE TABLE escalation.turns (
    target text PRIMARY KEY,
    number bigint NOT NULL,
    person text NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON escalation.turns TO desk_escalation;
GRANT SELECT ON escalation.turns TO desk_admin;
