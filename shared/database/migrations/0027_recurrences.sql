-- Which incidents are of one kind, and the row of them that suggested a problem.
-- Own memory of the escalation service, made anew from the log.

CREATE TABLE escalation.recurrences (
    incident     text PRIMARY KEY,
    signature    bytea NOT NULL,                        -- of source, service and words, or of service and category
    opened_at    timestamptz NOT NULL,
    position     bigint NOT NULL,                       -- of its opening in the log
    completed_by text                                   -- the incident with which a problem was suggested
) WITH (fillfactor = 70);
CREATE INDEX recurrences_waiting ON escalation.recurrences (signature, position)
    WHERE completed_by IS NULL;
CREATE INDEX recurrences_completed ON escalation.recurrences (completed_by, position)
    WHERE completed_by IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.recurrences TO desk_escalation;
GRANT SELECT ON escalation.recurrences TO desk_auditor, desk_admin;
