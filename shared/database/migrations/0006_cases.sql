-- What the deciding services remember of each incident, and when to look at it again.
-- Own memory, made anew from the log: empty it together with `tracking` and it comes back.

CREATE TABLE sla.cases (
    incident text PRIMARY KEY,
    next_at  timestamptz,                               -- NULL: only an event changes anything
    versions jsonb NOT NULL,                            -- how far each stream about it was read
    state    jsonb NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX cases_due ON sla.cases (next_at, incident) WHERE next_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON sla.cases TO desk_sla_watcher;
GRANT SELECT ON sla.cases TO desk_auditor, desk_admin;

CREATE TABLE escalation.cases (
    incident text PRIMARY KEY,
    next_at  timestamptz,
    versions jsonb NOT NULL,
    state    jsonb NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX cases_due ON escalation.cases (next_at, incident) WHERE next_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON escalation.cases TO desk_escalation;
GRANT SELECT ON escalation.cases TO desk_auditor, desk_admin;
