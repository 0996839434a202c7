-- A way out for what readers have set aside: an administrator asks, the reader itself answers,
-- with its own rules and rights. What is skipped is recorded for ever.

-- Nobody takes a skipped event back. Row triggers do not see TRUNCATE, so: statement triggers.
CREATE FUNCTION upkeep.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TABLE sla.parked_requests (
    request_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reader       text NOT NULL,
    stream       text NOT NULL,
    action       text NOT NULL CHECK (action IN ('retry', 'skip')),
    whole        boolean NOT NULL DEFAULT false,        -- skip all that is parked, not the first alone
    requested_by text NOT NULL,                         -- as the command line was told
    role         text NOT NULL DEFAULT session_user,    -- who was logged in to the database
    reason       text,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered_at  timestamptz,                           -- NULL: not yet
    outcome      text CHECK (outcome IN ('applied', 'skipped', 'still parked', 'nothing parked')),
    skipped      int,                                   -- events
    applied      int,
    error        text,
    CONSTRAINT a_skip_has_a_reason
        CHECK (action <> 'skip' OR btrim(coalesce(reason, '')) <> ''),
    CONSTRAINT answered_with_an_outcome CHECK ((answered_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX parked_requests_open ON sla.parked_requests (reader, request_id)
    WHERE answered_at IS NULL;

CREATE TABLE sla.skipped (
    skip_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL REFERENCES sla.parked_requests,
    reader     text NOT NULL,
    position   bigint NOT NULL,
    stream     text NOT NULL,
    error      text NOT NULL,                           -- why it was parked
    parked_at  timestamptz NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    skipped_by text NOT NULL,
    role       text NOT NULL,
    reason     text NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sla.skipped
    FOR EACH STATEMENT EXECUTE FUNCTION upkeep.refuse_change();

GRANT SELECT, UPDATE (answered_at, outcome, skipped, applied, error) ON sla.parked_requests
    TO desk_sla_watcher;
GRANT SELECT, INSERT ON sla.skipped TO desk_sla_watcher;
GRANT SELECT, INSERT (reader, stream, action, whole, requested_by, reason)
    ON sla.parked_requests TO desk_admin;
GRANT SELECT ON sla.skipped TO desk_admin;
GRANT SELECT ON sla.parked_requests, sla.skipped TO desk_auditor;

-- The error of the next event in line, once the one before it is skipped.
GRANT UPDATE (error) ON sla.parked TO desk_sla_watcher;

CREATE TABLE escalation.parked_requests (
    request_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reader       text NOT NULL,
    stream       text NOT NULL,
    action       text NOT NULL CHECK (action IN ('retry', 'skip')),
    whole        boolean NOT NULL DEFAULT false,        -- skip all that is parked, not the first alone
    requested_by text NOT NULL,                         -- as the command line was told
    role         text NOT NULL DEFAULT session_user,    -- who was logged in to the database
    reason       text,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered_at  timestamptz,                           -- NULL: not yet
    outcome      text CHECK (outcome IN ('applied', 'skipped', 'still parked', 'nothing parked')),
    skipped      int,                                   -- events
    applied      int,
    error        text,
    CONSTRAINT a_skip_has_a_reason
        CHECK (action <> 'skip' OR btrim(coalesce(reason, '')) <> ''),
    CONSTRAINT answered_with_an_outcome CHECK ((answered_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX parked_requests_open ON escalation.parked_requests (reader, request_id)
    WHERE answered_at IS NULL;

CREATE TABLE escalation.skipped (
    skip_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL REFERENCES escalation.parked_requests,
    reader     text NOT NULL,
    position   bigint NOT NULL,
    stream     text NOT NULL,
    error      text NOT NULL,                           -- why it was parked
    parked_at  timestamptz NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    skipped_by text NOT NULL,
    role       text NOT NULL,
    reason     text NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON escalation.skipped
    FOR EACH STATEMENT EXECUTE FUNCTION upkeep.refuse_change();

GRANT SELECT, UPDATE (answered_at, outcome, skipped, applied, error) ON escalation.parked_requests
    TO desk_escalation;
GRANT SELECT, INSERT ON escalation.skipped TO desk_escalation;
GRANT SELECT, INSERT (reader, stream, action, whole, requested_by, reason)
    ON escalation.parked_requests TO desk_admin;
GRANT SELECT ON escalation.skipped TO desk_admin;
GRANT SELECT ON escalation.parked_requests, escalation.skipped TO desk_auditor;

-- The error of the next event in line, once the one before it is skipped.
GRANT UPDATE (error) ON escalation.parked TO desk_escalation;

CREATE TABLE intake.parked_requests (
    request_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reader       text NOT NULL,
    stream       text NOT NULL,
    action       text NOT NULL CHECK (action IN ('retry', 'skip')),
    whole        boolean NOT NULL DEFAULT false,        -- skip all that is parked, not the first alone
    requested_by text NOT NULL,                         -- as the command line was told
    role         text NOT NULL DEFAULT session_user,    -- who was logged in to the database
    reason       text,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered_at  timestamptz,                           -- NULL: not yet
    outcome      text CHECK (outcome IN ('applied', 'skipped', 'still parked', 'nothing parked')),
    skipped      int,                                   -- events
    applied      int,
    error        text,
    CONSTRAINT a_skip_has_a_reason
        CHECK (action <> 'skip' OR btrim(coalesce(reason, '')) <> ''),
    CONSTRAINT answered_with_an_outcome CHECK ((answered_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX parked_requests_open ON intake.parked_requests (reader, request_id)
    WHERE answered_at IS NULL;

CREATE TABLE intake.skipped (
    skip_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL REFERENCES intake.parked_requests,
    reader     text NOT NULL,
    position   bigint NOT NULL,
    stream     text NOT NULL,
    error      text NOT NULL,                           -- why it was parked
    parked_at  timestamptz NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    skipped_by text NOT NULL,
    role       text NOT NULL,
    reason     text NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON intake.skipped
    FOR EACH STATEMENT EXECUTE FUNCTION upkeep.refuse_change();

GRANT SELECT, UPDATE (answered_at, outcome, skipped, applied, error) ON intake.parked_requests
    TO desk_intake;
GRANT SELECT, INSERT ON intake.skipped TO desk_intake;
GRANT SELECT, INSERT (reader, stream, action, whole, requested_by, reason)
    ON intake.parked_requests TO desk_admin;
GRANT SELECT ON intake.skipped TO desk_admin;
GRANT SELECT ON intake.parked_requests, intake.skipped TO desk_auditor;

-- The error of the next event in line, once the one before it is skipped.
GRANT UPDATE (error) ON intake.parked TO desk_intake;

-- Generations come and go: what was asked about a read model, and skipped, stays.
CREATE TABLE rm.parked_requests (
    request_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reader       text NOT NULL,
    stream       text NOT NULL,
    action       text NOT NULL CHECK (action IN ('retry', 'skip')),
    whole        boolean NOT NULL DEFAULT false,        -- skip all that is parked, not the first alone
    requested_by text NOT NULL,                         -- as the command line was told
    role         text NOT NULL DEFAULT session_user,    -- who was logged in to the database
    reason       text,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered_at  timestamptz,                           -- NULL: not yet
    outcome      text CHECK (outcome IN ('applied', 'skipped', 'still parked', 'nothing parked')),
    skipped      int,                                   -- events
    applied      int,
    error        text,
    CONSTRAINT a_skip_has_a_reason
        CHECK (action <> 'skip' OR btrim(coalesce(reason, '')) <> ''),
    CONSTRAINT answered_with_an_outcome CHECK ((answered_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX parked_requests_open ON rm.parked_requests (reader, request_id)
    WHERE answered_at IS NULL;

CREATE TABLE rm.skipped (
    skip_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL REFERENCES rm.parked_requests,
    reader     text NOT NULL,
    position   bigint NOT NULL,
    stream     text NOT NULL,
    error      text NOT NULL,                           -- why it was parked
    parked_at  timestamptz NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    skipped_by text NOT NULL,
    role       text NOT NULL,
    reason     text NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rm.skipped
    FOR EACH STATEMENT EXECUTE FUNCTION upkeep.refuse_change();

GRANT SELECT, UPDATE (answered_at, outcome, skipped, applied, error) ON rm.parked_requests
    TO desk_projections;
GRANT SELECT, INSERT ON rm.skipped TO desk_projections;
GRANT SELECT, INSERT (reader, stream, action, whole, requested_by, reason)
    ON rm.parked_requests TO desk_admin;
GRANT SELECT ON rm.skipped TO desk_admin;
GRANT SELECT ON rm.parked_requests, rm.skipped TO desk_auditor;
