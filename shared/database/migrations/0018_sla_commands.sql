-- The SLA watcher takes commands: longer delays, and whose a breach is.

-- Commands that were understood and answered no.
CREATE TABLE sla.refusals (
    refusal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    verb       text NOT NULL,
    incident   text NOT NULL,
    code       text NOT NULL,
    reason     text NOT NULL
);
GRANT SELECT, INSERT ON sla.refusals TO desk_sla_watcher;
GRANT SELECT ON sla.refusals TO desk_auditor, desk_admin;

-- It writes down why more time is asked for, and what was said to that.
GRANT USAGE ON SCHEMA vault TO desk_sla_watcher;
GRANT SELECT, INSERT ON vault.keys TO desk_sla_watcher;

-- It has to know who reported what: its memory is made anew from the log.
TRUNCATE sla.cases, sla.tracking, sla.parked;
