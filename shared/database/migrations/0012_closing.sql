-- Resolved incidents whose users are silent, and the reader that knows of them.
-- Own memory, made anew from the log: empty all three tables and it comes back.

CREATE TABLE intake.tracking (
    reader         text PRIMARY KEY,
    position       bigint NOT NULL,                     -- of the last event passed
    chain          bytea NOT NULL,                      -- hash of that event
    recorded_at    timestamptz NOT NULL,                -- when that event was recorded
    parked_streams int NOT NULL DEFAULT 0
);

CREATE TABLE intake.parked (
    reader    text NOT NULL,
    position  bigint NOT NULL,
    stream    text NOT NULL,
    error     text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reader, position)
);
CREATE INDEX parked_by_stream ON intake.parked (reader, stream, position);

CREATE TABLE intake.silences (
    incident text PRIMARY KEY,
    cycle    int NOT NULL,
    due_at   timestamptz                                -- NULL: not to be closed yet
);
CREATE INDEX silences_due ON intake.silences (due_at, incident) WHERE due_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON intake.tracking TO desk_intake;
GRANT SELECT, INSERT, DELETE ON intake.parked TO desk_intake;
GRANT SELECT, INSERT, UPDATE, DELETE ON intake.silences TO desk_intake;
GRANT SELECT ON intake.tracking, intake.parked, intake.silences TO desk_auditor, desk_admin;
