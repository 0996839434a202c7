-- What intake keeps beside the log, changed in the same transaction as the events.

CREATE SCHEMA intake;

CREATE SEQUENCE intake.incident_numbers;                -- gaps are allowed, repeats are not

-- One row per trouble of a source: at most one open incident each, since opening one
-- needs the row's lock. Repeats that change nothing are counted here only.
CREATE TABLE intake.signal_keys (
    signal_key        text PRIMARY KEY CHECK (signal_key ~ '^[0-9a-f]{64}$'),
    source            text NOT NULL,
    incident          text,
    state             text NOT NULL DEFAULT 'unknown'
                      CHECK (state IN ('unknown', 'firing', 'recovered')),
    severity          text,
    last_occurred_at  timestamptz,
    last_recovered_at timestamptz,
    repeats           bigint NOT NULL DEFAULT 0,        -- since the last event that told of them
    last_summary_at   timestamptz,
    recovery_heard_at timestamptz                       -- by our clock, last_recovered_at by the source's
) WITH (fillfactor = 70);
CREATE INDEX signal_keys_of_incident ON intake.signal_keys (incident) WHERE incident IS NOT NULL;

-- What became of each event id: its idempotency, and the answer to who asks later.
CREATE TABLE intake.requests (
    source      text NOT NULL,
    event_id    text NOT NULL,
    day         date NOT NULL,
    received_at timestamptz NOT NULL,
    status      text NOT NULL,
    incident    text,
    version     bigint,                                 -- of the incident's stream; its entry has the position
    reason      text,
    PRIMARY KEY (source, event_id, day)
) PARTITION BY RANGE (day);
CREATE TABLE intake.requests_other PARTITION OF intake.requests DEFAULT;

-- Bodies as received, sealed under the source's key; a body repeated in a day is kept once.
CREATE TABLE intake.raw_bodies (
    digest      bytea NOT NULL,
    day         date NOT NULL,
    source      text NOT NULL,
    adapter     text NOT NULL,
    received_at timestamptz NOT NULL,
    sealed      text NOT NULL,
    PRIMARY KEY (digest, day)
) PARTITION BY RANGE (day);
CREATE TABLE intake.raw_bodies_other PARTITION OF intake.raw_bodies DEFAULT;

-- Parsed, but not to be mapped: kept with its raw body until the mapping is mended.
CREATE TABLE intake.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source        text NOT NULL,
    adapter       text NOT NULL,
    received_at   timestamptz NOT NULL,
    digest        bytea NOT NULL,
    element       int NOT NULL,
    reason        text NOT NULL,
    UNIQUE (source, digest, element)
);

CREATE TABLE intake.quarantined_bodies (digest bytea PRIMARY KEY, sealed text NOT NULL);

-- Commands that were understood and answered no.
CREATE TABLE intake.refusals (
    refusal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    verb       text NOT NULL,
    incident   text,
    code       text NOT NULL,
    reason     text NOT NULL
);

INSERT INTO upkeep.retention VALUES ('intake.requests', 3), ('intake.raw_bodies', 30);

GRANT USAGE ON SCHEMA intake TO desk_intake, desk_admin, desk_auditor;
GRANT USAGE ON SEQUENCE intake.incident_numbers TO desk_intake;
GRANT SELECT, INSERT, UPDATE ON intake.signal_keys TO desk_intake;
GRANT SELECT, INSERT ON intake.requests, intake.raw_bodies, intake.quarantine,
    intake.quarantined_bodies, intake.refusals
    TO desk_intake;
GRANT SELECT ON ALL TABLES IN SCHEMA intake TO desk_admin, desk_auditor;
