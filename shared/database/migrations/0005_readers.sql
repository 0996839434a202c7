-- Where the two following services are in the log, each in the schema of what it maintains.
-- The tables are those of shared/tracking.py; a test holds both to one text.

CREATE SCHEMA sla;

CREATE TABLE sla.tracking (
    reader         text PRIMARY KEY,
    position       bigint NOT NULL,                     -- of the last event passed
    chain          bytea NOT NULL,                      -- hash of that event
    recorded_at    timestamptz NOT NULL,                -- when that event was recorded
    parked_streams int NOT NULL DEFAULT 0
);

CREATE TABLE sla.parked (
    reader    text NOT NULL,
    position  bigint NOT NULL,
    stream    text NOT NULL,
    error     text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reader, position)
);
CREATE INDEX parked_by_stream ON sla.parked (reader, stream, position);

GRANT USAGE ON SCHEMA sla TO desk_sla_watcher, desk_auditor, desk_admin;
GRANT SELECT, INSERT, UPDATE ON sla.tracking TO desk_sla_watcher;
GRANT SELECT, INSERT, DELETE ON sla.parked TO desk_sla_watcher;
GRANT SELECT ON sla.tracking, sla.parked TO desk_auditor, desk_admin;

CREATE SCHEMA escalation;

CREATE TABLE escalation.tracking (
    reader         text PRIMARY KEY,
    position       bigint NOT NULL,                     -- of the last event passed
    chain          bytea NOT NULL,                      -- hash of that event
    recorded_at    timestamptz NOT NULL,                -- when that event was recorded
    parked_streams int NOT NULL DEFAULT 0
);

CREATE TABLE escalation.parked (
    reader    text NOT NULL,
    position  bigint NOT NULL,
    stream    text NOT NULL,
    error     text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reader, position)
);
CREATE INDEX parked_by_stream ON escalation.parked (reader, stream, position);

GRANT USAGE ON SCHEMA escalation TO desk_escalation, desk_auditor, desk_admin;
GRANT SELECT, INSERT, UPDATE ON escalation.tracking TO desk_escalation;
GRANT SELECT, INSERT, DELETE ON escalation.parked TO desk_escalation;
GRANT SELECT ON escalation.tracking, escalation.parked TO desk_auditor, desk_admin;
